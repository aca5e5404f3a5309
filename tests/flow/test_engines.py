"""The table of engines, and the page that says how one is written."""

import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest
from support.random_networks import every_mode, random_network
from typer.testing import CliRunner

from qap.cli.app import app
from qap.errors import DataError, QapError
from qap.flow.engines import make_engine
from qap.flow.verification import verify_run
from qap.hardware.rtl import RtlOptions, write_rtl
from qap.network import load_network, save_network
from qap.recipe import load_recipe
from qap.run import NETWORK, RTL, RunDirectory
from qap.run.engines import ENGINES, EngineSource, engines_of
from qap.run.stages import STAGES
from qap.testing import FlippedEngine
from qap.verification import EmulatorEngine, adversarial_vectors, agree

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"


@pytest.fixture
def run(tmp_path):
    """A frozen run with the RTL of its network, which ECP5 is the target of."""
    recipe = load_recipe("mnist-1v9").override(["rtl.enabled=true", "rtl.target=ecp5"])
    run = RunDirectory.create(tmp_path / "run", recipe)
    save_network(random_network(every_mode(("relu", "relu"), 0)[0]), run.file(NETWORK))
    return run


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_where_the_table_says(name):
    module, _, maker = ENGINES[name].made_by.partition(":")
    assert callable(attrgetter(maker)(import_module(module)))


def test_engines_are_made_of_the_run_and_its_recipe(run):
    write_rtl(load_network(run.file(NETWORK)), run.file(RTL), RtlOptions(interface="parallel"))
    for name in ("emulator", "csim", "rtl", "axis", "netlist"):
        assert make_engine(run, name).name == name
    assert make_engine(run, "netlist")._target == "ecp5", "the netlist that is verified is the one that is counted"


def test_another_target_is_verified_again(run):
    stage = STAGES["verify"]
    other = RunDirectory(run.path, run.recipe.override(["rtl.target=xc7"]))
    assert stage.settings(run) != stage.settings(other)
    without = [RunDirectory(run.path, each.recipe.override(["rtl.enabled=false"])) for each in (run, other)]
    assert stage.settings(without[0]) == stage.settings(without[1])


def test_what_an_engine_reads_is_read_by_the_stage():
    with_rtl = load_recipe("mnist-1v9").override(["rtl.enabled=true"])
    read = STAGES["verify"].reads(with_rtl)
    assert all(file in read for name in engines_of(with_rtl) for file in ENGINES[name].files(with_rtl))
    without = STAGES["verify"].reads(with_rtl.override(["rtl.enabled=false"]))
    assert set(read) - set(without) == {"rtl", "synth/xc7-core"}


def test_only_a_recipe_with_a_stream_asks_for_the_engine_of_the_stream():
    recipe = load_recipe("mnist-1v9").override(["rtl.enabled=true"])
    assert engines_of(recipe) == ("keras", "emulator", "csim", "rtl", "axis", "netlist")
    assert engines_of(recipe.override(["rtl.interface=parallel"])) == ("keras", "emulator", "csim", "rtl", "netlist")
    assert engines_of(recipe.override(["rtl.enabled=false"])) == ("keras", "emulator", "csim")


def test_an_engine_on_request_is_in_no_run_by_itself(monkeypatch):
    recipe = load_recipe("mnist-1v9").override(["rtl.enabled=true"])
    before = engines_of(recipe)
    monkeypatch.setitem(ENGINES, "new", EngineSource("qap.verification:EmulatorEngine", on_request=True))
    assert engines_of(recipe) == before
    monkeypatch.setitem(ENGINES, "new", EngineSource("qap.verification:EmulatorEngine"))
    assert engines_of(recipe) == (*before, "new")


def test_help_and_documentation_name_every_engine():
    help_text = " ".join(CliRunner().invoke(app, ["verify", "--help"], terminal_width=300).output.split())
    assert ",".join(ENGINES) in help_text
    table = PAGE.read_text(encoding="utf-8").partition("| Engine |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(ENGINES)


def test_an_engine_needs_its_files_and_a_known_name(run):
    assert make_engine(run, "emulator").available() is None
    with pytest.raises(DataError, match="make one with qap rtl"):
        make_engine(run, "rtl")
    with pytest.raises(
        QapError, match=r"no engine 'kerass' \(there are: keras, onnx, emulator, csim, rtl, axis, netlist\)"
    ):
        verify_run(run, ["emulator", "kerass"])


def blocks():
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def page():
    """What the code of the page defines."""
    names = {}
    for block in blocks():
        exec(block, names)
    return names


def test_the_engine_of_the_documentation_agrees_on_its_network(page):
    assert str(page["agreement"]) == "emulator == python on 263 test vectors: 0 mismatches"


@pytest.mark.parametrize("choice", every_mode(("relu", "steps"), seed=3))
def test_the_engine_of_the_documentation_agrees_on_others_and_can_fail(page, choice):
    network = random_network(choice)
    x = adversarial_vectors(network.input_format, network.n_in)
    engine = page["PythonEngine"]()
    assert agree([EmulatorEngine(), engine], network, x)[0].exact
    assert agree([EmulatorEngine(), FlippedEngine(engine)], network, x)[0].mismatches == 1
