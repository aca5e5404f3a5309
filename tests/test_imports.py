"""What an import loads, and that the linters' rules on who may import whom fail where they must."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BASE = {"numpy", "pydantic", "typer", "rich", "tomli_w"}

HEAVY = {
    "tensorflow", "keras", "qkeras", "hls4ml", "da4ml", "matplotlib", "sklearn", "pandas", "scipy", "jinja2", "h5py",
    "optuna", "dask",
}  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """The packages that a fresh Python has loaded after some code."""
    code += "\nimport sys\nprint(' '.join({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stderr.split())


def test_import_qap_loads_next_to_nothing():
    found = loaded_by("import qap")
    assert "qap" in found
    assert found & (HEAVY | BASE) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["condense", "--help"], ["--version"]])
def test_help_loads_neither_tensorflow_nor_anything_else_that_is_slow(arguments):
    found = loaded_by(f"from qap.cli import call\nassert call({arguments}) == 0")
    assert "typer" in found
    assert found & (HEAVY | {"numpy"}) == set()


@pytest.mark.parametrize(
    "code",
    [
        "from qap import load_recipe, RunDirectory, run_flow, load_network, agree, EmulatorEngine, load",
        "import qap.hardware.hls.csim",
        "from qap.cli import call\nassert call(['recipes']) == 0",
        "from qap.cli import call\nassert call(['datasets']) == 0",
        "from qap.cli import call\nassert call(['doctor']) == 0",
        "from qap.cli import call\nassert call(['devices']) == 0",
        "import qap.hardware.estimate.rtl, qap.hardware.vendor, qap.hardware.estimate.choice",
        "import qap\nqap.load('mnist-1v9')",
    ],
)
def test_light_commands_stay_light(code):
    assert loaded_by(code) & HEAVY == set()


# ---- the contracts of pyproject.toml


@pytest.fixture
def house(tmp_path):
    """A copy of the package with its contracts."""
    shutil.copytree(ROOT / "qap", tmp_path / "qap", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def contracts(house):
    """The exit code and the output of import-linter."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=house, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_are_kept(house):
    assert contracts(house)[0] == 0


def test_a_room_that_nobody_placed_breaks_the_contract(house):
    (house / "qap" / "attic.py").write_text('"""A new room."""\n')
    code, output = contracts(house)
    assert code == 1
    assert "attic" in output


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("run/stages.py", "from qap.flow import run_flow"),
        ("network/layer.py", "import qap.training"),
        ("hardware/tools.py", "from qap.hardware.rtl import write_rtl"),
        ("flow/stage.py", "def late():\n    import keras"),
        ("hardware/rtl/verilog.py", "import da4ml"),
    ],
)
def test_an_arrow_that_points_the_wrong_way_breaks_the_contract(house, module, line):
    with (house / "qap" / module).open("a") as file:
        file.write(f"\n{line}\n")
    code, output = contracts(house)
    assert code == 1
    assert "BROKEN" in output


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("verification.py", "import keras", "TID253"),
        ("cli/run.py", "import matplotlib", "TID253"),
        ("network/storage.py", "import pickle", "TID251"),
        ("doctor.py", "import os\nos.system('g++ --version')", "TID251"),
        ("doctor.py", "import subprocess\nsubprocess.run('g++ --version', shell=True)", "S602"),
        ("recipe/quantizer.py", "eval('1')", "S307"),
    ],
)
def test_ruff_refuses_what_must_not_be_imported_or_called(module, line, rule):
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", f"qap/{module}", "--select", rule, "-"]
    done = subprocess.run(command, cwd=ROOT, input=f"{line}\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert rule in done.stdout
