"""What is said where no measured design is like a choice."""

from __future__ import annotations

import pytest
from support.estimate_cases import network

from qap.hardware.estimate.constants import Measured, constants
from qap.hardware.estimate.evidence import missing_evidence
from qap.recipe import TargetRecipe

ZYNQ, ALVEO = "xc7z020clg400-1", "xcu250-figd2104-2L-e"
LATENCY = "no measured design of the latency strategy has "
RESOURCE = "no measured design of the resource strategy has "


@pytest.mark.parametrize(
    ("part", "strategy", "factor", "bits", "message"),
    [
        (ZYNQ, "latency", 2, 8, None),
        (ALVEO, "latency", 1, 7, None),
        (ALVEO, "resource", 1024, 4, None),
        ("xcku060", "resource", 1024, 4, None),
        (ALVEO, "distributed_arithmetic", 1, 8, "no measured design has the distributed_arithmetic strategy"),
        (ZYNQ, "latency", 4, 8,
         LATENCY + "reuse factor 4; the nearest has a part of the 7 series, reuse factor 2, weights of 8 bits"),
        (ALVEO, "latency", 1, 5,
         LATENCY + "weights of 5 bits; the nearest has a part of UltraScale+, reuse factor 1, weights of 6 bits"),
        (ALVEO, "resource", 16, 8,
         RESOURCE + "reuse factor 16; the nearest has a part of UltraScale+, reuse factor 384, weights of 8 bits"),
        (ZYNQ, "resource", 600, 5,
         RESOURCE + "a part of the 7 series or reuse factor 600 or weights of 5 bits; the nearest has a part of "
         "UltraScale+, reuse factor 576, weights of 4 bits"),
        (ZYNQ, "latency", 1, 1,
         LATENCY + "all of a part of the 7 series, reuse factor 1, weights of 1 bit; the nearest has a part of the 7 "
         "series, reuse factor 1, weights of 8 bits"),
    ],
)  # fmt: skip
def test_what_no_measured_design_has_is_said_with_the_nearest(
    part: str, strategy: str, factor: int, bits: int, message: str | None
) -> None:
    target = TargetRecipe.model_validate({"part": part, "strategy": strategy, "reuse_factor": factor})
    assert missing_evidence(network(bits=bits), target) == message


def test_the_measured_designs_of_the_package_are_few_and_known() -> None:
    measured = constants().measured
    assert len(measured) == len(set(measured)) == 89
    assert {each.strategy for each in measured} == {"latency", "resource"}
    assert {each.reuse_factor for each in measured if each.family == "xc7"} == {1, 2, 8, 16, 64, 100}
    assert Measured("xcup", "resource", 1280, 14) in measured
    assert constants().to_json()["measured"]["xc7"]["latency"] == {
        "1": [8, 16], "2": [8], "8": [16], "16": [16], "64": [6], "100": [8],
    }  # fmt: skip
