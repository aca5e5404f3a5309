"""The arrows between modules, read from their source: who may import what, and what may appear nowhere."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "qap").rglob("*.py"))
BASE = {"numpy", "pydantic", "typer", "rich", "tomli_w"}
EVERYWHERE = BASE | {"qap"} | sys.stdlib_module_names


@dataclass(frozen=True)
class Arrow:
    """Modules that match `who` may import a package: anywhere, or only `inside` a function of this name ("*": any)."""

    who: str
    inside: str | None = None

    def allows(self, module: str, function: str | None) -> bool:
        inside = self.inside is None or (function is not None and self.inside in ("*", function))
        return fnmatch(module, self.who) and inside


TRAINING = (Arrow("training/*"), Arrow("freezing/*"))
ALLOWED: dict[str, tuple[Arrow, ...]] = {
    "keras": (*TRAINING, Arrow("data/images.py", "*")),
    "qkeras": TRAINING,
    "tensorflow": (*TRAINING, Arrow("flow/tensorflow_import.py", "load_tensorflow")),
    "sklearn": (Arrow("data/images.py", "*"), Arrow("training/condensation/k_means.py")),
    "h5py": TRAINING,
    "hls4ml": (Arrow("hardware/hls/project.py", "*"), Arrow("hardware/hls/steps.py")),
    "da4ml": (Arrow("hardware/circuit/lowering.py"),),
    "optuna": (Arrow("explore/*"),),
    "dask": (Arrow("explore/*"),),
    "distributed": (Arrow("explore/*"),),
    "matplotlib": (
        Arrow("report/*"),
        Arrow("explore/*/report/*"),
        Arrow("explore/comparison/table.py"),
        Arrow("explore/sensitivity/heat_map.py"),
    ),
    "jinja2": (Arrow("report/[!_]*"), Arrow("hardware/*", "*"), Arrow("hardware/rtl/verilog.py")),
    "markupsafe": (Arrow("report/[!_]*"),),
}
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "qap.training": (
        "hardware/*", "data/*", "verification.py", "network/*",
        "fixed.py", "recipe/*",
        "freezing/*", "files.py", "run/*",
    ),
    "qap.cli": ("[!c]*", "c[!l]*"),
    "qap.flow": ("hardware/*", "training/*", "data/*", "verification.py", "network/*", "freezing/*", "run/*"),
}  # fmt: skip
UNSAFE_MODULES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "pty"}
UNSAFE_CALLS = {
    "os": {"system", "popen", "spawnl", "spawnlp", "spawnv", "spawnvp", "execl", "execv", "execvp"},
    "subprocess": {"getoutput", "getstatusoutput"},
    "asyncio": {"create_subprocess_shell"},
    "builtins": {"eval", "exec", "__import__"},
}
DYNAMIC = {"import_module", "__import__"}
MUST_BE_FALSE = {"shell", "allow_pickle"}
MUST_BE_TRUE = {"safe_mode"}


class Import(NamedTuple):
    """An import of a dotted name, where it stands, and the innermost function around it."""

    name: str
    line: int
    function: str | None


def problems(source: str, module: str) -> list[str]:
    """What is wrong with a source file.

    Args:
        source: its text.
        module: its path relative to the package, with slashes.
    """
    tree = ast.parse(source)
    found = [f"{module}:{each.line}: {why}" for each in imports(tree, module) if (why := _wrong_import(each, module))]
    return found + [f"{module}:{node.lineno}: {why}" for node, why in _unsafe(tree, module)]


def imports(tree: ast.AST, module: str, function: str | None = None) -> Iterator[Import]:
    """All imports, those inside of functions and the dynamic ones with a constant name included."""
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, module)
            yield from (Import(f"{base}.{alias.name}", node.lineno, function) for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in DYNAMIC and (name := _constant_argument(node)):
            yield Import(name, node.lineno, function)
        yield from imports(node, module, inner)


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if node.level == 0:
        return str(node.module)
    folder = ["qap", *module.split("/")[:-1]]
    parts = folder[: len(folder) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _constant_argument(node: ast.Call) -> str | None:
    return str(node.args[0].value) if node.args and isinstance(node.args[0], ast.Constant) else None


def _wrong_import(found: Import, module: str) -> str | None:
    package = found.name.partition(".")[0]
    if package in UNSAFE_MODULES:
        return f"imports {package}: nothing is unpickled"
    for target, who in FORBIDDEN.items():
        if f"{found.name}.".startswith(f"{target}.") and any(fnmatch(module, pattern) for pattern in who):
            return f"imports {target}, which points the wrong way"
    if package in EVERYWHERE:
        return None
    if package not in ALLOWED:
        return f"imports {package}, which no rule knows"
    if not any(arrow.allows(module, found.function) for arrow in ALLOWED[package]):
        return f"imports {package}{f' inside {found.function}' if found.function else ''}"
    return None


def _unsafe(tree: ast.AST, module: str) -> Iterator[tuple[ast.expr, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("eval", "exec"):
            yield node, f"{node.id} appears nowhere"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in UNSAFE_CALLS.get(node.value.id, ()):
                yield node, f"{node.value.id}.{node.attr} appears nowhere"
        elif isinstance(node, ast.Call):
            if _called(node) == "enable_unsafe_deserialization":
                yield node, "Keras files are loaded in safe mode"
            elif _called(node) in DYNAMIC and _constant_argument(node) is None and module != "__init__.py":
                yield node, "imports a name that is only known when it runs"
            for keyword in node.keywords:
                constant = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                if keyword.arg in MUST_BE_FALSE and constant is not False:
                    yield keyword.value, f"{keyword.arg} must be False"
                if keyword.arg in MUST_BE_TRUE and constant is not True:
                    yield keyword.value, f"{keyword.arg} must be True"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name in UNSAFE_CALLS.get(str(node.module), ()):
                    yield ast.Constant(0, lineno=node.lineno), f"{node.module}.{alias.name} appears nowhere"


def relative(path: Path) -> str:
    return path.relative_to(ROOT / "qap").as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_arrows_point_one_way(path):
    assert problems(path.read_text(encoding="utf-8"), relative(path)) == []


def test_every_layer_of_the_package_is_read():
    expected = {
        "__init__.py",
        "flow/stage.py",
        "cli/run.py",
        "data/images.py",
        "training/fit.py",
        "hardware/hls/csim.py",
    }
    assert expected <= {relative(path) for path in SOURCES}


WRONG = [
    ("verification.py", "import keras"),
    ("verification.py", "import keras.ops as ops"),
    ("verification.py", "from keras import ops"),
    ("verification.py", "def f():\n    import tensorflow as tf"),
    ("flow/stage.py", "import tensorflow"),
    ("flow/stage.py", "def _verify():\n    import tensorflow"),
    ("flow/tensorflow_import.py", "def load_tensorflow():\n    import keras"),
    ("data/images.py", "import keras"),
    ("data/images.py", "try:\n    from sklearn.datasets import load_digits\nexcept ImportError:\n    pass"),
    ("data/tables.py", "def f():\n    import sklearn"),
    ("training/fit.py", "import sklearn"),
    ("training/condensation/herding.py", "import sklearn"),
    ("training/fit.py", "import hls4ml"),
    ("training/fit.py", "def f():\n    class A:\n        def g(self):\n            import matplotlib.pyplot"),
    ("hardware/hls/project.py", "import hls4ml"),
    ("hardware/hls/csim.py", "def f():\n    import hls4ml"),
    ("hardware/hls/project.py", "def f():\n    import da4ml"),
    ("hardware/circuit/lowering.py", "def f():\n    import hls4ml"),
    ("hardware/hls/project.py", "import jinja2"),
    ("report/__init__.py", "import jinja2"),
    ("hardware/estimate.py", "import optuna"),
    ("report/page.py", "import dask"),
    ("report/page.py", "import tensorflow"),
    ("cli/run.py", "def run():\n    import matplotlib"),
    ("network/network.py", "import pandas"),
    ("network/network.py", "import requests"),
    ("network/network.py", "if TYPE_CHECKING:\n    from qap.training import History"),
    ("network/network.py", "from qap import training"),
    ("network/network.py", "from .. import training"),
    ("network/network.py", "def f():\n    from ..training.fit import fit"),
    ("hardware/hls/project.py", "from ...training import fit"),
    ("hardware/hls/project.py", "from ... import training"),
    ("hardware/circuit/lowering.py", "import qap.training.fit"),
    ("verification.py", "from importlib import import_module\nimport_module('qap.training')"),
    ("verification.py", "import importlib\nimportlib.import_module('keras')"),
    ("verification.py", "__import__('keras')"),
    ("verification.py", "import importlib\nimportlib.import_module(name)"),
    ("verification.py", "import importlib\nimportlib.import_module(name='keras')"),
    ("hardware/resources.py", "from qap.freezing.engine import KerasEngine"),
    ("freezing/freezing.py", "from qap.training import fit"),
    ("flow/stage.py", "from qap.cli.console import errors"),
    ("training/fit.py", "import qap.flow"),
    ("network/storage.py", "import pickle"),
    ("network/storage.py", "def f():\n    from pickle import loads"),
    ("network/storage.py", "import marshal, shelve"),
    ("network/storage.py", "np.load(path, allow_pickle=True)"),
    ("network/storage.py", "np.load(path, allow_pickle=trust)"),
    ("training/networks.py", "load_model(path, safe_mode=False)"),
    ("training/networks.py", "keras.config.enable_unsafe_deserialization()"),
    ("doctor.py", "import os\nos.system('g++ --version')"),
    ("doctor.py", "from os import system"),
    ("doctor.py", "import os\nos.popen('g++ --version')"),
    ("doctor.py", "subprocess.run('g++ --version', shell=True)"),
    ("doctor.py", "subprocess.Popen(command, shell=shell)"),
    ("doctor.py", "subprocess.getoutput('g++ --version')"),
    ("recipe/quantizer.py", "eval(text)"),
    ("recipe/quantizer.py", "parse = eval"),
    ("recipe/quantizer.py", "exec(text, {})"),
    ("recipe/quantizer.py", "import builtins\nbuiltins.eval(text)"),
]


@pytest.mark.parametrize(("module", "source"), WRONG)
def test_the_check_itself_fails_where_it_must(module, source):
    assert len(problems(source, module)) == 1 or "marshal" in source


RIGHT = [
    ("training/fit.py", "import keras\nimport tensorflow as tf\nfrom qap.recipe import Recipe"),
    ("training/deep/er.py", "import qkeras"),
    ("training/condensation/k_means.py", "from sklearn.cluster import KMeans"),
    ("freezing/freezing.py", "import keras"),
    ("flow/tensorflow_import.py", "def load_tensorflow():\n    import tensorflow as tf"),
    ("flow/stage.py", "def _teacher():\n    from qap.training import train_teacher"),
    ("data/images.py", "def digits():\n    from sklearn.datasets import load_digits\n    import keras"),
    ("hardware/hls/project.py", "def f():\n    import hls4ml\n    import jinja2"),
    ("hardware/hls/steps.py", "import hls4ml"),
    ("hardware/circuit/lowering.py", "import da4ml"),
    ("explore/search.py", "import optuna"),
    ("report/figures.py", "import matplotlib"),
    ("network/network.py", "import numpy as np\nimport hashlib\nfrom .layer import IntegerLayer"),
    ("cli/app.py", "from qap.cli import run"),
    ("recipe/quantizer.py", "ast.literal_eval(text)\nre.compile(text)\nmodel.eval()"),
    ("doctor.py", "subprocess.run([path, '--version'], shell=False)\nnp.load(path, allow_pickle=False)"),
    ("training/networks.py", "keras.saving.load_model(path, safe_mode=True)"),
]


@pytest.mark.parametrize(("module", "source"), RIGHT)
def test_the_check_lets_through_what_is_right(module, source):
    assert problems(source, module) == []


# ---- what is really imported

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


def test_every_public_name_is_there():
    """The names of the package are promises: each must exist in the module that it is looked up in."""
    import qap

    for name, home in qap._HOME.items():
        source = ROOT / Path(*home.split("."))
        text = (source / "__init__.py" if source.is_dir() else source.with_suffix(".py")).read_text(encoding="utf-8")
        assert f" {name}" in text or f"\n{name}" in text or f'"{name}"' in text, f"{home} has no {name}"
    assert set(qap._HOME) <= set(dir(qap))
    with pytest.raises(AttributeError, match="module 'qap' has no attribute 'nonsense'"):
        qap.nonsense  # noqa: B018
