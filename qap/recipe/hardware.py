"""What the network becomes: the HLS project and the open RTL."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from qap.recipe.values import Part, PartName, Positive, PositiveFloat

Strategy = Literal["latency", "resource", "distributed_arithmetic"]


class TargetRecipe(Part):
    """The HLS project: tool, part, clock and how much is done in parallel."""

    backend: Literal["Vitis", "Vivado"] = "Vitis"
    part: PartName = "xc7z020clg400-1"
    clock_ns: PositiveFloat = 5.0
    strategy: Strategy = "latency"
    reuse_factor: Positive = 1


class RtlRecipe(Part):
    """The open RTL: whether `qap run` makes it, its pipeline, its interface, and what it is synthesized for."""

    enabled: bool = True
    stage_depth: Annotated[int, Field(ge=1, le=1000, strict=True)] | Literal["auto", "fastest"] = "auto"
    """Levels of LUTs between two registers; "auto" meets `target.clock_ns` in few cycles and registers, "fastest"
    takes the shortest stages within 10 % more LUTs than the fewest."""
    interface: Literal["axis", "parallel"] = "axis"
    """An AXI4-Stream top around the core, or the core alone."""
    axis_width: Literal[8, 16, 32, 64] = 32
    target: Literal["xc7", "xcup", "ecp5", "ice40"] = "xc7"
    any_size: bool = False
    """Go on although the network looks too large to be unrolled."""
