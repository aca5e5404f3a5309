"""The reference projects in hls_projects/ are what the scripts write today, without the files of others."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support.needs import needing, needs

needs("hls4ml")

import hls4ml

from qap.data import load
from qap.network import load_network
from qap.recipe import load_recipe

ROOT = Path(__file__).resolve().parents[1]
PROJECTS = ROOT / "hls_projects"
FIRMWARE = ("parameters.h", "defines.h", "weights/w2.h", "weights/b2.h", "weights/w4.h", "weights/b4.h")
OURS = {
    "mnist_1v9": {
        *("README.md", "recipe.toml", "network.npz", "qap_project.json", "hls4ml_config.yml"),
        *("qap_mnist_1v9_test.cpp", "csim.sh", "tb_data/inputs.dat", "tb_data/golden.dat"),
        *(f"firmware/{name}" for name in FIRMWARE),
    }
}

in_a_checkout = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no git checkout")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where the other script finds it
    spec.loader.exec_module(module)
    return module


regenerating = script("regenerate_hls_projects")
completing = script("complete_hls_projects")


@pytest.fixture(scope="module", params=regenerating.RECIPES)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project as it is written today."""
    folder = tmp_path_factory.mktemp("written") / request.param
    recipe = load_recipe(regenerating.RECIPES[request.param])
    regenerating.regenerate(folder, recipe, load_network(PROJECTS / request.param / "network.npz"))
    return folder


@pytest.fixture(scope="module")
def completed(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed, completed by the command."""
    folder = tmp_path_factory.mktemp("completed") / written.name
    for name in OURS[written.name]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECTS / written.name / name, folder / name)
    command = [sys.executable, ROOT / "scripts" / "complete_hls_projects.py", folder]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"{folder}: {len(files(written)) - len(OURS[written.name])} files put in place" in said
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def differences(a: Path, b: Path, names: set[str]) -> list[str]:
    """Those of the files that are not the same in two folders."""
    return sorted(
        name
        for name in names
        if not (a / name).exists() or not (b / name).exists() or (a / name).read_bytes() != (b / name).read_bytes()
    )


def verbatim(folder: Path, names: set[str]) -> set[str]:
    """Those of the files that hls4ml brings byte for byte."""
    theirs = {path.read_bytes() for path in Path(hls4ml.__file__).parent.rglob("*") if path.is_file()}
    return {name for name in names if (folder / name).read_bytes() in theirs}


def test_what_is_committed_is_up_to_date(written: Path) -> None:
    assert differences(PROJECTS / written.name, written, OURS[written.name]) == []


def test_a_completed_project_is_what_is_written(written: Path, completed: Path) -> None:
    assert differences(written, completed, files(written) | files(completed)) == []


def test_one_changed_byte_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "same").write_text("1")
    (tmp_path / "b" / "same").write_text("1")
    assert differences(tmp_path / "a", tmp_path / "b", {"same"}) == []
    (tmp_path / "b" / "same").write_text("2")
    (tmp_path / "b" / "more").write_text("1")
    assert differences(tmp_path / "a", tmp_path / "b", {"same", "more"}) == ["more", "same"]


@in_a_checkout
def test_exactly_our_files_are_committed_and_all_others_ignored(written: Path) -> None:
    where = f"hls_projects/{written.name}"
    tracked = subprocess.run(["git", "ls-files", where], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(tracked.splitlines()) == {f"{where}/{name}" for name in OURS[written.name]}
    paths = "\n".join(f"{where}/{name}" for name in files(written))
    command = ["git", "check-ignore", "--no-index", "--stdin"]
    ignored = subprocess.run(command, cwd=ROOT, input=paths, capture_output=True, text=True, check=True).stdout
    assert set(ignored.splitlines()) == {f"{where}/{name}" for name in files(written) - OURS[written.name]}


def test_no_committed_file_is_a_copy(written: Path) -> None:
    assert verbatim(written, OURS[written.name]) == set()
    assert {"build_prj.tcl", "firmware/nnet_utils/nnet_dense.h", "firmware/ap_types/ap_fixed.h"} <= verbatim(
        written, files(written)
    )


def test_completing_again_changes_nothing(completed: Path) -> None:
    before = {name: (completed / name).stat().st_mtime_ns for name in files(completed)}
    assert completing.complete(completed) == ([], [])
    assert {name: (completed / name).stat().st_mtime_ns for name in files(completed)} == before


def test_a_file_of_the_user_is_left_alone_and_named(
    completed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / completed.name
    shutil.copytree(completed, folder)
    (folder / "build_prj.tcl").write_text("# mine\n")
    (folder / "vivado_synth.tcl").unlink()
    monkeypatch.setattr(sys, "argv", ["complete_hls_projects.py", str(folder)])
    assert completing.main() == 1
    said = capsys.readouterr()
    assert f"error: {folder / 'build_prj.tcl'} is not what is written today" in said.err and said.err.count("\n") == 1
    assert (folder / "build_prj.tcl").read_text() == "# mine\n"
    assert (folder / "vivado_synth.tcl").read_bytes() == (completed / "vivado_synth.tcl").read_bytes()


def test_a_folder_without_a_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["complete_hls_projects.py", str(tmp_path)])
    assert completing.main() == 2
    assert "recipe.toml" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow  # g++ needs 10 s for a thousand weights
@needing("g++")
def test_a_completed_project_compiles_and_gives_the_golden_results(completed: Path) -> None:
    said = subprocess.run(["bash", "csim.sh"], cwd=completed, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "INFO: 100 samples, 0 mismatches"


@pytest.mark.parametrize(("name", "recipe_name"), regenerating.RECIPES.items())
def test_the_table_tells_what_the_projects_are(name: str, recipe_name: str) -> None:
    recipe, network = load_recipe(recipe_name), load_network(PROJECTS / name / "network.npz")
    data = load(recipe.data.name, input_format=str(network.input_format), seed=recipe.seed)
    shape = "-".join(str(n) for n in (network.n_in, *(layer.n_out for layer in network.layers)))
    row = (
        f"| [{name}]({name}/) | `{recipe.name}`, seed {recipe.seed} | {shape}, {network.nonzeros} non-zero parameters "
        f"| {regenerating.judged(network, data)} |"
    )
    assert row in (PROJECTS / "README.md").read_text(encoding="utf-8").splitlines()
