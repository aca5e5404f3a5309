"""What is trained, on what: the data, the float teacher and the quantized student."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qap.recipe.quantizer import Quantizer
from qap.recipe.values import (
    ActivationQuantizer,
    BiasQuantizer,
    Format,
    Part,
    Positive,
    PositiveFloat,
    Sparsity,
    WeightQuantizer,
)


class DataRecipe(Part):
    """Which data, how much of the training part is for validation, and on which grid the hardware sees it."""

    name: Annotated[str, Field(pattern=r"^[^\x00]+$")] = "mnist-1v9"
    validation: Annotated[float, Field(gt=0, lt=1, strict=True)] = 0.1
    input_format: Format | None = None
    """None takes the format of the data set itself."""


class TrainingRecipe(Part):
    """How one model is trained; the same keys for the teacher and the student."""

    epochs: Positive = 20
    batch_size: Positive = 128
    learning_rate: PositiveFloat = 1e-3
    decay: Literal["constant", "cosine"] = "constant"
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=True)] = 0.0
    """Every step takes learning_rate * weight_decay of each weight away (AdamW); small weights cost less hardware."""
    patience: Positive | None = None
    """Stop after so many epochs without a better validation accuracy; None trains them all."""


class TeacherRecipe(TrainingRecipe):
    """A float MLP with ReLU between its layers, on logits."""

    units: tuple[Positive, ...] = (128, 64)
    dropout: Annotated[float, Field(ge=0, lt=1, strict=True)] = 0.2
    patience: Positive = 5
    ensemble: Positive = 1
    """Teachers that are trained, from different seeds; the student learns from the mean of their logits."""


class LayerRecipe(Part):
    """One layer of the student: its neurons and a format per tensor."""

    units: Positive
    weight: WeightQuantizer
    bias: BiasQuantizer = Quantizer("quantized_bits", {"bits": 8, "integer": 2, "alpha": 1})
    activation: ActivationQuantizer = "linear"
    sparsity: Sparsity | None = None
    """The share of pruned weights of this layer, when `prune.scope` is "layer"; None takes `prune.sparsity`."""
    fan_in: Positive | None = None
    """The weights that each of its neurons keeps, with `prune.granularity` "fan-in"; None takes `prune.fan_in`."""

    @model_validator(mode="after")
    def _pruned_weights_need_a_zero(self) -> Self:
        if self.sparsity and not self.weight.has_zero:
            raise ValueError(f"sparsity={self.sparsity} needs a quantizer that has a zero, but {self.weight} has none")
        return self

    @property
    def rectifies(self) -> bool:
        """Whether the activation makes negative numbers 0."""
        return self.activation != "linear" and self.activation.rectifies


class StudentRecipe(TrainingRecipe):
    """A quantized MLP on logits. The last layer has as many units as there are classes."""

    layers: Annotated[tuple[LayerRecipe, ...], Field(min_length=1)]
