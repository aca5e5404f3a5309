"""The recipe: one object that is read, overridden, trained, frozen, searched and recorded.

Recipes are TOML. Every key is checked when it is read; an unknown one is refused with the nearest
that exists. `Recipe` and its parts are immutable pydantic models.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import tomli_w
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from qap.errors import QapError, RecipeError
from qap.fixed import FixedPoint
from qap.quantizer import Quantizer

NOT_TOML = (ValueError, RecursionError)  # no TOML, no UTF-8, or nested too deep to be read
SHOWN = 100  # characters of a wrong value


def _format(text: Any) -> str:
    if not isinstance(text, str):
        raise QapError(f"a format is written as text, but got {_shown(text)}")
    return str(FixedPoint.parse(text))


def _weight_quantizer(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"quantized_bits({value},0,alpha=1)"
    return str(Quantizer.parse(value, role="weight"))


def _bias_quantizer(value: Any) -> str:
    return value if value == "none" else _weight_quantizer(value)


def _activation_quantizer(value: Any) -> str:
    return value if value == "linear" else str(Quantizer.parse(value, role="activation"))


def _checked(check: Any) -> BeforeValidator:
    def validate(value: Any) -> str:
        try:
            return str(check(value))
        except QapError as error:
            raise ValueError(str(error)) from None

    return BeforeValidator(validate)


Format = Annotated[str, _checked(_format)]
"""A fixed-point format, `ap_ufixed<8,0>`."""
WeightQuantizer = Annotated[str, _checked(_weight_quantizer)]
"""A QKeras quantizer, an `ap_fixed` format, or a number N of bits for `quantized_bits(N,0,alpha=1)`."""
BiasQuantizer = Annotated[str, _checked(_bias_quantizer)]
"""The same, or `none` for a layer without bias."""
ActivationQuantizer = Annotated[str, _checked(_activation_quantizer)]
"""A QKeras quantizer, an `ap_fixed` format, or `linear`."""
# strict: neither true nor "3" is a number
Sparsity = Annotated[float, Field(ge=0, lt=1, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Positive = Annotated[int, Field(ge=1, lt=2**31, strict=True)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Strategy = Literal["latency", "resource", "distributed_arithmetic"]


class Part(BaseModel):
    """What all parts of a recipe share: immutable, and no key that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class LayerRecipe(Part):
    """One layer of the student: its neurons and a format per tensor."""

    units: Positive
    weight: WeightQuantizer
    bias: BiasQuantizer = "quantized_bits(8,2,alpha=1)"
    activation: ActivationQuantizer = "linear"
    sparsity: Sparsity | None = None
    """The share of pruned weights of this layer, when `prune.scope` is "layer"; None takes `prune.sparsity`."""

    @model_validator(mode="after")
    def _pruned_weights_need_a_zero(self) -> Self:
        if self.sparsity and not Quantizer.parse(self.weight, role="weight").has_zero:
            raise ValueError(f"sparsity={self.sparsity} needs a quantizer that has a zero, but {self.weight} has none")
        return self


class StudentRecipe(TrainingRecipe):
    """A quantized MLP on logits. The last layer has as many units as there are classes."""

    layers: Annotated[tuple[LayerRecipe, ...], Field(min_length=1)]


class PruneRecipe(Part):
    """Which weights are masked, and when. Steps are optimizer steps (batches)."""

    method: Literal["magnitude"] = "magnitude"
    sparsity: Sparsity = 0.0
    scope: Literal["global", "layer"] = "global"
    schedule: Literal["one-shot", "polynomial"] = "polynomial"
    begin_step: Annotated[int, Field(ge=0, lt=2**31, strict=True)] = 0
    end_step: Positive | None = None
    """When the final sparsity is reached; None is 60 % of all steps. One-shot prunes at `begin_step`."""
    every: Positive = 100
    """Steps from one update of the masks to the next."""

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.end_step is not None and self.end_step <= self.begin_step:
            raise ValueError(
                f"begin_step < end_step must hold, but got begin_step={self.begin_step}, end_step={self.end_step}"
            )
        return self


