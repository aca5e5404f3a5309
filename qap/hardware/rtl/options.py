"""What can be chosen of an RTL project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qap.errors import QapError
from qap.hardware.circuit.stages import StageDepth
from qap.hardware.devices import Family, hls_part
from qap.hardware.rtl.names import checked_name
from qap.recipe import Recipe, RtlRecipe

Interface = Literal["parallel", "axis"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RtlOptions:
    """How a network becomes Verilog.

    Args:
        stage_depth: levels of LUTs between two registers; "auto" meets the clock with few registers and cycles,
            "fastest" has the shortest stages within `lut_budget`.
        interface: "parallel" for the core alone, "axis" for an AXI4-Stream top around it.
        axis_width: bits of tdata: 8, 16, 32 or 64.
        clock_ns: the clock period of the constraints, and the one that "auto" meets.
        part: the part of `build_vivado.tcl`, or a board.
        family: what the core is written for: xc7, xcup, ecp5 or ice40; other families can synthesize it, too.
        name: of the core's module.
        lut_budget: estimated LUTs that "fastest" may use; None allows 10 % more than the least possible.
        any_size: go on although full unrolling looks hopeless.

    Raises:
        QapError: the name, the interface, the clock or the part is not possible.
    """

    stage_depth: StageDepth = "auto"
    interface: Interface = "axis"
    axis_width: int = 32
    clock_ns: float = 5.0
    part: str = "xc7z020clg400-1"
    family: Family = "xc7"
    name: str = "classifier"
    lut_budget: int | None = None
    any_size: bool = False

    def __post_init__(self) -> None:
        checked_name(self.name)
        hls_part(self.part)
        if self.interface not in ("parallel", "axis"):
            raise QapError(f'interface must be "parallel" or "axis", but got {self.interface!r}')
        if not 0 < self.clock_ns < 1e6:
            raise QapError(f"clock_ns must be above 0, but got clock_ns={self.clock_ns}")


def rtl_options(recipe: Recipe) -> RtlOptions:
    """What a recipe says of its RTL; without a section `rtl`, that section's defaults."""
    rtl = recipe.rtl or RtlRecipe()
    return RtlOptions(
        stage_depth=rtl.stage_depth,
        interface=rtl.interface,
        axis_width=rtl.axis_width,
        clock_ns=recipe.target.clock_ns,
        part=recipe.target.part,
        family=rtl.target,
        any_size=rtl.any_size,
    )
