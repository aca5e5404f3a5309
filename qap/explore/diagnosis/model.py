"""The user's model as an exact integer network, on the inputs that it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qap.errors import DataError
from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, StepTable, connect, load_network


class UserModel:
    """A model file: whatever `qap.importing` reads, or an integer network.

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
            from qap.importing import read_model

            self.keras = read_model(path, weights)

    def network(self, form: FixedPoint) -> IntegerNetwork:
        """The network for inputs of a format.

        One that was frozen before is connected anew, unless its staircases belong to the format that it has.

        Raises:
            DataError: layers of the model are float.
            NotExact: the model has no exact integer form.
        """
        known = self._network
        if known is not None:
            if any(isinstance(layer.activation, StepTable) for layer in known.only_weighted("qap diagnose")):
                return known
            return connect(form, known.specs(), known.class_names)
        from qap.freezing import freeze
        from qap.importing import is_float

        if is_float(self.keras):
            raise DataError(
                f"{self.path} has float layers, which no hardware equals; qap import {self.path} --precision 16,6 "
                "quantizes them as hls4ml does by default, and the network.npz of its run can be compared"
            )
        return freeze(self.keras, form)
