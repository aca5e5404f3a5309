"""Ten hls4ml projects of one small network that are wrong in ten known ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from support.hls4ml_projects import edit, small_network, write_project

from qap.network import IntegerNetwork, save_network

SAMPLES = 400


class Wrong(NamedTuple):
    """A project that is wrong.

    Args:
        cause: the kind that must be named first.
        place: the layer and type.
        make: writes the project.
        over_255: whether the data are bytes divided by 255.
    """

    cause: str
    place: str
    make: Callable[[IntegerNetwork, Path], object]
    over_255: bool = False


def _text_edited(network: IntegerNetwork, folder: Path) -> None:
    write_project(network, folder)
    _change_second_number(folder / "firmware" / "weights" / "w4.txt")


def _both_edited(network: IntegerNetwork, folder: Path) -> None:
    write_project(network, folder)
    for suffix in ("txt", "h"):
        _change_second_number(folder / "firmware" / "weights" / f"w4.{suffix}")


def _change_second_number(path: Path) -> None:
    """Another second weight, between two neurons that are not silent."""
    text = path.read_text()
    start = text.index(",", text.index("{") if path.suffix == ".h" else 0) + 1
    end = text.index(",", start)
    path.write_text(f"{text[:start]}{'-0.5' if float(text[start:end]) > 0 else '0.5'}{text[end:]}")


def _reuse_ignored(network: IntegerNetwork, folder: Path) -> None:
    write_project(network, folder, strategy="resource", reuse_factor=4)
    edit(folder, "parameters.h", "reuse_factor = 4", "reuse_factor = 1")


WRONG: dict[str, Wrong] = {
    "accumulator": Wrong(
        "narrow-accumulator", "fc1.accumulator", lambda n, f: write_project(n, f, {"fc1": {"accum": "ap_fixed<10,3>"}})
    ),
    "truncated": Wrong(
        "rounds-otherwise",
        "fc1_relu.result",
        lambda n, f: write_project(n, f, {"fc1_relu": {"result": "ap_ufixed<5,2,AP_TRN,AP_SAT>"}}),
    ),
    "over-255": Wrong("inputs-off-the-grid", "x.input", lambda n, f: write_project(n, f), over_255=True),
    "wrapped-weights": Wrong(
        "wrapped-weights", "fc0.weight", lambda n, f: write_project(n, f, {"fc0": {"weight": "ap_fixed<4,0>"}})
    ),
    "softmax": Wrong("softmax-tables", "softmax", lambda n, f: write_project(n, f, softmax="latency")),
    "text": Wrong("text-weights", "fc1.weight", _text_edited),
    "header": Wrong("wrong-weights", "fc1.weight", _both_edited),
    "reuse-factor": Wrong("reuse-factor-or-strategy", "fc0", _reuse_ignored),
    "wraps": Wrong(
        "wraps-instead-of-saturating",
        "fc1_relu.result",
        lambda n, f: write_project(n, f, {"fc1_relu": {"result": "ap_ufixed<5,2,AP_RND_CONV,AP_WRAP>"}}),
    ),
    "bias": Wrong("narrow-bias", "fc2.bias", lambda n, f: write_project(n, f, {"fc2": {"bias": "ap_fixed<4,1>"}})),
    "result": Wrong(
        "narrow-result", "fc1.result", lambda n, f: write_project(n, f, {"fc1": {"result": "ap_fixed<9,4>"}})
    ),
    "input": Wrong(
        "input-too-narrow", "x.input", lambda n, f: write_project(n, f, {"x": {"result": "ap_ufixed<5,0>"}})
    ),
}
"""Name -> the project; a dozen."""


def prepare(folder: Path, wrong: Wrong) -> tuple[Path, Path, str]:
    """The model's file, the project's folder and the data's source of one of them."""
    network = small_network()
    save_network(network, folder / "network.npz")
    wrong.make(network, folder / "hls")
    return folder / "network.npz", folder / "hls", f"npz:{_data(network, folder, wrong.over_255)}"


def _data(network: IntegerNetwork, folder: Path, over_255: bool) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (SAMPLES, network.n_in))
    y = network.classify(pixels)
    x: npt.NDArray[np.generic] = pixels / 255 if over_255 else pixels.astype(np.uint8)
    np.savez(folder / "data.npz", x=x[:60], y=y[:60], x_test=x[60:], y_test=y[60:])
    return folder / "data.npz"
