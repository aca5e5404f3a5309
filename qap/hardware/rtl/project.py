"""An RTL project on disk: which files it has, and what is needed to use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, model_validator

from qap.descriptions import Description, read_description
from qap.errors import DataError, QapError
from qap.hardware.circuit.xilinx import CARRY_CELLS
from qap.hardware.devices import Family
from qap.hardware.rtl.axis import AxisFormat, axis_format
from qap.hardware.rtl.names import checked_name
from qap.hardware.rtl.options import Interface
from qap.hardware.rtl.verilog import CorePorts, Count, core_ports
from qap.hardware.tools import digest_of
from qap.network import IntegerNetwork

DESCRIPTION = "project.json"
VERSION = 3
"""Since 2 the vectors of a test bench end with a line of ones, since 3 a core may instantiate cells of Xilinx."""
PLAIN, MODELS = "plain", "sim/xilinx_cells.v"
"""Where a core that instantiates cells stands without them, and what these compute, for simulation."""
REMEDY = "; make it again: qap rtl RUN --force"


def _known_version(version: int) -> int:
    if not 1 <= version <= VERSION:
        raise ValueError(f"{version} is another version of qap's projects, this qap reads 1 to {VERSION}")
    return version


def _module_name(name: str) -> str:
    try:
        return checked_name(name)
    except QapError as error:
        raise ValueError(str(error)) from None


class RtlProject(Description):
    """Generated Verilog and what is needed to use it, as `project.json` in its folder describes it.

    Attributes:
        folder: where the files are; `project.json` does not name it, so a project can be moved.
        qap_rtl: the version of the description.
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
        cells_of: the family whose cells the core instantiates, None where it instantiates none.
        axis: the layout of the stream, None for "parallel".
        estimated_luts: of the core, before any synthesis.
    """

    folder: Path = Field(default=Path(), exclude=True)
    qap_rtl: Annotated[int, AfterValidator(_known_version)] = VERSION
    name: Annotated[str, AfterValidator(_module_name)]
    interface: Interface
    network_digest: str
    n_in: Count
    kept: tuple[int, ...]
    ports: CorePorts
    signed_logits: bool
    latency_cycles: Annotated[int, Field(ge=1, le=1 << 16)]
    stage_depth: Count
    clock_ns: Annotated[float, Field(gt=0, lt=1e6)]
    cells_of: Family | None = None
    axis: AxisFormat | None
    estimated_luts: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        kept, inputs = self.kept, self.ports.inputs
        if len(kept) != inputs or list(kept) != sorted(set(kept)) or not 0 <= kept[0] <= kept[-1] < self.n_in:
            raise ValueError(f"kept must be {inputs} rising numbers from 0 to {self.n_in - 1}")
        if (self.axis is None) != (self.interface == "parallel"):
            raise ValueError(f'axis must be null for "parallel" and only for it, but interface is "{self.interface}"')
        return self

    def check_network(self, network: IntegerNetwork) -> None:
        """Make sure that this is the project of a network.

        Raises:
            QapError: it was generated from another network.
            DataError: what the description says of inputs and logits is not so.
        """
        if self.network_digest != network.digest:
            raise QapError(f"the RTL in {self.folder} was generated from another network; run qap rtl again")
        ports = core_ports(self.ports.inputs, network)
        try:
            axis = self.axis and axis_format(self.axis.width, network.n_in, network.input_format, ports)
        except QapError as error:
            raise self._damaged(f"axis: {error}") from None
        must = {"n_in": network.n_in, "ports": ports, "signed_logits": network.output_format.signed, "axis": axis}
        for key, value in must.items():
            if getattr(self, key) != value:
                raise self._damaged(f"{key} is {getattr(self, key)}, but its network has {value}")

    def _damaged(self, why: str) -> DataError:
        return DataError(f"{self.folder / DESCRIPTION} is damaged: {why}{REMEDY}")

    @property
    def vectors_end_with_ones(self) -> bool:
        """Whether a last line of ones says that the vectors of the test bench are whole."""
        return self.qap_rtl >= 2

    @property
    def core_source(self) -> Path:
        """The Verilog of the core."""
        return self.folder / f"{self.name}.v"

    @property
    def plain_source(self) -> Path:
        """The Verilog of the core without cells of any family."""
        return self.folder / PLAIN / self.core_source.name if self.cells_of else self.core_source

    @property
    def top(self) -> str:
        """The outermost module."""
        return f"{self.name}_axis" if self.axis else self.name

    @property
    def sources(self) -> list[Path]:
        """The Verilog of the top."""
        return [self.core_source, self.folder / f"{self.top}.v"] if self.axis else [self.core_source]

    def sources_for(self, family: Family) -> list[Path]:
        """The Verilog of the top as a family can synthesize it, the core first."""
        own = self.cells_of is None or family in CARRY_CELLS
        return [self.core_source if own else self.plain_source, *self.sources[1:]]

    @property
    def models(self) -> list[Path]:
        """What the cells of the core compute, for simulation."""
        return [self.folder / MODELS] if self.cells_of else []

    @property
    def files(self) -> list[Path]:
        """Every file of the project."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    @property
    def digest(self) -> str:
        """SHA-256 of the Verilog as it stands on disk."""
        every = dict.fromkeys([*self.sources, self.plain_source, *self.models])
        return digest_of(path.read_bytes() for path in every)

    def core_inputs(self, x_int: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """What the core sees of samples of the network: (n, n_in) -> (n, inputs of the core)."""
        return x_int[:, np.array(self.kept)]

    @property
    def comment(self) -> str:
        """One line for the head of each source."""
        return comment_of(self.network_digest)

    def save(self) -> None:
        """Write `project.json`."""
        text = json.dumps(self.model_dump(mode="json"), indent=1) + "\n"
        (self.folder / DESCRIPTION).write_text(text, encoding="utf-8")


def comment_of(network_digest: str) -> str:
    """One line for the head of each source."""
    return f"Integer network {network_digest[:16]}, generated by qap; do not edit."


def load_project(folder: str | Path) -> RtlProject:
    """Read back what `write_rtl` wrote.

    Raises:
        DataError: there is no project in the folder, or it is damaged.
    """
    folder = Path(folder)
    missing = f"there is no RTL project in {folder}; make one with qap rtl"
    project = read_description(folder / DESCRIPTION, RtlProject, missing=missing, remedy=REMEDY)
    return project.model_copy(update={"folder": folder})
