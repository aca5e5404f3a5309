from __future__ import annotations

import itertools

import numpy as np
import pytest
from support.estimate_cases import network as estimate_network
from support.needs import needs

from qap.errors import RecipeError
from qap.fixed import FixedPoint
from qap.hardware.devices import COUNTED, DEVICES
from qap.hardware.estimate import ESTIMATORS
from qap.hardware.estimate.choice import choose
from qap.hardware.estimate.reuse import built_reuse_factors, legal_reuse_factors
from qap.hardware.resources import ResourceReport
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.recipe import TargetRecipe


def network(*shape: int) -> IntegerNetwork:
    form, rng = FixedPoint.parse("fixed<4,2>"), np.random.default_rng(0)
    specs = [
        LayerSpec(f"layer{index}", rng.integers(-7, 8, (n_in, n_out)), form, np.zeros(n_out, np.int64), form,
                  "relu", FixedPoint.parse("ufixed<4,2,RND_CONV,SAT>"))
        for index, (n_in, n_out) in enumerate(itertools.pairwise(shape))
    ]  # fmt: skip
    return connect(FixedPoint.parse("ufixed<4,0>"), specs, [str(index) for index in range(max(2, shape[-1]))])


def estimated(_: IntegerNetwork, target: TargetRecipe) -> ResourceReport:
    """60,000 LUT in parallel, shared by the reuse factor; the resource strategy costs a little and takes memory."""
    lut = {"latency": 60_000, "resource": 61_000, "distributed_arithmetic": 70_000}[target.strategy]
    bram = 8 if target.strategy == "resource" else 0
    return ResourceReport(
        "estimate", "test", target.part, lut=lut // target.reuse_factor, ff=1_000, dsp=0, bram18=bram, uram=0,
        latency_cycles=target.reuse_factor, ii_cycles=target.reuse_factor,
    )  # fmt: skip


def test_legal_and_built_factors_are_those_of_hls4ml() -> None:
    needs("hls4ml")

    import hls4ml

    backend = hls4ml.backends.get_backend("Vitis")
    shapes = ((16, 64), (64, 10), (7, 10), (10, 2), (784, 5), (1, 1), (12, 18))
    for n_in, n_out in shapes:
        assert legal_reuse_factors(n_in, n_out) == backend.get_valid_reuse_factors(n_in, n_out)
    valid = [backend.get_valid_reuse_factors(n_in, n_out) for n_in, n_out in ((12, 18), (18, 4))]
    for factor in valid[0]:
        target = TargetRecipe(strategy="resource", reuse_factor=factor)
        nearest = [backend.get_closest_reuse_factor(each, factor) for each in valid]
        assert list(built_reuse_factors(network(12, 18, 4), target)) == nearest


def test_the_smallest_factor_that_fits_is_taken() -> None:
    found = choose(network(16, 8), TargetRecipe(), DEVICES["xc7z020"], estimated)
    assert found.chosen is not None
    assert (found.chosen.strategy, found.chosen.reuse_factor) == ("latency", 2)
    assert found.chosen == next(choice for part, choice in found.parts.items() if part == "xc7z020")
    assert found.chosen.utilisation(DEVICES["xc7z020"]) == {
        "lut": 30_000 / 53_200, "ff": 1_000 / 106_400, "dsp": 0, "bram18": 0, "uram": None,
    }  # fmt: skip
    small, large = found.parts["xc7a35t"], found.parts["xcvu13p"]
    assert small is not None and small.reuse_factor == 4
    assert large is not None and large.reuse_factor == 1 and large.strategy == "latency"
    assert "LFE5U-85F" not in found.parts and "iCE40HX8K" not in found.parts


def test_where_nothing_fits_the_nearest_is_told() -> None:
    def greedy(network: IntegerNetwork, target: TargetRecipe) -> ResourceReport:
        return ResourceReport("estimate", "test", target.part, lut=100_000 // target.reuse_factor, uram=1)

    found = choose(network(4, 2), TargetRecipe(), DEVICES["xc7z020"], greedy)
    assert found.chosen is None and found.parts["xc7z020"] is None and found.parts["xcu50"] is not None
    assert found.missing(DEVICES["xc7z020"])[-1] == "1 URAM of 0 (but has none)"

    def huge(network: IntegerNetwork, target: TargetRecipe) -> ResourceReport:
        return ResourceReport("estimate", "test", target.part, lut=10_000_000 // target.reuse_factor)

    found = choose(network(4, 2), TargetRecipe(), DEVICES["xc7z020"], huge)
    assert found.chosen is None and found.least.reuse_factor == 8
    assert found.missing(DEVICES["xc7z020"]) == ["1,250,000 LUT of 53,200 (23.5 times as many)"]
    assert set(found.parts.values()) != {None}


def really(network: IntegerNetwork, target: TargetRecipe) -> ResourceReport:
    return ESTIMATORS["hls4ml"](network, target).stages["vivado_synth"].report


@pytest.mark.parametrize(("part", "strategy", "factor"), [("xc7z007s", "resource", 8), ("xc7z020", None, 1)])
def test_the_choice_of_the_real_estimator_is_the_smallest_factor_that_fits(
    part: str, strategy: str | None, factor: int
) -> None:
    net, device = estimate_network(bits=16, sizes=(32, 16, 5)), DEVICES[part]
    found = choose(net, TargetRecipe(part=part), device, really)
    assert found.chosen is not None and found.chosen.reuse_factor == factor
    assert strategy in (None, found.chosen.strategy)
    fullest = {}
    for other in ("latency", "resource", "distributed_arithmetic"):
        for each in (1, 2, 4, 8):
            if each > 1 and other == "distributed_arithmetic":
                continue
            try:
                report = really(net, TargetRecipe(part=part, strategy=other, reuse_factor=each))
            except RecipeError:
                continue
            fits = all((getattr(report, kind) or 0) <= getattr(device, kind) for kind in COUNTED)
            shares = [getattr(report, kind) / getattr(device, kind) for kind in COUNTED if getattr(report, kind)]
            if fits:
                fullest[each, max(shares)] = other
    assert min(fullest)[0] == factor and fullest[min(fullest)] == found.chosen.strategy
    assert found.chosen.report == really(net, found.chosen.applied_to(TargetRecipe(part=part)))


def test_distributed_arithmetic_is_only_tried_in_parallel() -> None:
    tried: list[tuple[str, int]] = []

    def spy(network: IntegerNetwork, target: TargetRecipe) -> ResourceReport:
        tried.append((target.strategy, target.reuse_factor))
        return estimated(network, target)

    choose(network(4, 2), TargetRecipe(part="xc7z020"), DEVICES["xc7z020"], spy)
    assert ("distributed_arithmetic", 1) in tried
    assert not any(strategy == "distributed_arithmetic" and factor > 1 for strategy, factor in tried)
    assert {factor for _, factor in tried} == {1, 2, 4, 8}


def test_what_cannot_be_built_is_left_out() -> None:
    def picky(network: IntegerNetwork, target: TargetRecipe) -> ResourceReport:
        if target.reuse_factor == 2:
            raise RecipeError("reuse factor 2 does not divide")
        return estimated(network, target)

    found = choose(network(4, 2), TargetRecipe(part="xc7z020"), DEVICES["xc7z020"], picky)
    assert found.chosen is not None and found.chosen.reuse_factor == 4
    assert found.tried == 3 + 2 + 2
