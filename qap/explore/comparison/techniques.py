"""The techniques of a comparison: what each changes in a recipe.

A technique says how the student is quantized, pruned and taught; what it leaves open is neutral, so that
two of them differ in what their names say and in nothing else. Joined by `+` they combine: `qap+kd`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qap.errors import RecipeError, did_you_mean
from qap.recipe import Recipe, parse_recipe

HALF = 0.5
ENSEMBLE = 3


@dataclass(frozen=True, slots=True)
class Technique:
    """One way to make a student small; None leaves it to what it is combined with.

    Args:
        what: in a few words, for tables and help.
        quantize: the method of [quantize].
        otherwise: the method of [quantize] when no technique of the combination says one.
        prune: as the recipe says, or half of the hidden neurons.
        distill: the method of [distill].
        ensemble: how many teachers answer together.
    """

    what: str
    quantize: str | None = None
    otherwise: str = "qat"
    prune: Literal["recipe", "neurons"] | None = None
    distill: str | None = None
    ensemble: int | None = None


TECHNIQUES: dict[str, Technique] = {
    "float": Technique("float weights and activations, not pruned", quantize="none"),
    "pruned": Technique("pruned as the recipe says, float", otherwise="none", prune="recipe"),
    "structured": Technique("half of the hidden neurons removed, quantized while training", prune="neurons"),
    "ptq": Technique("quantized after training", quantize="ptq"),
    "dq": Technique("weights quantized after training, activations float", quantize="dynamic"),
    "fiq": Technique("all 8-bit integers after training", quantize="full-integer"),
    "qat": Technique("quantized while training", quantize="qat"),
    "qap": Technique("pruned and quantized while training", quantize="qat", prune="recipe"),
    "kd": Technique("distilled from a trained teacher", distill="offline"),
    "online": Technique("teacher and student learn together", distill="online"),
    "self": Technique("distilled from an earlier generation of itself", distill="born-again"),
    "snapshots": Technique("distilled from its own earlier epochs", distill="snapshots"),
    "ensemble-kd": Technique("distilled from several teachers", distill="offline", ensemble=ENSEMBLE),
}
"""By name; each also combines with others, as in `qap+kd`."""
DEFAULT = ("float", "pruned", "structured", "ptq", "dq", "fiq", "qat", "qap", "kd", "qap+kd")
NEED_A_TEACHER = ("offline", "online")
MUTUAL_ALPHA = 0.5
"""Where both learn, imitation and labels weigh alike (Zhang et al. 2018, arXiv:1706.00384): two that mostly imitate
each other can agree on nothing."""
ALWAYS = ("temperature", "alpha", "alpha_decay")
"""Keys of [distill] that every method reads."""


def technique_recipe(base: Recipe, name: str, seed: int) -> Recipe:
    """The recipe of a technique, or of several joined by `+`.

    Args:
        base: what is compared; its layers, training, pruning, teacher and temperature are kept where they are used.
        name: as in `TECHNIQUES`, `qap+kd`.
        seed: of this run.

    Raises:
        RecipeError: the technique is not known, contradicts itself, or is not possible with this recipe.
    """
    base.weighted_layers  # noqa: B018 (a student of tables has nothing that techniques change)
    parts = _parts(name)
    content = base.model_dump(mode="json", exclude_none=True)
    content["student"] = base.student_to_train.model_dump(mode="json", exclude_none=True)
    former = {key: content.pop(key, {}) for key in ("prune", "quantize", "distill", "teacher")}
    content |= {"name": f"{base.name} {name}", "seed": seed, "accuracy_floor": 0.0}
    quantize = _chosen(name, parts, "quantize") or parts[0].otherwise
    if quantize != "qat":
        same = former["quantize"].get("method") == quantize
        content["quantize"] = former["quantize"] if same else {"method": quantize}
    prune = _chosen(name, parts, "prune")
    if prune:
        _prune(content, former["prune"], prune, name)
    else:
        for layer in content["student"]["layers"]:
            layer.pop("sparsity", None)
            layer.pop("fan_in", None)
    distill = _chosen(name, parts, "distill")
    if distill:
        same = former["distill"].get("method", "offline") == distill
        keys = former["distill"] if same else [key for key in ALWAYS if key in former["distill"]]
        content["distill"] = {key: former["distill"][key] for key in keys} | {"method": distill}
        if distill == "online" and not same:
            content["distill"]["alpha"] = MUTUAL_ALPHA
    if distill in NEED_A_TEACHER:
        _teach(content, former["teacher"], _chosen(name, parts, "ensemble"), name)
    return parse_recipe(content, f"technique {name!r}")


def possible_techniques(base: Recipe, names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Those that the recipe allows, and why the others are not possible.

    Raises:
        RecipeError: none is, for the recipe trains no weights.
    """
    base.weighted_layers  # noqa: B018
    possible: list[str] = []
    impossible: dict[str, str] = {}
    for name in names:
        try:
            technique_recipe(base, name, base.seed)
            possible.append(name)
        except RecipeError as error:
            impossible[name] = str(error)
    return possible, impossible


def _parts(name: str) -> list[Technique]:
    words = [word.strip() for word in name.split("+")]
    for word in words:
        if word not in TECHNIQUES:
            raise RecipeError(f"unknown technique {word!r}{did_you_mean(word, TECHNIQUES)}; several are joined by +")
    return [TECHNIQUES[word] for word in words]


def _chosen(name: str, parts: Sequence[Technique], key: str) -> Any:
    """What one of the parts says about a key; None when none does."""
    said = [value for part in parts if (value := getattr(part, key)) is not None]
    if len(set(said)) > 1:
        raise RecipeError(f"technique {name!r} contradicts itself: {key} cannot be {' and '.join(map(repr, said))}")
    return said[0] if said else None


def _prune(content: dict[str, Any], former: dict[str, Any], prune: str, name: str) -> None:
    layers = content["student"]["layers"]
    if prune == "neurons" and former.get("granularity") != "neuron":
        for layer in layers:
            layer.pop("sparsity", None)
            layer.pop("fan_in", None)
        hidden = sum(layer["units"] for layer in layers[:-1])
        if hidden < 2:
            raise RecipeError(f"technique {name!r} needs at least two hidden neurons, but the recipe has {hidden}")
        schedule = {key: former[key] for key in ("begin_step", "end_step", "every") if key in former}
        content["prune"] = {"granularity": "neuron", "sparsity": HALF, **schedule}
        return
    if not any([former.get("sparsity"), former.get("fan_in"), *(layer.get("sparsity") for layer in layers)]):
        raise RecipeError(f"technique {name!r} needs a recipe that prunes; set prune.sparsity above 0 and below 1")
    content["prune"] = former


def _teach(content: dict[str, Any], teacher: dict[str, Any], ensemble: int | None, name: str) -> None:
    if not teacher:
        raise RecipeError(f"technique {name!r} needs a [teacher] in the recipe")
    content["teacher"] = {key: value for key, value in teacher.items() if key != "ensemble"}
    if ensemble:
        content["teacher"]["ensemble"] = max(ensemble, teacher.get("ensemble", 0))
