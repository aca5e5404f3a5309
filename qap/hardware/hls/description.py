"""What `qap_project.json` says of an HLS project, checked when it is read and against the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from qap.descriptions import Description, read_description, shown
from qap.errors import DataError
from qap.network import IntegerNetwork
from qap.recipe import TargetRecipe

DESCRIPTION = "qap_project.json"
REMEDY = "; write it again: qap hls RUN --force"
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z]\w*$", max_length=200)]
Count = Annotated[int, Field(ge=1, le=1 << 20)]


class HlsProject(Description):
    """A written project, as `qap_project.json` in its folder describes it.

    Attributes:
        folder: where it lies; the description does not name it, so a project can be moved.
        name: of the top function, the sources and the scripts.
        network_digest: of the integer network that it was made from.
        layers: names of the layers of the network.
        traces: for each layer the name under which the C simulation knows its result.
        widths: for each layer the number of its neurons.
        n_in: inputs.
        formats: of the input and of each layer's result.
        reuse_factors: for each layer the reuse factor that hls4ml can build, the nearest to the one asked for.
        target: tool, part, clock and parallelism.
    """

    folder: Path = Field(default=Path(), exclude=True)
    name: Identifier
    network_digest: str
    layers: tuple[str, ...]
    traces: tuple[Identifier, ...]
    widths: tuple[Count, ...]
    n_in: Count
    formats: tuple[str, ...]
    reuse_factors: tuple[Count, ...]
    target: TargetRecipe

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for key, more in (("traces", 0), ("widths", 0), ("formats", 1), ("reuse_factors", 0)):
            if len(getattr(self, key)) != len(self.layers) + more:
                raise ValueError(f"{key} must have {len(self.layers) + more} entries for {len(self.layers)} layers")
        return self

    def to_json(self) -> str:
        """What `qap_project.json` holds."""
        return json.dumps(self.model_dump(mode="json"), indent=2) + "\n"

    def check_network(self, network: IntegerNetwork) -> None:
        """Make sure that this is the project of a network.

        Raises:
            DataError: it was made from another one, or what the description says of its layers is not so.
        """
        if self.network_digest != network.digest:
            raise DataError(f"the HLS project in {self.folder} was made from another network; write it again")
        for key, value in of_network(network).items():
            if getattr(self, key) != value:
                there = f"{self.folder / DESCRIPTION} is damaged: {key} is {shown(getattr(self, key))}"
                raise DataError(f"{there}, but its network has {shown(value)}{REMEDY}")


def of_network(network: IntegerNetwork) -> dict[str, Any]:
    """What a description repeats of its network."""
    return {
        "layers": tuple(layer.name for layer in network.layers),
        "widths": tuple(layer.n_out for layer in network.layers),
        "n_in": network.n_in,
        "formats": (str(network.input_format), *(str(layer.result_format) for layer in network.layers)),
    }


def read_project(folder: str | Path) -> HlsProject:
    """Read the description of a project that `write_project` wrote.

    Raises:
        DataError: there is none, or it is damaged.
    """
    folder = Path(folder)
    missing = f"no HLS project in {folder}: {DESCRIPTION} is missing"
    project = read_description(folder / DESCRIPTION, HlsProject, missing=missing, remedy=REMEDY)
    return project.model_copy(update={"folder": folder})
