"""The user's model as an exact integer network, on the inputs that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qap.errors import DataError
from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, load_network


class UserModel:
    """A model file: a Keras model, or an integer network.

    Args:
        path: the file.
        weights: of a JSON file.

    Raises:
        DataError: it cannot be read.
    """

    def __init__(self, path: Path, weights: Path | None = None) -> None:
        self.path = path
        self._network: IntegerNetwork | None = None
        self.keras: Any = None
        if path.suffix == ".npz":
            self._network = load_network(path)
        else:
            self.keras = _read_keras(path, weights)

    def network(self, form: FixedPoint) -> IntegerNetwork:
        """The network for inputs of a format; one that was frozen before keeps its own.

        Raises:
            NotExact: the model has no exact integer form.
        """
        if self._network is not None:
            return self._network
        from qap.freezing import freeze

        return freeze(self.keras, form)


def _read_keras(path: Path, weights: Path | None) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: there is no such model file")
    from qap.training.networks import load_model

    return load_model(path)
