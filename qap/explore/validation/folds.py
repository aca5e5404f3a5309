"""A recipe on every fold of its training samples, for several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from qap.data import Dataset, Fold
from qap.errors import QapError, RecipeError
from qap.flow.in_memory import Trained, keras_logits, train_network
from qap.judging import judged
from qap.recipe import Recipe
from qap.run import load_for

MEASURES = ("accuracy", "balanced_accuracy")


@dataclass(frozen=True, slots=True)
class FoldResult:
    """What a recipe is worth on the samples of one fold, which nothing was trained or chosen on.

    Args:
        seed: of the folds and of the training.
        fold: which one was held out, from 0 on.
        samples: that were held out.
        scores: model ("teacher", "student", "integer") -> measure -> 0 to 1.
    """

    seed: int
    fold: int
    samples: int
    scores: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """The results of all folds.

    Args:
        recipe: its name.
        folds: how many.
        seeds: which.
        results: one for each fold of each seed.
    """

    recipe: str
    folds: int
    seeds: tuple[int, ...]
    results: tuple[FoldResult, ...]

    def summary(self) -> dict[str, dict[str, dict[str, float]]]:
        """Model -> measure -> mean, standard deviation ("spread"), lowest and highest over all folds and seeds."""
        models = self.results[0].scores
        return {
            model: {measure: _spread([each.scores[model][measure] for each in self.results]) for measure in MEASURES}
            for model in models
        }

    def to_dict(self) -> dict[str, Any]:
        """The summary and every result as JSON-like content."""
        results = [asdict(each) for each in self.results]
        return {"recipe": self.recipe, "folds": self.folds, "seeds": list(self.seeds), "summary": self.summary(),
                "results": results}  # fmt: skip


def cross_validate(
    recipe: Recipe,
    folds: int = 5,
    seeds: int = 1,
    data_dir: Path | None = None,
    tell: Callable[[FoldResult], object] | None = None,
) -> CrossValidation:
    """Train a recipe once for each fold and seed, and judge it on the samples that were held out.

    The test part is not read. The scaling, the validation part and the best epoch are found on the other folds.

    Args:
        recipe: with a student; its seed is the first of all seeds.
        folds: of the training samples, 2 to the size of the smallest class.
        seeds: how often everything is done with other folds and other initial weights.
        data_dir: folder of IDX files, if the data set needs one.
        tell: called after every fold.

    Raises:
        RecipeError: the recipe has no student that could be trained, or none with an integer form.
        DataError: the data cannot be loaded, or have too few samples.
        QapError: less than two folds or one seed; a training diverged.
    """
    if folds < 2 or seeds < 1:
        raise QapError(f"folds >= 2 and seeds >= 1 must hold, but got folds={folds} and seeds={seeds}")
    if recipe.student is None or not recipe.quantize.has_integer_form:
        raise RecipeError(
            f"the recipe {recipe.name!r} has no student with an integer form, so nothing can be validated"
        )
    chosen = tuple(range(recipe.seed, recipe.seed + seeds))
    results = []
    for found in _results(recipe, folds, chosen, data_dir):
        results.append(found)
        if tell is not None:
            tell(found)
    return CrossValidation(recipe.name, folds, chosen, tuple(results))


def _results(recipe: Recipe, folds: int, seeds: tuple[int, ...], data_dir: Path | None) -> Iterator[FoldResult]:
    for seed in seeds:
        seeded = recipe.override([f"seed={seed}"])
        for index in range(folds):
            data = load_for(seeded, data_dir, Fold(index, folds, seed))
            yield FoldResult(seed, index, len(data.test), dict(_scores(train_network(seeded, data), data)))


def _scores(trained: Trained, data: Dataset) -> Iterator[tuple[str, dict[str, float]]]:
    for name, model in (("teacher", trained.teacher), ("student", trained.student)):
        if model is not None:
            yield name, _measures(judged(keras_logits(model, data), data))
    network = trained.network
    yield "integer", _measures(judged(lambda split: network.forward(split.x), data, network.output_format.lsb))


def _measures(found: Mapping[str, Any]) -> dict[str, float]:
    return {"accuracy": found["accuracy"]["test"], "balanced_accuracy": found["scores"]["balanced_accuracy"]}


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "mean": float(np.mean(values)),
        "spread": float(np.std(values, ddof=1)),
        "lowest": min(values),
        "highest": max(values),
    }
