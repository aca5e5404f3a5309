"""What the stages up to the network write down of what they found."""

from pathlib import Path

import pytest
from support.needs import needing

from qap.flow import run_flow
from qap.network import IntegerLayer, TableLayer, ThresholdLayer, load_network
from qap.recipe import load_recipe
from qap.run import HISTORY, NETWORK, STUDENT, RunDirectory
from qap.training.history import History


@needing("tensorflow", "qkeras", "sklearn")
def test_a_run_of_tables_comes_to_its_network(tmp_path: Path) -> None:
    """With distorted copies and a convolutional teacher; the frozen network decides as the student does."""
    few = ["teacher.kind=cnn", "teacher.channels=[4]", "teacher.epochs=2", "student.epochs=4", "student.tables=[40]"]
    recipe = load_recipe("digits-tables").override([*few, "data.augment.copies=2"])
    run = RunDirectory.create(tmp_path / "run", recipe)
    records = run_flow(run, ["data", "teacher", "student", "freeze"])
    student, frozen = records["student"].result, records["freeze"].result
    assert student["units"] == student["units_trained"] == [40]
    assert student["accuracy"] == frozen["accuracy"]
    assert student["confusion"] == frozen["confusion"]
    kept = History.read_csv(run.file(HISTORY)).best.validation_accuracy
    assert student["accuracy"]["validation"] == pytest.approx(kept)
    assert kept > 0.2
    network = load_network(run.file(NETWORK))
    assert [type(layer) for layer in network.layers] == [ThresholdLayer, TableLayer, IntegerLayer]
    written = run.file(STUDENT).stat().st_mtime_ns
    run_flow(run, ["data", "teacher", "student", "freeze"])
    assert run.file(STUDENT).stat().st_mtime_ns == written
