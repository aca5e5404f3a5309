"""The record of a training as a file."""

from __future__ import annotations

import pytest

from qap.errors import DataError
from qap.training.history import EpochRecord, History

RECORDS = tuple(EpochRecord(epoch, 1 / epoch, 0.5, 0.1 * epoch, 1 / 3, 0.9, 1e-3 / 3, 0.25) for epoch in (1, 2, 3))


def test_a_history_comes_back_from_its_file(tmp_path):
    history = History(RECORDS, best_epoch=2)
    history.write_csv(tmp_path / "history.csv")
    assert History.read_csv(tmp_path / "history.csv") == history
    assert history.best == RECORDS[1]


def test_the_file_is_a_plain_table(tmp_path):
    History(RECORDS, best_epoch=3).write_csv(tmp_path / "history.csv")
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == (
        "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy,sparsity,learning_rate,seconds,kept"
    )
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["0", "0", "1"]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace("epoch", "epok", 1),
        lambda text: text.replace("0.5", "half", 1),
        lambda text: "\n".join(text.splitlines()[:2]) + "\n",
        lambda text: text[: text.rindex(",")],
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change):
    path = tmp_path / "history.csv"
    History(RECORDS, best_epoch=2).write_csv(path)
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match="is not a training history"):
        History.read_csv(path)
