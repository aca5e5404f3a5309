"""What the generated RTL will take, without running synthesis.

Small networks are really built and pipelined, and the cells of the circuit counted: latency is exact and flip-flops
nearly so. Large ones take seconds to build, so their LUTs come from a law of their weights, and nothing else does.
"""

from __future__ import annotations

from qap.errors import ToolMissing
from qap.hardware.circuit import lower_network
from qap.hardware.circuit.cells import count_cells
from qap.hardware.circuit.stages import StageDepth, pipeline_for
from qap.hardware.devices import find_part
from qap.hardware.estimate.result import Estimate, StageEstimate
from qap.hardware.resources import ResourceReport
from qap.hardware.rtl.size import law_luts, nonzero_digits
from qap.network import IntegerNetwork, simplify
from qap.recipe import TargetRecipe

BUILT_DIGITS = 2_500
"""Networks of more signed digits than this are not built: each thousand takes some tenths of a second."""

CIRCUIT_SPREAD = {"lut": (0.88, 1.14), "ff": (0.94, 1.01)}
LAW_SPREAD = {"lut": (0.89, 1.18)}
"""Between these shares of the estimate 80 % of 20 networks fell that Yosys synthesized and nothing was fitted to."""


def registered_rtl(network: IntegerNetwork, target: TargetRecipe) -> Estimate:
    """What the RTL of a network takes, as Yosys would count it for Xilinx; the estimator `rtl`.

    Args:
        network: any integer network.
        target: its part and clock are repeated in the report.
    """
    report = estimate_rtl(network, target)
    built = report.latency_cycles is not None
    ends = {
        amount: (round(low * middle), round(high * middle))
        for amount, (low, high) in (CIRCUIT_SPREAD if built else LAW_SPREAD).items()
        if (middle := getattr(report, amount)) is not None
    }
    low, high = ({amount: pair[end] for amount, pair in ends.items()} for end in (0, 1))
    notes = ["a circuit was built and its cells counted" if built else "not built: LUTs by a law of the weights"]
    if (unknown := find_part(target.part).unknown_share) is not None:
        notes.append(unknown)
    return Estimate("rtl", {"yosys": StageEstimate(report, low, high)}, notes=tuple(notes))


def estimate_rtl(
    network: IntegerNetwork,
    target: TargetRecipe | None = None,
    *,
    stage_depth: StageDepth = "auto",
    build: bool | None = None,
) -> ResourceReport:
    """Estimate what the core of `write_rtl` takes on Xilinx devices.

    Args:
        network: any integer network; it is simplified here.
        target: its part and clock are repeated in the report; None is any 7-series device.
        stage_depth: as in `RtlOptions`; the law does not ask for it.
        build: whether the circuit is built; None builds it where that takes less than about a second and da4ml is
            installed.

    Returns:
        The report; `tool` says whether a circuit was counted or the law was asked, which knows LUTs alone.

    Raises:
        QapError: the depth is below 1.
        ToolMissing: the circuit must be built and da4ml is not installed.
    """
    smaller = simplify(network).network
    if build or (build is None and nonzero_digits(smaller) <= BUILT_DIGITS):
        try:
            return _counted(smaller, target, stage_depth)
        except ToolMissing:
            if build:
                raise
    return _report(target, "qap's law of RTL", law_luts(smaller))


def _counted(network: IntegerNetwork, target: TargetRecipe | None, stage_depth: StageDepth) -> ResourceReport:
    circuit = lower_network(network)
    clock_ns = target.clock_ns if target else TargetRecipe().clock_ns
    pipeline = pipeline_for(circuit, stage_depth, "xc7", clock_ns)
    cells = count_cells(circuit, pipeline)
    return _report(target, "qap's circuit of RTL", cells.lut, cells.ff, cells.shift, pipeline.latency)


def _report(
    target: TargetRecipe | None,
    tool: str,
    lut: int,
    ff: int | None = None,
    shift: int | None = None,
    latency: int | None = None,
) -> ResourceReport:
    return ResourceReport(
        source="estimate",
        tool=tool,
        part=target.part if target else "xc7",
        design="classifier",
        lut=lut,
        lut_shift=shift,
        lut_memory=0,
        ff=ff,
        dsp=0,
        bram18=0,
        uram=0,
        latency_cycles=latency,
        ii_cycles=1,
        clock_ns=target.clock_ns if target else None,
    )
