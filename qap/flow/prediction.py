"""New samples, classified by an engine of a run."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from qap.data import read_samples
from qap.errors import DataError, QapError, ToolMissing
from qap.files import user_path
from qap.fixed import IntArray
from qap.flow.engines import make_engine
from qap.network import IntegerNetwork, load_network
from qap.run import NETWORK, RunDirectory
from qap.run.engines import ENGINES


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network answers to new samples.

    Args:
        network: the network.
        logits: (n, n_out), in LSBs of its output format.
    """

    network: IntegerNetwork
    logits: IntArray

    @property
    def classes(self) -> IntArray:
        """Class indices (n,)."""
        return self.network.decide(self.logits)

    @property
    def names(self) -> list[str]:
        """The name of each sample's class."""
        return [self.network.class_names[index] for index in self.classes]

    def to_csv(self) -> str:
        """A row a sample: its number from 0 on, its class, its logits as real numbers."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        names = self.network.class_names if self.network.n_out > 1 else self.network.class_names[1:]
        table.writerow(["sample", "class", *(f"logit {name}" for name in names)])
        real = self.network.output_format.to_float(self.logits)
        table.writerows(
            [index, name, *row] for index, (name, row) in enumerate(zip(self.names, real.tolist(), strict=True))
        )
        return text.getvalue()


def predict(run: RunDirectory, file: str | Path, engine: str = "emulator") -> Prediction:
    """Classify the samples of a file.

    Args:
        run: a run that is frozen.
        file: a table, an NPZ or an IDX file (`qap.data.read_samples`).
        engine: out of `qap.run.engines.ENGINES`.

    Raises:
        DataError: the file, the run's network or what the engine reads is missing or not as it must be.
        ToolMissing: the engine cannot run.
        QapError: there is no such engine.
    """
    if engine not in ENGINES:
        raise QapError(f"no engine {engine!r} (there are: {', '.join(ENGINES)})")
    for name in (NETWORK, *ENGINES[engine].files(run.recipe)):
        if not run.file(name).exists():
            raise DataError(f"{run.path} has no {name} yet, which {engine} reads; qap run makes it")
    network, data = load_network(run.file(NETWORK)), run.dataset
    made = make_engine(run, engine)
    if reason := made.available():
        raise ToolMissing(f"{engine} cannot run: {reason}")
    return Prediction(network, made.run(network, read_samples(user_path(file), data)))
