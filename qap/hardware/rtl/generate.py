"""From a network to its RTL project: the core, its AXI4-Stream top, a test bench and scripts for a vendor's tool."""

from __future__ import annotations

import math
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy.typing as npt

from qap.hardware.circuit import lower_network
from qap.hardware.circuit.cells import count_cells
from qap.hardware.circuit.stages import pipeline_for
from qap.hardware.circuit.xilinx import CARRY_CELLS
from qap.hardware.devices import hls_part
from qap.hardware.rtl.axis import axis_format
from qap.hardware.rtl.options import RtlOptions
from qap.hardware.rtl.project import RtlProject, comment_of
from qap.hardware.rtl.size import refuse_hopeless
from qap.hardware.rtl.stream import stream_verilog
from qap.hardware.rtl.testbench import write_testbench
from qap.hardware.rtl.verilog import core_ports, core_verilog, fill_template
from qap.network import IntegerNetwork, simplify
from qap.products import made_folder


def write_rtl(
    network: IntegerNetwork,
    folder: str | Path,
    options: RtlOptions | None = None,
    *,
    test_vectors: npt.NDArray[Any] | None = None,
) -> RtlProject:
    """Generate Verilog that computes a network bit for bit; the folder appears whole or not at all.

    Args:
        network: any integer network; it is simplified here.
        folder: where the project goes; what was there is replaced.
        options: pipeline, interface, clock and part; None takes the defaults of `RtlOptions`.
        test_vectors: integer samples (n, n_in) for the test bench; None takes random ones.

    Raises:
        QapError: an option is not possible, or the network is too large to be unrolled.
        ToolMissing: da4ml or jinja2 is not installed.
    """
    options = options or RtlOptions()
    folder = Path(folder)
    smaller, kept = simplify(network)
    ports = core_ports(smaller.n_in, network)
    streamed = options.interface == "axis"
    axis = axis_format(options.axis_width, network.n_in, network.input_format, ports) if streamed else None
    if not options.any_size:
        refuse_hopeless(smaller)
    circuit = lower_network(smaller, options.family)
    pipeline = pipeline_for(circuit, options.stage_depth, options.family, options.clock_ns, options.lut_budget)
    core = partial(core_verilog, circuit, pipeline, ports, options.name, comment_of(network.digest))
    plain, mapped = core(), core(cell=CARRY_CELLS.get(options.family))
    project = RtlProject(
        folder=folder,
        name=options.name,
        interface=options.interface,
        network_digest=network.digest,
        n_in=network.n_in,
        kept=tuple(int(i) for i in kept),
        ports=ports,
        signed_logits=network.output_format.signed,
        latency_cycles=pipeline.latency,
        stage_depth=math.ceil(pipeline.stage_depth),
        clock_ns=options.clock_ns,
        cells_of=options.family if mapped != plain else None,
        axis=axis,
        estimated_luts=count_cells(circuit, pipeline).lut,
    )
    with made_folder(folder) as temporary:
        draft = project.model_copy(update={"folder": temporary})
        _write_sources(draft, mapped, plain)
        _write_texts(draft, network, hls_part(options.part).name)
        write_testbench(draft, network, test_vectors)
        draft.save()
    return project


def _write_sources(project: RtlProject, core: str, plain: str) -> None:
    """The core, without cells of a family as well if it has any, and the top."""
    texts = {project.plain_source: plain, project.core_source: core}
    if project.axis:
        texts[project.folder / f"{project.top}.v"] = stream_verilog(project, project.axis)
    for path in project.models:
        texts[path] = (resources.files("qap.hardware.rtl") / "templates" / path.name).read_text(encoding="utf-8")
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _write_texts(project: RtlProject, network: IntegerNetwork, part: str) -> None:
    """The page of the project, and the build script and the constraints for Vivado."""
    for template, file in (
        ("readme.md.j2", "README.md"),
        ("build_vivado.tcl.j2", "build_vivado.tcl"),
        ("clock.xdc.j2", f"{project.top}.xdc"),
    ):
        text = fill_template(
            template, project=project, network=network, part=part, sources=[path.name for path in project.sources],
            models=[path.relative_to(project.folder) for path in project.models],
        )  # fmt: skip
        (project.folder / file).write_text(text, encoding="utf-8")
