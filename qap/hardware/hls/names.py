"""Names of a project and of its layers that C++, Verilog, VHDL and every file system take."""

from __future__ import annotations

import re

from qap.network import IntegerNetwork

MOST_LETTERS = 64
"""Of a text in a name: file systems take 255 in all, and tools add to them."""


def project_name(text: str) -> str:
    """The name of a project: any text of which letters and digits remain."""
    return f"qap_{_identifier(text) or 'network'}"


def layer_names(network: IntegerNetwork) -> list[str]:
    """A C++ name for each layer; its index makes it unique, and no keyword ends in a number like that."""
    return [f"{_layer_name(layer.name)}_{index}" for index, layer in enumerate(network.layers)]


def _layer_name(name: str) -> str:
    text = _identifier(name)
    return text if text[:1].isalpha() else f"layer_{text}".removesuffix("_")


def _identifier(text: str) -> str:
    """The letters, digits and single underscores of a text: what any language takes within a name."""
    return re.sub(r"[^0-9A-Za-z]+", "_", text)[:MOST_LETTERS].strip("_")
