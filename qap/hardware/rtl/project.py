"""An RTL project on disk: the core, its AXI4-Stream top, a test bench and the scripts for a vendor's tool."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from qap.errors import DataError, QapError
from qap.files import whole_folder
from qap.fixed import IntArray
from qap.hardware.circuit import Circuit, lower_network
from qap.hardware.circuit.cells import count_cells
from qap.hardware.circuit.pipeline import Pipeline, best_pipeline, pipelined
from qap.hardware.rtl.axis import AxisFormat, axis_format, axis_verilog
from qap.hardware.rtl.size import refuse_hopeless
from qap.hardware.rtl.testbench import write_testbench
from qap.hardware.rtl.verilog import CorePorts, checked_name, core_verilog, environment
from qap.hardware.tools import digest_of
from qap.network import IntegerNetwork, simplify

VERSION = 1
Interface = Literal["parallel", "axis"]


@dataclass(frozen=True, slots=True)
class RtlProject:
    """Generated Verilog and what is needed to use it.

    Args:
        folder: where the files are.
        name: of the core's module; `{name}.v`, and with a stream `{name}_axis.v`.
        interface: "parallel" (the core alone) or "axis".
        network_digest: of the integer network that it computes.
        n_in: inputs of that network.
        kept: for each input of the core the input of the network that it is.
        ports: the widths of the core's ports.
        signed_logits: whether the logits are two's complement.
        latency_cycles: of the core, from an input to its output; a sample can enter every cycle.
        stage_depth: levels of LUTs between two registers, at most.
        clock_ns: the clock that the constraints ask for.
        axis: the layout of the stream, None for "parallel".
        estimated_luts: of the core, before any synthesis.
    """

    folder: Path
    name: str
    interface: Interface
    network_digest: str
    n_in: int
    kept: tuple[int, ...]
    ports: CorePorts
    signed_logits: bool
    latency_cycles: int
    stage_depth: int
    clock_ns: float
    axis: AxisFormat | None
    estimated_luts: int

    @property
    def core_source(self) -> Path:
        """The Verilog of the core."""
        return self.folder / f"{self.name}.v"

    @property
    def top(self) -> str:
        """The outermost module."""
        return f"{self.name}_axis" if self.axis else self.name

    @property
    def sources(self) -> list[Path]:
        """The Verilog of the top."""
        return [self.core_source, self.folder / f"{self.top}.v"] if self.axis else [self.core_source]

    @property
    def files(self) -> list[Path]:
        """Every file of the project."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    @property
    def digest(self) -> str:
        """SHA-256 of the Verilog as it stands on disk."""
        return digest_of(path.read_bytes() for path in self.sources)

    def core_inputs(self, x_int: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What the core sees of samples of the network: (n, n_in) -> (n, inputs of the core)."""
        return x_int[:, np.array(self.kept)]


def write_rtl(
    network: IntegerNetwork,
    folder: str | Path,
    *,
    stage_depth: int | Literal["auto"] = "auto",
    interface: Interface = "axis",
    axis_width: int = 32,
    clock_ns: float = 5.0,
    test_vectors: npt.NDArray[Any] | None = None,
    name: str = "classifier",
    lut_budget: int | None = None,
    part: str = "xc7z020clg400-1",
    whatever_size: bool = False,
) -> RtlProject:
    """Generate Verilog that computes a network bit for bit; the folder appears whole or not at all.

    Args:
        network: any integer network; it is simplified here.
        folder: where the project goes; what was there is replaced.
        stage_depth: levels of LUTs between two registers, or "auto" for the shortest stages within `lut_budget`.
        interface: "parallel" for the core alone, "axis" for an AXI4-Stream top around it.
        axis_width: bits of tdata: 8, 16, 32 or 64.
        clock_ns: the clock period of the constraints.
        test_vectors: integer samples (n, n_in) for the test bench; None takes random ones.
        name: of the core's module.
        lut_budget: estimated LUTs that "auto" may use; None allows 10 % more than the least possible.
        part: the device of `build_vivado.tcl`.
        whatever_size: go on although full unrolling looks hopeless.

    Raises:
        QapError: an option is not possible, or the network is too large to be unrolled.
        ToolMissing: da4ml or jinja2 is not installed.
    """
    folder = Path(folder)
    checked_name(name)
    if interface not in ("parallel", "axis"):
        raise QapError(f'interface must be "parallel" or "axis", but got {interface!r}')
    if not 0 < clock_ns < 1e6:
        raise QapError(f"clock_ns must be above 0, but got clock_ns={clock_ns}")
    smaller, kept = simplify(network)
    ports = CorePorts(
        smaller.n_in, network.input_format.width, network.n_out, network.output_format.width,
        max(1, (len(network.class_names) - 1).bit_length()),
    )  # fmt: skip
    axis = axis_format(axis_width, network.n_in, network.input_format, ports) if interface == "axis" else None
    if not whatever_size:
        refuse_hopeless(smaller)
    circuit = lower_network(smaller)
    pipeline = best_pipeline(circuit, lut_budget) if stage_depth == "auto" else pipelined(circuit, stage_depth)
    project = RtlProject(
        folder, name, interface, network.digest, network.n_in, tuple(int(i) for i in kept), ports,
        network.output_format.signed, pipeline.latency, pipeline.stage_depth, clock_ns, axis,
        count_cells(circuit, pipeline).lut,
    )  # fmt: skip
    with whole_folder(folder) as temporary:
        _write_files(project, network, circuit, pipeline, kept, temporary, part, test_vectors)
    return project


def load_project(folder: str | Path) -> RtlProject:
    """Read back what `write_rtl` wrote.

    Raises:
        DataError: there is no project in the folder, or it is damaged.
    """
    folder = Path(folder)
    try:
        content = json.loads((folder / "project.json").read_text(encoding="utf-8"))
        if content.pop("qap_rtl") != VERSION:
            raise DataError(f"{folder} was written by another version of qap; generate it again with qap rtl")
        content["ports"] = CorePorts(**content["ports"])
        content["axis"] = AxisFormat(**content["axis"]) if content["axis"] else None
        content["kept"] = tuple(content["kept"])
        return RtlProject(folder=folder, **content)
    except FileNotFoundError:
        raise DataError(f"there is no RTL project in {folder}; make one with qap rtl") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(f"{folder / 'project.json'} is damaged: {error}") from error


def _write_files(
    project: RtlProject,
    network: IntegerNetwork,
    circuit: Circuit,
    pipeline: Pipeline,
    kept: IntArray,
    folder: Path,
    part: str,
    test_vectors: npt.NDArray[Any] | None,
) -> None:
    comment = f"Integer network {network.digest[:16]}, generated by qap; do not edit."
    core = core_verilog(circuit, pipeline, project.ports, project.name, comment)
    (folder / f"{project.name}.v").write_text(core, encoding="utf-8")
    if project.axis:
        top = axis_verilog(
            project.axis, kept, project.ports, project.signed_logits, project.latency_cycles, project.name, comment
        )
        (folder / f"{project.top}.v").write_text(top, encoding="utf-8")
    for template, file in (
        ("readme.md.j2", "README.md"),
        ("build_vivado.tcl.j2", "build_vivado.tcl"),
        ("clock.xdc.j2", f"{project.top}.xdc"),
    ):
        text = environment().get_template(template).render(
            project=project, network=network, part=part, sources=[path.name for path in project.sources]
        )  # fmt: skip
        (folder / file).write_text(text, encoding="utf-8")
    write_testbench(
        folder, network, project.name, project.top, project.ports, project.kept, project.latency_cycles, project.axis,
        test_vectors,
    )  # fmt: skip
    content = {key: value for key, value in asdict(project).items() if key != "folder"}
    content["ports"] = project.ports._asdict()
    (folder / "project.json").write_text(json.dumps({"qap_rtl": VERSION, **content}, indent=1) + "\n", encoding="utf-8")
