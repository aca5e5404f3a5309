"""Operations and energy of each layer, against what QKeras itself prints and computes."""

import re

import numpy as np
import pytest
from support.needs import needs

needs("qkeras")

import keras
import qkeras
from qkeras.qtools import run_qtools

from qap.fixed import FixedPoint
from qap.freezing import freeze
from qap.hardware.estimate.stats import MIN_SRAM_BITS, network_stats

MODELS = [
    ("quantized_bits(4,0,alpha=1)", "quantized_relu(5,2)", "ternary(alpha=1)"),
    ("binary(alpha=1)", "quantized_bits(5,2,alpha=1)", "quantized_bits(6,1,alpha=1)"),
]


def build(first, activation, second):
    """A model whose weights reach all bits of their formats."""
    x = inputs = keras.layers.Input((6,))
    bias = "quantized_bits(4,0,alpha=1)"
    x = qkeras.QDense(4, kernel_quantizer=first, bias_quantizer=bias, name="first")(x)
    x = qkeras.QActivation(activation, name="between")(x)
    x = qkeras.QDense(3, kernel_quantizer=second, bias_quantizer=bias, name="second")(x)
    model = keras.Model(inputs, x)
    random = np.random.default_rng(0)
    for layer in model.layers:
        arrays = [random.uniform(-1, 1, array.shape) for array in layer.get_weights()]
        for array in arrays:
            array.flat[0], array.flat[1] = 0.99, -0.125  # the highest and the lowest bit
        layer.set_weights(arrays)
    return model


@pytest.fixture(scope="module", params=MODELS, ids=["ternary", "binary"])
def model(request):
    return build(*request.param)


@pytest.fixture(scope="module")
def stats(model):
    return {layer.name: layer for layer in network_stats(freeze(model, FixedPoint(True, 8, 1)))}


def test_operations_and_bits_are_those_of_print_qstats(model, stats, capsys):
    qkeras.print_qstats(model)
    printed = capsys.readouterr().out
    for name, layer in stats.items():
        assert re.search(rf"{name}\s+: {layer.operations}\s+\({layer.operation}\)", printed)
        assert re.search(rf"{name}_weights\s.*\({layer.weight_bits}-bit unit\)", printed)
        assert re.search(rf"{name}_bias\s+: {layer.biases}\s+\({layer.bias_bits}-bit unit\)", printed)
        assert re.search(rf"{name}\s+: {layer.sparsity:.4f}", printed)
    total = int(re.search(r"Total Bits\s+:\s+(\d+)", printed)[1])
    assert total == sum(layer.parameter_bits for layer in stats.values())


def test_energy_is_that_of_qtools(model, stats):
    tools = run_qtools.QTools(
        model, process="horowitz", source_quantizers=[qkeras.quantized_bits(8, 0, 1)], is_inference=False,
        weights_path=None, keras_quantizer="fp32", keras_accumulator="fp32", for_reference=False,
    )  # fmt: skip
    energy = tools.pe("sram", "sram", min_sram_size=MIN_SRAM_BITS, rd_wr_on_io=False)
    for name, layer in stats.items():
        theirs = energy[name]["energy"]
        for part in ("inputs", "parameters", "op_cost"):
            assert layer.energy_pj[part] == pytest.approx(theirs[part], abs=0.006)
        assert layer.accumulator_bits == tools._output_dict[name]["accumulator"]["bits"]
    assert stats["first"].energy_pj["outputs"] == pytest.approx(energy["between"]["energy"]["outputs"], abs=0.006)


def test_one_bit_more_costs_more(stats):
    wider = {layer.name: layer for layer in network_stats(freeze(build(*MODELS[1]), FixedPoint(True, 9, 1)))}
    narrow = {layer.name: layer for layer in network_stats(freeze(build(*MODELS[1]), FixedPoint(True, 8, 1)))}
    assert wider["first"].energy_pj["op_cost"] > narrow["first"].energy_pj["op_cost"]
    assert wider["first"].accumulator_bits == narrow["first"].accumulator_bits + 1
