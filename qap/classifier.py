"""The scikit-learn face: a recipe as an estimator that learns from arrays and decides by the exact integer network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, validate_data

from qap.data import Dataset, on_grid, weighted
from qap.data.raw import RawData, Samples, assemble, stratified
from qap.errors import QapError
from qap.files import slug
from qap.fixed import IntArray
from qap.flow.in_memory import train_network
from qap.network import IntegerNetwork, load_network, save_network
from qap.recipe import Recipe, load_recipe, parse_recipe

FEWEST = 3
"""Samples of the rarest class from which on a validation part is split off; of fewer all are trained and chosen on."""


class QapClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A quantized, pruned, distilled classifier whose decisions are those of the FPGA, bit by bit.

    Args:
        recipe: what is trained: the name of a built-in recipe, a TOML file, a `Recipe`, or the content of one. Its data
            set is not read, but how the data are scaled, split and weighed is; the last layer gets a neuron a class.
        changes: of the recipe, as `--set` takes them: `["prune.sparsity=0.9"]`; a list of such lists is a grid.
        random_state: instead of the recipe's seed; None keeps that.

    After `fit` it has `classes_`, `n_features_in_`, `network_` (the `IntegerNetwork`), `scaling_` (how features come
    onto its grid) and `recipe_`. A pickled classifier holds the network as the bytes of `network.npz`, which are
    proven again when they are read.

    Example:
        >>> classifier = QapClassifier("digits").fit(X_train, y_train)
        >>> classifier.score(X_test, y_test)
        >>> classifier.export_hls("firmware")
    """

    def __init__(
        self,
        recipe: str | Path | Recipe | Mapping[str, Any] = "digits",
        changes: Sequence[str] = (),
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.recipe = recipe
        self.changes = changes
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Train and freeze the recipe on features (n, n_features) and labels (n,).

        Raises:
            ValueError: they cannot be trained on.
            QapError: the recipe is wrong, or its student has no exact integer form.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"a classifier needs two classes or more, but y holds one class: {self.classes_[0]}")
        recipe = self._recipe()
        names = tuple(str(name) for name in self.classes_)
        data = _dataset(features, codes.astype(np.int64), names, recipe)
        self.recipe_ = recipe
        self.scaling_ = data.scaling
        self.network_ = train_network(recipe, data).network
        self._vectors = data.validation.x[:100]
        return self

    def _recipe(self) -> Recipe:
        """The recipe with its changes, its seed and one neuron for each class at its end."""
        given = self.recipe
        if isinstance(given, Mapping):
            recipe = parse_recipe(given, "QapClassifier")
        else:
            recipe = given if isinstance(given, Recipe) else load_recipe(given)
        seed = [] if self.random_state is None else [f"seed={_seed(self.random_state)}"]
        recipe = recipe.override([*self.changes, *seed])
        if recipe.student is None or not recipe.quantize.has_integer_form:
            raise QapError(f"the recipe {recipe.name!r} has no student with an integer form")
        if not recipe.student.layers:
            return recipe
        *hidden, last = recipe.student.layers
        layers = (*hidden, last.model_copy(update={"units": len(self.classes_)}))
        return recipe.model_copy(update={"student": recipe.student.model_copy(update={"layers": layers})})

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The classes (n,) that the integer network decides for features (n, n_features)."""
        decided = self._network.decide(self._logits(X))
        return np.asarray(self.classes_)[decided]

    def decision_function(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """The real logits (n, classes); of two classes the lead (n,) of the second one."""
        logits = self._network.output_format.to_float(self._logits(X))
        return np.asarray(logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits, np.float64)

    @property
    def _network(self) -> IntegerNetwork:
        check_is_fitted(self)
        network: IntegerNetwork = self.network_
        return network

    def _logits(self, X: npt.ArrayLike) -> IntArray:
        network = self._network
        features = validate_data(self, X, dtype=np.float64, reset=False)
        return network.forward(on_grid(features, self.scaling_, network.input_format))

    def export_hls(self, folder: str | Path) -> Path:
        """Write the HLS project of the network for the recipe's target; its test bench has samples of the training.

        Raises:
            DataError: the folder cannot be written.
            ToolMissing: the hls extra is not installed.
        """
        from qap.hardware.hls import write_project

        network, recipe = self._network, self.recipe_
        write_project(network, folder, name=slug(recipe.name, "classifier"), target=recipe.target, x_int=self._vectors)
        return Path(folder)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = _bytes_of(state["network_"])
            state["recipe_"] = state["recipe_"].to_toml()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state.get("network_"), bytes):
            state = {**state, "network_": _network_of(state["network_"]), "recipe_": _recipe_of(state["recipe_"])}
        super().__setstate__(state)


def _seed(random_state: int | np.random.RandomState) -> int:
    """A seed of a recipe; a generator gives the next of its own."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _dataset(features: npt.NDArray[np.float64], y: IntArray, names: tuple[str, ...], recipe: Recipe) -> Dataset:
    """The samples as a recipe's data, with a validation part; what stands for the test part is not read.

    Raises:
        ValueError: a feature cannot be brought onto the grid.
    """
    whole = Samples(features, y)
    if np.bincount(y).min() < FEWEST:
        train, held = Samples(np.tile(features, (2, 1)), np.tile(y, 2)), whole
    else:
        train, held = (Samples(features[part], y[part]) for part in stratified(y, recipe.data.validation, recipe.seed))
    raw = RawData("X", train, held, names, None, validation=held)
    try:
        wanted = recipe.data
        data = assemble("X", raw, wanted.input_format, wanted.validation, recipe.seed, scaling=wanted.scaling)
        return weighted(data, wanted.class_weights)
    except QapError as error:
        raise ValueError(str(error)) from error


def _bytes_of(network: IntegerNetwork) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        save_network(network, path)
        return path.read_bytes()


def _network_of(content: bytes) -> IntegerNetwork:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.npz"
        path.write_bytes(content)
        return load_network(path)


def _recipe_of(text: str) -> Recipe:
    import tomllib

    return parse_recipe(tomllib.loads(text), "a pickled QapClassifier")
