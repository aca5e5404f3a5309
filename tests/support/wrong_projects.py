"""hls4ml projects of small models, each wrong in one known way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from support.hls4ml_projects import edit, small_network, write_project

from qap.explore.diagnosis import UserModel
from qap.explore.diagnosis.configured import write_of_configuration
from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, save_network

SAMPLES = 400


class Wrong(NamedTuple):
    """A project that is wrong.

    Args:
        cause: the kind that must be named first.
        place: the layer and type.
        make: writes the project.
        over_255: whether the data are bytes divided by 255.
        normalized: whether the model is a Keras one with BatchNormalization, in the place of an integer network.
    """

    cause: str
    place: str
    make: Callable[[IntegerNetwork, Path], object]
    over_255: bool = False
    normalized: bool = False


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


def _scales_dropped(network: IntegerNetwork, folder: Path) -> None:
    """Of every neuron a factor of its own is missing, as where `alpha="auto"` was not exported."""
    layer = network.weighted[1]
    factors = np.array([0.37, 0.61, 0.82, 1.21, 0.5])
    kernel = layer.weight_format.to_float(layer.weight) / factors
    write_project(network, folder, {layer.name: {"weight": "ap_fixed<24,6>"}}, kernels={layer.name: kernel})


def _never_quantized(network: IntegerNetwork, folder: Path) -> None:
    """Kernels as a training has them, which their quantizer rounds to the model's."""
    layer = network.weighted[1]
    form = layer.weight_format
    beside = np.random.default_rng(7).uniform(-0.49, 0.49, layer.weight.shape) * form.lsb
    kernel = np.clip(form.to_float(layer.weight) + beside, form.min_int * form.lsb, form.max_int * form.lsb)
    write_project(network, folder, {layer.name: {"weight": "ap_fixed<16,6>"}}, kernels={layer.name: kernel})


def _without_relu(network: IntegerNetwork, folder: Path) -> None:
    write_project(network, folder, {"fc1_relu": {"result": "ap_fixed<6,3,AP_RND_CONV,AP_SAT>"}})
    edit(
        folder,
        "myproject.cpp",
        "nnet::relu<layer4_t, layer5_t, relu_config5>",
        "nnet::linear<layer4_t, layer5_t, relu_config5>",
    )


def _normalization_narrow(network: IntegerNetwork, folder: Path) -> None:
    """Every type wide or the model's, but for the scale of the normalization."""
    wide = "ap_fixed<40,12>"
    precision = {
        "x": {"result": "ap_ufixed<8,0>"},
        "fc0": {"accum": wide, "result": wide},
        "norm0": {"scale": "ap_fixed<6,3>", "bias": wide, "accum": wide, "result": wide},
        "fc0_relu": {"result": "ap_ufixed<5,2,AP_RND_CONV,AP_SAT>"},
        "fc1": {"accum": wide, "result": wide},
    }
    layers = {name: {"Precision": roles} for name, roles in precision.items()}
    content = {"HLSConfig": {"Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1}, "LayerName": layers}}
    configuration = folder.with_suffix(".yml")
    configuration.write_text(json.dumps(content))
    write_of_configuration(UserModel(folder.with_name(MODEL)), configuration, folder)


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
    "scales": Wrong("scales-dropped", "fc1.weight", _scales_dropped),
    "float-weights": Wrong("weights-never-quantized", "fc1.weight", _never_quantized),
    "activation": Wrong("other-activation", "fc1_relu", _without_relu),
    "normalization": Wrong("narrow-normalization", "norm0.scale", _normalization_narrow, normalized=True),
}
"""Name -> the project."""

MODEL = "model.keras"


def prepare(folder: Path, wrong: Wrong) -> tuple[Path, Path, str]:
    """The model's file, the project's folder and the data's source of one of them."""
    if wrong.normalized:
        path = folder / MODEL
        _save_normalized(path)
        network = UserModel(path).network(FixedPoint.parse("ap_ufixed<8,0>"))
    else:
        path, network = folder / "network.npz", small_network()
        save_network(network, path)
    wrong.make(network, folder / "hls")
    return path, folder / "hls", f"npz:{_data(network, folder, wrong.over_255)}"


def _save_normalized(path: Path) -> None:
    """16-8-3 of QKeras with a normalization that has statistics of its own."""
    import keras
    import qkeras

    rng = np.random.default_rng(15)
    quantizer = "quantized_bits(5, 0, alpha=1)"
    model = keras.Sequential(
        [
            keras.Input((16,), name="x"),
            qkeras.QDense(8, kernel_quantizer=quantizer, bias_quantizer=quantizer, name="fc0"),
            keras.layers.BatchNormalization(name="norm0"),
            qkeras.QActivation("quantized_relu(5, 2)", name="fc0_relu"),
            qkeras.QDense(3, kernel_quantizer=quantizer, bias_quantizer=quantizer, name="fc1"),
        ]
    )
    for layer in model.layers:
        layer.set_weights([rng.uniform(-1, 1, weight.shape) for weight in layer.get_weights()])
    model.get_layer("norm0").set_weights(
        [rng.uniform(0.5, 1.9, 8), rng.uniform(-1, 1, 8), rng.uniform(-1, 1, 8), rng.uniform(0.3, 2, 8)]
    )
    model.save(path)


def _data(network: IntegerNetwork, folder: Path, over_255: bool) -> Path:
    pixels = np.random.default_rng(1).integers(0, 256, (SAMPLES, network.n_in))
    y = network.classify(pixels)
    x: npt.NDArray[np.generic] = pixels / 255 if over_255 else pixels.astype(np.uint8)
    np.savez(folder / "data.npz", x=x[:60], y=y[:60], x_test=x[60:], y_test=y[60:])
    return folder / "data.npz"
