"""A model that was trained elsewhere, in the place of a student that is trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from qap.recipe.values import Format, Part
from qap.sources import file_in_folder

DEFAULT_BITS = 8
"""Of float layers where neither precision nor bits are given."""
FileName = Annotated[str, Field(pattern=r"^[^\x00]+$")]


class ModelRecipe(Part):
    """Where the model lies, and what its float layers become."""

    file: FileName
    """A `.keras` or `.h5` file, the JSON of a Keras model, an `.onnx` file, or the `network.npz` of a run."""
    weights: FileName | None = None
    """The HDF5 file with the weights of a JSON."""
    precision: Format | None = None
    """The format of the weights and activations of float layers; None takes `bits`."""
    bits: Annotated[int, Field(ge=2, le=24, strict=True)] | None = None
    """The bits of the weights and activations of float layers, their ranges chosen from the data; None is 8."""
    output_bits: Annotated[int, Field(ge=2, le=32, strict=True)] | None = None
    """Quantize logits whose scales have no common integer form to so many bits; None refuses them."""

    @property
    def is_network(self) -> bool:
        """Whether it is an integer network already."""
        return Path(self.file).suffix.lower() == ".npz"

    @property
    def is_onnx(self) -> bool:
        """Whether it is an ONNX graph."""
        return Path(self.file).suffix.lower() == ".onnx"

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it is read from."""
        return (Path(self.file), *([Path(self.weights)] if self.weights else []))

    def in_folder(self, folder: Path) -> ModelRecipe:
        """The same with its files made absolute.

        Args:
            folder: what relative paths belong to.
        """
        weights = file_in_folder(self.weights, folder) if self.weights else None
        return self.model_copy(update={"file": file_in_folder(self.file, folder), "weights": weights})

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.precision is not None and self.bits is not None:
            raise ValueError("precision is a whole format and bits only its width; give one of the two")
        if self.is_network and (self.precision or self.bits or self.output_bits or self.weights):
            raise ValueError(f"{self.file} is an integer network already; precision, bits and weights are not read")
        return self
