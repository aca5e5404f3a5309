"""What a training leaves behind: one record for each epoch, and the epoch whose weights were kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from qap.errors import DataError
from qap.files import write_text
from qap.rows import data_frame_of


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One epoch.

    Args:
        epoch: from 1 on.
        train_loss: mean of what was minimized, over the samples as they were seen during the epoch.
        train_accuracy: share of them, 0 to 1, decided correctly at that moment.
        validation_loss: mean cross-entropy (nats) after the epoch.
        validation_accuracy: share, 0 to 1, after the epoch.
        sparsity: share of masked weights, 0 to 1, after the epoch.
        learning_rate: of the last step.
        seconds: wall time, validation included.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    sparsity: float
    learning_rate: float
    seconds: float


Tell = Callable[[EpochRecord], None]
"""Is told of every epoch."""


@dataclass(frozen=True, slots=True)
class History:
    """All epochs of one training.

    Args:
        records: one for each epoch, in order.
        best_epoch: the epoch whose weights the model now has.
    """

    records: tuple[EpochRecord, ...]
    best_epoch: int

    @property
    def best(self) -> EpochRecord:
        """The record of the epoch whose weights were kept."""
        return self.records[self.best_epoch - 1]

    def to_dataframe(self) -> Any:
        """Every epoch as a row of a `pandas.DataFrame`.

        Raises:
            ToolMissing: pandas is not installed.
        """
        return data_frame_of([asdict(record) for record in self.records])

    def write_csv(self, path: Path) -> None:
        """Write one row for each epoch; the column `kept` is 1 for the best one.

        Raises:
            DataError: the file cannot be written.
        """
        text = io.StringIO()
        writer = csv.DictWriter(text, [*_COLUMNS, "kept"], lineterminator="\n")
        writer.writeheader()
        for record in self.records:
            writer.writerow({**asdict(record), "kept": int(record.epoch == self.best_epoch)})
        write_text(path, text.getvalue())

    @classmethod
    def read_csv(cls, path: Path) -> History:
        """Read what `write_csv` wrote.

        Raises:
            DataError: the file cannot be read or is not a history.
        """
        try:
            rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
            records = tuple(
                EpochRecord(int(row["epoch"]), *(float(row[column]) for column in _COLUMNS[1:])) for row in rows
            )
            kept = [int(row["epoch"]) for row in rows if int(row["kept"])]
            if len(kept) != 1 or [record.epoch for record in records] != list(range(1, len(records) + 1)):
                raise ValueError("its epochs are not complete")
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} is not a training history: {error}") from error
        return cls(records, kept[0])


_COLUMNS = [field.name for field in fields(EpochRecord)]
