"""Measured designs: which tool built them, what HLS keeps of the clock, and that no design estimates itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.estimate_cases import described, layer, network

from qap.hardware.estimate.constants import Constants, constants
from qap.hardware.estimate.description import UNCERTAINTY, Tool, describe
from qap.hardware.estimate.fitting import calibration, validation
from qap.hardware.estimate.fitting.calibration import Design
from qap.hardware.estimate.fitting.validation import cross_validate, with_spreads
from qap.hardware.estimate.hls4ml import spread_group
from qap.recipe import TargetRecipe


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("Vivado HLS 2018.3", "vivado_hls"), ("Vivado HLS 2019.2", "vivado_hls"), ("Vivado HLS 2020.1", "vivado_hls"),
        ("Vitis HLS 2020.2", "vitis_2021"), ("Vitis HLS 2021.1", "vitis_2021"), ("Vitis HLS 2021.2", "vitis_2021"),
        ("Vitis HLS 2022.1", "vitis"), ("Vitis HLS 2023.2", "vitis"), ("Vitis HLS 2024.1", "vitis"),
    ],
)  # fmt: skip
def test_releases_that_build_alike_are_one_tool(text: str, tool: Tool) -> None:
    assert calibration._tool(text) == tool
    assert set(UNCERTAINTY) == {"vivado_hls", "vitis_2021", "vitis"}


@pytest.mark.parametrize(
    ("backend", "share"), [("Vivado", 0.125), ("Vitis", 0.27)]
)  # hls4ml sets 12.5 % for Vivado HLS; 27 % is Vitis HLS' own (UG1399, config_compile and set_clock_uncertainty)
@pytest.mark.parametrize("clock_ns", [2.5, 5.0, 20.0])
def test_hls_keeps_a_share_of_the_clock(backend: Any, share: float, clock_ns: float) -> None:
    net = network()
    found = describe(net, TargetRecipe(backend=backend, clock_ns=clock_ns), [1] * len(net.layers))
    assert found.uncertainty_ns == pytest.approx(share * clock_ns)
    assert found.usable_ns == pytest.approx((1 - share) * clock_ns)


@pytest.mark.parametrize("given", [None, 0.0, 0.9])
def test_a_measured_design_has_the_uncertainty_that_it_says_or_that_of_its_tool(given: float | None) -> None:
    row = {
        "id": "a", "source": "someone@1", "tool": "Vitis HLS 2021.2", "part": "xc7z020", "clock_ns": 8.0,
        "clock_uncertainty_ns": given, "io_type": "io_parallel", "layers": [], "csynth": None, "vivado": None,
        "per_layer_csynth": None, "flags": [],
    }  # fmt: skip
    design = calibration._design(row, {})
    assert design.network.uncertainty_ns == (1.0 if given is None else given)
    assert (design.network.tool, design.source) == ("vitis_2021", "someone")


def design(name: str, source: str, *, strategy: str = "latency", reuse_factor: int = 1, n_in: int = 8) -> Design:
    weight = np.random.default_rng(len(name)).integers(-30, 30, (n_in, 4))
    shape = described(layer(weight, strategy=strategy, reuse_factor=reuse_factor))
    return Design(name, source, shape, {"lut": 100.0, "ff": 50.0}, {}, {}, frozenset())


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Constants that say which designs they were fitted to, where a prediction keeps them."""

    def fitted(designs: Sequence[Design], delays: object = None) -> Constants:
        return replace(constants(), vivado={each.name: 1.0 for each in designs})

    monkeypatch.setattr(validation, "fit_constants", fitted)


@pytest.mark.usefixtures("seen")
def test_no_design_is_estimated_by_constants_that_saw_its_source() -> None:
    designs = [design(f"{source}{index}", source) for source in "abc" for index in range(3)]
    predictions = cross_validate(designs, lambda source: None)
    assert sorted(each.design.name for each in predictions) == sorted(each.name for each in designs)
    for each in predictions:
        assert set(each.vivado) == {other.name for other in designs if other.source != each.design.source}


@pytest.mark.usefixtures("seen")
def test_a_strategy_of_one_source_is_left_out_by_shape() -> None:
    lonely = [
        design(f"r{n_in}-{index}", "a", strategy="resource", reuse_factor=n_in, n_in=n_in)
        for n_in in (8, 32, 64, 96, 128)
        for index in range(2)
    ]
    designs = [*lonely, design("a", "a"), design("b", "b"), design("c", "c")]
    predictions = cross_validate(designs, lambda source: None)
    assert sorted(each.design.name for each in predictions) == sorted(each.name for each in designs)
    for each in predictions:
        assert each.design.name not in each.vivado
        if spread_group(each.design.network) == "resource":
            same = {
                other.name for other in lonely if other.network.layers[0].n_in == each.design.network.layers[0].n_in
            }
            assert not same & set(each.vivado) and {"b", "c"} <= set(each.vivado) and "a" not in each.vivado
            assert set(each.vivado) & {other.name for other in lonely}, "its own source teaches by other shapes"
        else:
            assert not any(other.source == each.design.source and other.name in each.vivado for other in designs)


def test_an_interval_holds_80_percent_of_designs_that_it_was_not_made_from() -> None:
    """Half of a thousand designs whose measured amounts scatter make the interval, the other half are counted."""
    random = np.random.default_rng(0)
    shape = design("shape", "a")
    amounts = validation.estimate_design(shape, constants())

    def measured(index: int) -> validation.Prediction:
        lut, cycles = amounts.lut * np.exp(0.3 * random.standard_normal()), amounts.latency_cycles + random.normal(0, 9)
        found = replace(shape, source="ab"[index % 2], csynth={"lut": lut, "latency_cycles": cycles})
        return validation.Prediction(found, amounts, {})

    predictions = [measured(index) for index in range(1_000)]
    spreads = with_spreads(constants(), predictions[:500]).spreads["latency"]
    lut, cycles = spreads["lut"], spreads["latency_cycles"]
    rest = [each.design.csynth for each in predictions[500:]]
    shares = (
        np.mean([lut.low <= each["lut"] / amounts.lut <= lut.high for each in rest]),
        np.mean([cycles.low <= each["latency_cycles"] - amounts.latency_cycles <= cycles.high for each in rest]),
    )
    assert shares == pytest.approx((0.8, 0.8), abs=0.05)


def test_the_benchmark_fails_without_its_designs(tmp_path: Path) -> None:
    """A run that measured nothing must not look like one that did."""
    script = Path(__file__).parents[3] / "benchmarks" / "estimator.py"
    command = [sys.executable, str(script), str(tmp_path / "none"), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("nothing is measured: no calibration set in ") and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
