"""What is trained, on what: the data, the float teacher and the quantized student."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from qap.errors import RecipeError
from qap.fixed import FixedPoint
from qap.recipe.quantizer import Quantizer
from qap.recipe.values import (
    ActivationQuantizer,
    BiasQuantizer,
    Format,
    Part,
    Positive,
    PositiveFloat,
    Share,
    Sparsity,
    WeightQuantizer,
)
from qap.sources import ScalingMethod

UNWRITTEN = Field(exclude_if=lambda value: value in (None, "mlp"))
"""What recipes before these keys were: left out of what is written and of digests, so that both stay as they were."""


class AugmentRecipe(Part):
    """Distorted copies of the training images, made once; an amount is the most that chance takes, to either side."""

    copies: Positive = 11
    """Of each image; an epoch sees every image once, as it is or as one of its copies."""
    rotation: Annotated[float, Field(ge=0, le=180, strict=True)] = 10.0
    """In degrees."""
    zoom: Sparsity = 0.08
    """Of each direction, as a share."""
    shear: Share = 0.1
    """Columns moved for each row."""
    translation: Share = 0.036
    """As a share of the image's side."""
    elastic: Share = 0.016
    """The standard deviation of a smooth field of displacements, as a share of the image's side."""


class DataRecipe(Part):
    """Which data, how much of the training part is for validation, and on which grid the hardware sees it."""

    name: Annotated[str, Field(pattern=r"^[^\x00]+$")] = "mnist-1v9"
    validation: Annotated[float, Field(gt=0, lt=1, strict=True)] = 0.1
    input_format: Format | None = None
    """None takes the format of the data set itself."""
    scaling: Annotated[ScalingMethod | None, UNWRITTEN] = None
    """Of features; None takes "standard" for them and "none" for pixels."""
    augment: Annotated[AugmentRecipe | None, UNWRITTEN] = None
    """Distorted copies to train on; None trains on the images alone."""
    class_weights: Annotated[Literal["balanced"] | dict[str, PositiveFloat] | None, UNWRITTEN] = None
    """How much a sample counts in training, by the name of its class; None counts all the same."""


class DecideRecipe(Part):
    """The operating point of a classifier of two classes."""

    max_false_alarms: Annotated[float, Field(gt=0, lt=1, strict=True)]
    """At most this share of the other class's validation samples is decided for the positive class."""
    positive: Annotated[str, Field(coerce_numbers_to_str=True)] | None = None
    """The class that is looked for, 9 as well as "9"; None is the second one."""


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
    """A float MLP with ReLU between its layers, on logits; a small convolutional network for images."""

    kind: Annotated[Literal["mlp", "cnn"], UNWRITTEN] = "mlp"
    channels: Annotated[tuple[Positive, ...], Field(min_length=1)] | None = None
    """Of the convolutions in front of the layers of a "cnn"; None is [16, 32, 48]."""
    units: tuple[Positive, ...] = (128, 64)
    dropout: Annotated[float, Field(ge=0, lt=1, strict=True)] = 0.2
    patience: Positive = 5
    ensemble: Positive = 1
    """Teachers that are trained, from different seeds; the student learns from the mean of their logits."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.channels is not None and self.kind != "cnn":
            raise ValueError('channels is only read with kind = "cnn"')
        return self

    def refuse(self, data: str, image_shape: tuple[int, int] | None) -> None:
        """Refuse data that the teacher cannot be trained on.

        Args:
            data: their name.
            image_shape: (height, width) where a sample is an image.

        Raises:
            RecipeError: it names the key.
        """
        if self.kind == "cnn" and image_shape is None:
            raise RecipeError(f'teacher.kind = "cnn" reads images, but the samples of {data!r} are none; take "mlp"')


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


TABLE_TRAINING = {"batch_size": 256, "learning_rate": 0.1, "decay": "cosine"}
"""What stands in for keys that a student of tables leaves out: tables move by their signs, so their steps are long."""
TABLE_KEYS = ("tables", "fan_in", "thresholds", "logit_scale", "wiring_margin", "wiring_share")


class StudentRecipe(TrainingRecipe):
    """A quantized MLP on logits, the last layer with as many units as there are classes; or layers of truth tables."""

    kind: Annotated[Literal["mlp", "tables"], UNWRITTEN] = "mlp"
    layers: tuple[LayerRecipe, ...] = ()
    """Of an "mlp"."""
    tables: Annotated[tuple[Positive, ...], Field(min_length=1)] | None = None
    """Truth tables of each layer, from the inputs to the class sums; the classes divide the last number."""
    fan_in: Annotated[int, Field(ge=2, le=6, strict=True)] | None = None
    """One-bit inputs of a table; None is 6."""
    thresholds: Positive | None = None
    """Bits that each input becomes, at quantiles of the training part; None leaves one-bit inputs as they are."""
    logit_scale: PositiveFloat | None = None
    """What a table's vote is worth in the loss; None is 0.3 * sqrt(200 * classes / tables)."""
    wiring_margin: PositiveFloat | None = None
    """By how much the evidence for another input must exceed that for its own before a pin moves; None is 15."""
    wiring_share: Share | None = None
    """The share of the training in which pins move; None is 0.7, and 0 keeps the wiring that chance gave."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_tables(cls, content: Any) -> Any:
        if isinstance(content, Mapping) and content.get("kind") == "tables":
            return {**TABLE_TRAINING, **content}
        return content

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        own, others = ("tables", ("layers",)) if self.is_tables else ("layers", TABLE_KEYS)
        for key in others:
            if getattr(self, key) not in (None, ()):
                raise ValueError(f'{key} is not read with kind = "{self.kind}"; leave it out, or change kind')
        if not getattr(self, own):
            raise ValueError(f'the key {own!r} is missing, which kind = "{self.kind}" needs')
        return self

    @property
    def is_tables(self) -> bool:
        """Whether it consists of truth tables."""
        return self.kind == "tables"

    @property
    def shape(self) -> tuple[int, ...]:
        """Neurons of each layer; of tables without the class sums."""
        return self.tables or tuple(layer.units for layer in self.layers)

    def refuse(self, n_in: int, n_classes: int, input_format: FixedPoint) -> None:
        """Refuse data that the student cannot be trained on.

        Args:
            n_in: inputs of a sample.
            n_classes: what is decided between.
            input_format: of every input.

        Raises:
            RecipeError: it names the key.
        """
        last = self.shape[-1]
        if not self.is_tables:
            if last != n_classes:
                key = f"student.layers.{len(self.layers) - 1}.units"
                raise RecipeError(f"{key} must be {n_classes}, one for each class, but got {last}")
            return
        if last % n_classes:
            following = (last // n_classes + 1) * n_classes
            raise RecipeError(
                f"student.tables: {last} tables do not divide by {n_classes} classes; the next number that does is "
                f"{following}"
            )
        if self.thresholds is None and (input_format.width > 1 or input_format.signed):
            raise RecipeError(
                f"student.thresholds is missing: a table reads single bits, but the inputs are {input_format}; set it, "
                'or take one bit of each input with data.input_format = "ap_ufixed<1,0>"'
            )
        narrowest = min([n_in * (self.thresholds or 1), *self.shape[:-1]])
        if narrowest < (self.fan_in or 6):
            raise RecipeError(
                f"student.fan_in={self.fan_in or 6} needs as many different bits, but a layer of tables reads only "
                f"{narrowest}; lower it"
            )
