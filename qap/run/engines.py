"""The engines that a run can be verified with: which files of the run each reads, and what makes it.

A new engine is a file of its own (`docs/engines.md`) and a line here.
"""

from __future__ import annotations

from typing import NamedTuple

from qap.recipe import Recipe, RtlRecipe
from qap.run.directory import CORE_NETLIST, HLS, ONNX_MODEL, RTL, STUDENT


class EngineSource(NamedTuple):
    """Where an engine comes from.

    Args:
        made_by: "module:callable", called with the `RunDirectory`; imported on first use, since it lies above this room
            and may need an extra.
        reads: files and folders of the run, `{target}` in them stands for `rtl.target`; the network itself is read in
            any case.
        of_student: whether it runs the student, which a run of an imported integer network has not.
        of_onnx: whether it runs the ONNX graph that was imported, which float layers that were quantized are not.
        of_rtl: whether it runs what `qap rtl` generates, so that only a recipe with RTL asks for it.
        of_stream: whether it runs the AXI4-Stream top, so that only a recipe whose RTL has one asks for it.
        on_request: whether only `qap verify --engines` asks for it, and no run by itself.
    """

    made_by: str
    reads: tuple[str, ...] = ()
    of_student: bool = False
    of_onnx: bool = False
    of_rtl: bool = False
    of_stream: bool = False
    on_request: bool = False

    def files(self, recipe: Recipe) -> tuple[str, ...]:
        """What it reads in a run of a recipe."""
        return tuple(name.format(target=(recipe.rtl or RtlRecipe()).target) for name in self.reads)


ENGINES = {
    "keras": EngineSource("qap.flow.engines:keras", (STUDENT,), of_student=True),
    "onnx": EngineSource("qap.flow.engines:onnx", (ONNX_MODEL,), of_onnx=True),
    "emulator": EngineSource("qap.flow.engines:emulator"),
    "csim": EngineSource("qap.flow.engines:csim", (HLS,)),
    "rtl": EngineSource("qap.flow.engines:rtl", (RTL,), of_rtl=True),
    "axis": EngineSource("qap.flow.engines:axis", (RTL,), of_rtl=True, of_stream=True),
    "netlist": EngineSource("qap.flow.engines:netlist", (RTL, CORE_NETLIST), of_rtl=True),
}
"""Name -> where it comes from, in the order of a verification."""


def engines_of(recipe: Recipe) -> tuple[str, ...]:
    """The engines that a run of this recipe is verified with."""
    streams = recipe.makes_rtl and recipe.rtl is not None and recipe.rtl.interface == "axis"
    model = recipe.model
    has_student = model is None or not model.is_network
    has_graph = model is not None and model.is_onnx and model.precision is None and model.bits is None
    return tuple(
        name
        for name, source in ENGINES.items()
        if not source.on_request
        and (has_student or not source.of_student)
        and (has_graph or not source.of_onnx)
        and (recipe.makes_rtl or not source.of_rtl)
        and (streams or not source.of_stream)
    )
