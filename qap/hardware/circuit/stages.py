"""The pipeline that meets a clock: how deep a stage may be, and which pipeline is taken."""

from __future__ import annotations

from typing import Literal, NamedTuple

from qap.hardware.circuit.builder import Circuit
from qap.hardware.circuit.pipeline import Pipeline, fastest_pipeline, pipelined
from qap.hardware.circuit.retiming import retimed
from qap.hardware.devices import Family

StageDepth = int | Literal["auto", "fastest"]


class Timing(NamedTuple):
    """What a stage takes on a family: `register_ns + levels * level_ns`, the wires between the LUTs included."""

    register_ns: float
    level_ns: float

    def levels(self, clock_ns: float) -> float:
        """The levels of LUTs that fit a clock period, at least 1."""
        return max(1.0, (clock_ns - self.register_ns) / self.level_ns)


TIMINGS: dict[Family, Timing] = {
    "xc7": Timing(0.4, 0.72), "xcup": Timing(0.2, 0.36), "ecp5": Timing(4.0, 0.8), "ice40": Timing(4.0, 1.2),
}  # fmt: skip
"""ECP5 is fitted to nextpnr, the others are not measured on placed designs. 7 series: Project X-Ray's delays of Artix-7
as Yosys has them, a flip-flop of 0.30 ns and a LUT6 of 0.13 to 0.64 ns, 0.42 ns in the mean of its pins; 0.3 ns for a
wire and 0.1 ns for the clock are assumed. UltraScale+, of which nothing open is known, is taken as twice as fast.
iCE40's are ECP5's with slower wires."""


def pipeline_for(
    circuit: Circuit, stage_depth: StageDepth, family: Family, clock_ns: float, lut_budget: int | None = None
) -> Pipeline:
    """The pipeline that was asked for.

    Args:
        circuit: the circuit.
        stage_depth: levels of LUTs in a stage; "auto" takes as many as the clock allows. Both have the fewest cycles of
            that depth, and of those the fewest registers; "fastest" has the shortest stages within the budget.
        family: whose delays "auto" takes.
        clock_ns: the clock period that "auto" meets, where no single operation takes longer.
        lut_budget: for "fastest", as in `fastest_pipeline`.

    Raises:
        QapError: the depth is below 1.
        ToolMissing: scipy is not installed.
    """
    if stage_depth == "fastest":
        return fastest_pipeline(circuit, lut_budget)
    depth = TIMINGS[family].levels(clock_ns) if stage_depth == "auto" else stage_depth
    return retimed(circuit, pipelined(circuit, depth))
