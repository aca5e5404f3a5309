"""`qap diagnose`: what it refuses before anything is compiled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.hls4ml_projects import small_network
from support.needs import needs
from support.small_firmware import write_small_firmware

from qap.cli import call
from qap.network import save_network


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Path, str]:
    """A network of 16 inputs, a project of 2, and data of 16."""
    save_network(small_network(), tmp_path / "network.npz")
    x = np.random.default_rng(0).integers(0, 256, (60, 16)).astype(np.uint8)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(60) % 3)
    return tmp_path / "network.npz", write_small_firmware(tmp_path / "hls"), f"npz:{tmp_path / 'data.npz'}"


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of an error."""
    assert call(["diagnose", *map(str, arguments)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


def test_what_is_compared_must_be_named(case: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    model, project, data = case
    assert "name either the hls4ml project" in refused(capsys, model, "--data", data)
    both = (model, "--project", project, "--config", project / "x.yml", "--data", data)
    assert "name either the hls4ml project" in refused(capsys, *both)
    assert "name a data set: --data SOURCE" in refused(capsys, model, "--project", project)


def test_a_folder_that_is_no_project_is_named(
    case: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model, _, data = case
    assert "there is no such folder" in refused(capsys, model, "--project", tmp_path / "none", "--data", data)
    assert "it has no folder firmware/" in refused(capsys, model, "--project", tmp_path, "--data", data)


def test_widths_must_fit(case: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model, project, data = case
    line = refused(capsys, model, "--project", project, "--data", data)
    assert f"{project} has 2 inputs, but the model {model} takes 16" in line
    np.savez(tmp_path / "thin.npz", x=np.zeros((60, 3), np.uint8), y=np.arange(60) % 3)
    line = refused(capsys, model, "--project", project, "--data", f"npz:{tmp_path / 'thin.npz'}")
    assert f"the data have 3 inputs, but the model {model} takes 16" in line
    np.savez(tmp_path / "few.npz", x=np.zeros((60, 16), np.uint8), y=np.arange(60) % 7)
    line = refused(capsys, model, "--project", project, "--data", f"npz:{tmp_path / 'few.npz'}")
    assert f"the data have 7 classes, but {model} has " in line


def test_a_float_model_is_refused_with_the_way_out(
    case: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    needs("tensorflow")
    import keras

    _, project, data = case
    model = tmp_path / "float.keras"
    keras.Sequential([keras.Input((16,)), keras.layers.Dense(3)]).save(model)
    line = refused(capsys, model, "--project", project, "--data", data)
    assert f"{model} has float layers" in line
    assert f"qap import {model} --precision 16,6" in line


def test_a_configuration_names_the_layers_of_a_keras_model(
    case: tuple[Path, Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    model, _, data = case
    (tmp_path / "hls4ml.yml").write_text("HLSConfig: {Model: {Precision: 'ap_fixed<16,6>'}}\n")
    line = refused(capsys, model, "--config", tmp_path / "hls4ml.yml", "--data", data)
    assert "is an integer network; --config needs the Keras model" in line