class DistillRecipe(Part):
    """Offline distillation after Hinton: alpha * T^2 * KL(teacher/T || student/T) + (1 - alpha) * cross-entropy."""

    temperature: PositiveFloat = 4.0
    alpha: Share = 0.5


class TargetRecipe(Part):
    """The HLS project: tool, part, clock and how much is done in parallel."""

    backend: Literal["Vitis", "Vivado"] = "Vitis"
    part: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = "xc7z020clg400-1"
    clock_ns: PositiveFloat = 5.0
    strategy: Strategy = "latency"
    reuse_factor: Positive = 1


class RtlRecipe(Part):
    """The open RTL: whether `qap run` makes it, its pipeline, its interface, and what it is synthesized for."""

    enabled: bool = True
    stage_depth: Annotated[int, Field(ge=1, le=1000, strict=True)] | Literal["auto"] = "auto"
    """Levels of LUTs between two registers; "auto" takes the shortest stages within 10 % more LUTs than the fewest."""
    interface: Literal["axis", "parallel"] = "axis"
    """An AXI4-Stream top around the core, or the core alone."""
    axis_width: Literal[8, 16, 32, 64] = 32
    target: Literal["xc7", "xcup", "ecp5", "ice40"] = "xc7"
    any_size: bool = False
    """Go on although the network looks too large to be unrolled."""


