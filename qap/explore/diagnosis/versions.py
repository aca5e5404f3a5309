"""Versions of a project that differ in one type, in its weights or in its softmax: as C++, compiled together.

Typedefs of `defines.h` and structs of `parameters.h` are plain text. A version is the text of his files with one
place replaced, in a namespace of its own; hls4ml's headers are read once for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qap.explore.diagnosis.ranges import Site, array_of
from qap.explore.diagnosis.simulation import INCLUDE, SharedArray, VariantText, simulate_variants, with_traces
from qap.explore.diagnosis.source import NAMESPACE, HlsSource
from qap.explore.diagnosis.weights import Weights

TOGETHER = 16
"""Versions that one compiler takes; most of its time is for hls4ml's headers, which it reads once for all of them."""
FloatArray = npt.NDArray[np.float64]
_GUARD = re.compile(r"^#(?:ifndef|define)[ \t]+\w+_H_?[ \t]*$", re.M)
_LOADING = re.compile(r"#ifndef __SYNTHESIS__\s+static bool loaded_weights.*?#endif", re.S)
_IMPLEMENTATION = re.compile(r"(softmax_implementation implementation\s*=\s*nnet::softmax_implementation::)\w+")
_PRODUCT = re.compile(r"nnet::product::weight_ternary<")


@dataclass(frozen=True, slots=True)
class Version:
    """What is other than in the project.

    Args:
        types: site -> the C++ type that it gets.
        weights: C++ array -> the numbers that it gets, in the array's own order.
        softmax: the implementation that the softmax gets.
    """

    types: Mapping[Site, str] = field(default_factory=dict)
    weights: Mapping[str, FloatArray] = field(default_factory=dict)
    softmax: str | None = None


def run_versions(
    source: HlsSource, weights: Mapping[str, Weights], versions: Sequence[Version], x: FloatArray
) -> list[list[FloatArray]]:
    """What every call gives in every version. Errors as of `simulate`."""
    shares = [versions[start : start + TOGETHER] for start in range(0, len(versions), TOGETHER)]
    return [traces for share in shares for traces in _run(source, weights, share, x)]


def _run(
    source: HlsSource, weights: Mapping[str, Weights], versions: Sequence[Version], x: FloatArray
) -> list[list[FloatArray]]:
    own = {name: each.simulated for name, each in weights.items() if each.simulated is not None}
    arrays = [SharedArray(name, _numbers(values)) for name, values in own.items()]
    texts = []
    for index, version in enumerate(versions):
        others = {name: f"{name}_{index}" for name in version.weights}
        arrays += [SharedArray(others[name], _numbers(values)) for name, values in version.weights.items()]
        text = version_text(source, version, {name: others.get(name, name) for name in own}, own)
        texts.append(VariantText(f"namespace v{index} {{\n{text}\n}}", f"v{index}::"))
    return simulate_variants(source, arrays, texts, x)


def version_text(
    source: HlsSource, version: Version, numbers: Mapping[str, str], arrays: Mapping[str, FloatArray]
) -> str:
    """The C++ of a version, without the headers that all versions share.

    Args:
        source: the project.
        version: what is other.
        numbers: array -> the shared array that its numbers are taken from.
        arrays: array -> its numbers, for their count.
    """
    defines, parameters, cpp = (_body(source.firmware / name) for name in _files(source))
    declared = {name: _declared_type(source, name) for name in arrays}
    for site, text in version.types.items():
        if site.call is None or site.role == "result":
            defines = _with_typedef(defines, site.typedef, text)
            continue
        parameters = _in_struct(parameters, source.calls[site.call].config, site.typedef, text)
        array = array_of(source, site)
        if array in declared:
            declared[array] = text
    if version.softmax:
        parameters = _IMPLEMENTATION.sub(rf"\g<1>{version.softmax}", parameters)
    kept = [_body(path) for path in _weight_headers(source) if path.stem not in arrays]
    lines = [f"{declared[name]} {name}[{arrays[name].size}];" for name in arrays]
    loads = [f"for (int i = 0; i < {arrays[name].size}; i++) {name}[i] = {numbers[name]}_qap[i];" for name in arrays]
    load = (
        "static bool loaded_weights = false;\nif (!loaded_weights) {\n"
        + "\n".join(loads)
        + "\nloaded_weights = true; }"
    )
    return "\n".join([defines, *lines, *kept, parameters, _with_loading(source, cpp, load)])


def _files(source: HlsSource) -> tuple[str, str, str]:
    return "defines.h", "parameters.h", f"{source.name}.cpp"


def _with_loading(source: HlsSource, cpp: str, load: str) -> str:
    cpp = _LOADING.sub("", with_traces(source, cpp))
    start = cpp.index("{", cpp.index(f"{source.name}("))
    return f"{cpp[: start + 1]}\n{load}\n{cpp[start + 1 :]}"


def _weight_headers(source: HlsSource) -> list[Path]:
    included = [found[1] for found in INCLUDE.finditer(_text(source.firmware / "parameters.h"))]
    return [source.firmware / name for name in included if name.startswith("weights/")]


def _body(path: Path) -> str:
    """A file without its includes, its include guard and its namespace."""
    text = INCLUDE.sub("", _text(path))
    if path.suffix == ".h" and _GUARD.search(text):
        text = _GUARD.sub("", text, count=2)
        end = text.rindex("#endif")
        text = text[:end] + text[end + len("#endif") :]
    if NAMESPACE.search(text):
        text = NAMESPACE.sub("", text, count=1)
        end = text.rindex("}")
        text = text[:end] + text[end + 1 :]
    return text


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _declared_type(source: HlsSource, name: str) -> str:
    header = _text(source.firmware / "weights" / f"{name}.h")
    found = re.search(rf"^[ \t]*(?:static\s+|const\s+)*([\w:<>, ]+?)\s+{name}\[", header, re.M)
    return found[1] if found else "model_default_t"


def _with_typedef(text: str, name: str, new: str) -> str:
    """A typedef with another type; a stream keeps its array around it."""
    pattern = re.compile(rf"^([ \t]*typedef\s+)(nnet::array<)?(.+?)(,\s*[^,<>]+>)?(\s+{name}\s*;)", re.M)

    def replaced(found: re.Match[str]) -> str:
        if found[2]:
            return f"{found[1]}{found[2]}{new}{found[4]}{found[5]}"
        return f"{found[1]}{new}{found[5]}"

    return pattern.sub(replaced, text)


def _in_struct(text: str, struct: str, name: str, new: str) -> str:
    """A struct's typedef with another type; a product of two-bit weights becomes a plain one."""
    found = re.search(rf"^struct {struct} .*?^\}};", text, re.M | re.S)
    if found is None:
        return text
    body = _with_typedef(found[0], name, new)
    if name == "weight_t":
        body = _PRODUCT.sub("nnet::product::mult<", body)
    return text[: found.start()] + body + text[found.end() :]


def _numbers(values: FloatArray) -> str:
    return ", ".join(repr(float(value)) for value in values.ravel())
