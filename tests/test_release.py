"""The release: one version everywhere, the name that pip knows, and packages that work without the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from support.needs import needs

import qap
from qap.errors import DISTRIBUTION, install_extra

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "constraints.txt", "MANIFEST.in", "pyproject.toml")
TEXTS = ("README.md", "docs", "scripts", "qap", "notebooks", "hls_projects/README.md", ".ci")
OTHER_PROJECT = re.compile(r"(?<![\w-])qap\[[a-z]")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# ---- names and versions


def test_the_version_is_the_same_everywhere() -> None:
    assert "version" not in PROJECT, "the version stands in qap/__init__.py alone"
    version, date = re.findall(r"^## (\S+) - (\d{4}-\d\d-\d\d)$", text("CHANGELOG.md"), re.MULTILINE)[0]
    cited = re.search(r'^version: (\S+)\ndate-released: "(.*)"$', text("CITATION.cff"), re.MULTILINE)
    assert cited is not None
    assert (version, date) == cited.groups()
    assert version == qap.__version__


def test_the_changelog_has_sections_that_are_known() -> None:
    headings = re.findall(r"^### (.*)$", text("CHANGELOG.md"), re.MULTILINE)
    assert set(headings) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_extras_are_those_of_this_project() -> None:
    assert PROJECT["name"] == DISTRIBUTION
    own = [each for extra in PROJECT["optional-dependencies"].values() for each in extra if each.startswith("qap")]
    assert own and all(each.startswith(f"{DISTRIBUTION}[") for each in own)
    assert install_extra("train") == "pip install 'qap-fpga[train]'"


def test_nobody_is_told_to_install_another_project() -> None:
    files = [path for name in TEXTS for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.is_file()]
    told = {
        str(path.relative_to(ROOT))
        for path in files
        if "__pycache__" not in path.parts and OTHER_PROJECT.search(path.read_bytes().decode("utf-8", "replace"))
    }
    assert told == set()
    assert len(files) > 100


@pytest.mark.parametrize(
    ("line", "is_wrong"),
    [
        ("pip install 'qap[train]'", True),
        ('-e "qap[all]"', True),
        ("pip install 'qap-fpga[train]'", False),
        ("$wrap[a]", False),
    ],
)
def test_the_name_of_the_other_project_would_be_seen(line: str, is_wrong: bool) -> None:
    assert bool(OTHER_PROJECT.search(line)) == is_wrong


# ---- packages


def run(*command: object, cwd: Path | None = None) -> str:
    """The standard output of a program that must succeed, away from the checkout."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "QAP_DATA_DIR")}
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A source distribution of a copy of the checkout, and the wheel that pip builds from it, without a network."""
    wanted = next(each for each in PROJECT["optional-dependencies"]["dev"] if each.startswith("setuptools"))
    if int(metadata.version("setuptools").partition(".")[0]) < int(wanted.partition(">=")[2]):
        pytest.skip(f"{wanted} is not installed")
    folder = tmp_path_factory.mktemp("release")
    source, dist = folder / "source", folder / "dist"
    shutil.copytree(ROOT / "qap", source / "qap", ignore=shutil.ignore_patterns("__pycache__"))
    for name in SHIPPED:
        shutil.copy(ROOT / name, source)
    build = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    run(sys.executable, "-c", build, dist, cwd=source)
    (archive,) = dist.glob("*.tar.gz")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", dist, archive, cwd=folder)
    (wheel,) = dist.glob("*.whl")
    return archive, wheel


def package_files() -> set[str]:
    files = (path for path in (ROOT / "qap").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix() for path in files}


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(packages: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(packages[1]) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    information = f"qap_fpga-{qap.__version__}.dist-info"
    assert packages[1].name == f"qap_fpga-{qap.__version__}-py3-none-any.whl"
    assert {name for name in names if not name.startswith(information)} == package_files()
    licences = {f"{information}/licenses/{name}" for name in ("LICENSE", "qap/data/embedded/LICENSE-MNIST.md")}
    assert licences <= names


@pytest.mark.slow
def test_the_source_distribution_holds_what_the_package_is_built_from(packages: tuple[Path, Path]) -> None:
    with tarfile.open(packages[0]) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    assert packages[0].name == f"qap_fpga-{qap.__version__}.tar.gz"
    made = {name for name in names if name.startswith("qap_fpga.egg-info/")} | {"PKG-INFO", "setup.cfg"}
    assert names - made == package_files() | set(SHIPPED)


@pytest.mark.slow
def test_the_installed_wheel_runs_without_the_checkout(packages: tuple[Path, Path], tmp_path: Path) -> None:
    needs("tensorflow", "qkeras", "sklearn", "hls4ml", "matplotlib", "jinja2", "g++")
    environment, empty = tmp_path / "environment", tmp_path / "empty"
    empty.mkdir()
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    python, program = environment / "bin" / "python", environment / "bin" / "qap"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", packages[1], cwd=empty)
    own = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    installed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (Path(own) / "packages.pth").write_text("\n".join(installed), encoding="utf-8")
    home = run(python, "-c", "import qap; print(qap.__file__)", cwd=empty).strip()
    assert Path(home) == Path(own) / "qap" / "__init__.py"
    assert run(program, "--version", cwd=empty) == f"qap {qap.__version__}\n"
    few = ("--set", "teacher.epochs=4", "--set", "student.epochs=30", "--set", "accuracy_floor=0.5")
    said = run(program, "run", "digits", "--no-rtl", *few, "--out", "run", cwd=empty)
    assert said.count("0 mismatches") == 3
    assert (empty / "run" / "report.html").exists()
    assert "pip install" not in run(program, "recipes", cwd=empty)
    assert {path.name for path in empty.iterdir()} == {"run"}