class Recipe(Part):
    """Everything that decides what a run does.

    Example:
        >>> recipe = load_recipe("digits").override(["seed=3", "prune.sparsity=0.8"])
    """

    name: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=2**32, strict=True)] = 0
    accuracy_floor: Share = 0.0
    """The run fails (exit 1) when the integer network is below it on the test images."""
    data: DataRecipe = DataRecipe()
    teacher: TeacherRecipe | None = None
    student: StudentRecipe
    prune: PruneRecipe = PruneRecipe()
    distill: DistillRecipe | None = None
    target: TargetRecipe = TargetRecipe()
    rtl: RtlRecipe | None = None
    """None leaves it to the command: `qap run` makes RTL when the rtl extra is installed."""

    @property
    def makes_rtl(self) -> bool:
        """Whether RTL is part of the run."""
        return self.rtl is not None and self.rtl.enabled

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.distill is not None and self.teacher is None:
            raise ValueError("[distill] needs a [teacher]")
        if self.target.strategy == "distributed_arithmetic" and self.target.reuse_factor != 1:
            raise ValueError(
                f"target.reuse_factor={self.target.reuse_factor}: the distributed_arithmetic strategy is fully "
                "parallel, only reuse_factor=1 is possible"
            )
        if self.prune.scope == "global":
            own = [index for index, layer in enumerate(self.student.layers) if layer.sparsity is not None]
            if own:
                raise ValueError(
                    f'student.layers.{own[0]}.sparsity is only read with prune.scope = "layer", '
                    'but prune.scope is "global"'
                )
        if self.prune.sparsity:
            for layer in self.student.layers:
                if layer.sparsity is None and not Quantizer.parse(layer.weight, role="weight").has_zero:
                    raise ValueError(
                        f"prune.sparsity={self.prune.sparsity} needs quantizers that have a zero, "
                        f"but {layer.weight} has none"
                    )
        return self

    def override(self, assignments: Iterable[str]) -> Recipe:
        """A recipe with `a.b.0.c=value` assignments applied; values are TOML or plain text, `a.b=` removes the key.

        Raises:
            RecipeError: the key does not exist or the value is not possible.
        """
        content = self.model_dump(mode="json", exclude_none=True)
        for assignment in assignments:
            key, equals, value = assignment.partition("=")
            if not equals:
                raise RecipeError(f"--set {assignment!r}: write key=value, as in prune.sparsity=0.9")
            _assign(content, key.strip(), _toml_value(value.strip()))
        return parse_recipe(content, "--set")

    def to_toml(self) -> str:
        """The recipe as TOML that `load_recipe` reads back to an equal one."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def builtin_recipes() -> list[str]:
    """The names of the recipes that come with the package."""
    folder = resources.files("qap") / "recipes"
    return sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml"))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a built-in recipe by name, or a TOML file.

    Raises:
        RecipeError: there is no such recipe, or it is not possible.
    """
    text = str(name_or_path)
    if text in builtin_recipes():
        source = (resources.files("qap") / "recipes" / f"{text}.toml").read_text(encoding="utf-8")
        return parse_recipe(tomllib.loads(source), text)
    path = Path(text)
    if path.suffix != ".toml":
        raise RecipeError(f"no recipe {text!r}{_did_you_mean(text, builtin_recipes())}; a file must end in .toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(f"cannot read the recipe {path}: {error.strerror or error}") from error
    except NOT_TOML as error:
        raise RecipeError(f"{path} is not valid TOML: {error}") from error
    return parse_recipe(content, str(path))


def parse_recipe(content: Mapping[str, Any], source: str) -> Recipe:
    """Check the content of a recipe.

    Args:
        content: the nested mapping, as TOML gives it.
        source: where it comes from, for the error.

    Raises:
        RecipeError: one line that names the first key that is wrong and what is allowed.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{source}: {_first_problem(error)}") from None


def parse_target(content: Mapping[str, Any], source: str) -> TargetRecipe:
    """Check a target that stands alone.

    Args:
        content: its keys.
        source: where it comes from, for the error.

    Raises:
        RecipeError: one line that names the first key that is wrong and what is allowed.
    """
    try:
        return TargetRecipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{source}: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    location = problem["loc"]
    key = _dotted(location)
    if problem["type"] == "extra_forbidden":
        unknown = ".".join(str(part) for part in location)
        return f"unknown key {unknown!r}{_did_you_mean(str(location[-1]), _known_keys(location[:-1]))}"
    if problem["type"] == "missing":
        return f"the key {key!r} is missing"
    where = f"{key}: " if location else ""
    if problem["type"] == "value_error":  # our own checks: they repeat what they got
        return where + problem["msg"].removeprefix("Value error, ").replace("\n", " ")
    messages = " or ".join(dict.fromkeys(each["msg"] for each in error.errors() if _dotted(each["loc"]) == key))
    return f"{where}{messages} (got {_shown(problem['input'])})".replace("\n", " ")


def _dotted(location: tuple[int | str, ...]) -> str:
    """The key; where several types are possible pydantic adds the one that it tried, as in `constrained-int`."""
    return ".".join(str(part) for part in location if "-int" not in str(part) and "literal[" not in str(part))


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python does not print whole numbers of thousands of digits
        return "a number that is too long to be printed"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    model: type[BaseModel] = Recipe
    for part in location:
        if isinstance(part, int):
            continue
        model = _model_in(model.model_fields[part].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel]:
    """The pydantic model inside of `X | None` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        if inner is not type(None) and inner is not Ellipsis:
            return _model_in(inner)
    raise TypeError(f"no model in {annotation!r}")


def _did_you_mean(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f", did you mean {near[0]!r}?" if near else f" (there are: {', '.join(known)})"


def _assign(content: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; the check of the whole recipe afterwards finds a key that does not exist."""
    *path, last = key.split(".")
    place: Any = content
    for part in path:
        if isinstance(place, dict) and (part in place or value is not None):
            place = place.setdefault(part, {})
        else:
            place = place[_index(place, part, key)]
    if not isinstance(place, dict):
        place[_index(place, last, key)] = value
        if value is None:
            place.remove(None)
    elif value is None and last in place:
        del place[last]
    else:
        place[last] = value


def _index(place: Any, part: str, key: str) -> int:
    """The position in a list that a part of a dotted key means."""
    if not (isinstance(place, list) and part.isdecimal() and int(part) < len(place)):
        raise RecipeError(f"--set {key}: there is no {part!r} in it")
    return int(part)


def _toml_value(text: str) -> Any:
    """TOML's reading of a value; nothing at all removes the key; what is not TOML is plain text."""
    if not text:
        return None
    try:
        content = tomllib.loads(f"value = {text}")
    except NOT_TOML:
        return text
    return content["value"] if len(content) == 1 else text
