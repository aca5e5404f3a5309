"""What version 0.1.0 wrote still opens, in every command that takes a run, a sweep, a network or a model."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.needs import needs
from typer.main import get_command

from qap.cli import call
from qap.cli.app import app

KEPT = Path(__file__).parent / "support" / "kept" / "0.1.0"
NETWORK_DIGEST = "ce3b1a463f4e90f6e1d38eb00e7e96c5fe3599dfdcb520d30d0905ed2ecedca1"
ACCURACY = {"test": 2130 / 2144, "validation": 1261 / 1269}
RESOURCES = {"classifier": (94, 144), "classifier_axis": (142, 242)}
ESTIMATE = {"csynth": (873, 373, 13), "vivado_synth": (452, 363, 13)}
TAKES_A_RUN = {
    "run", "data", "teacher", "student", "train", "freeze", "hls", "verify", "rtl", "synth", "report", "sensitivity",
    "estimate", "stats", "fit", "predict", "export",
}  # fmt: skip
TAKES_A_FOLDER_OF_ITS_OWN = {"sweep", "compare"}
Qap = Callable[..., str]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A copy of everything, to work in."""
    return shutil.copytree(KEPT, tmp_path / "kept")


@pytest.fixture
def qap(capfd: pytest.CaptureFixture[str]) -> Qap:
    """Runs a command that must succeed, and returns its standard output."""

    def run(*arguments: object) -> str:
        capfd.readouterr()
        status = call([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert status == 0, err
        return out

    return run


def content(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_no_command_is_forgotten() -> None:
    """Who adds a command that takes a run or a sweep adds it here."""
    taking = {
        name
        for name, command in get_command(app).commands.items()  # type: ignore[attr-defined]
        for parameter in command.params
        if parameter.param_type_name == "argument" and ("RUN" in str(parameter.metavar) or name in ("sweep", "compare"))
    }
    assert taking == TAKES_A_RUN | TAKES_A_FOLDER_OF_ITS_OWN


# ---- in Python


def test_the_network_is_the_one_that_was_saved() -> None:
    import qap

    network = qap.load_network(KEPT / "run" / "network.npz")
    assert network.digest == NETWORK_DIGEST
    data = qap.load("mnist-1v9", input_format="ap_ufixed<1,0>")
    for part, accuracy in ACCURACY.items():
        split = getattr(data, part)
        assert (network.decide(network.forward(split.x)) == split.y).mean() == accuracy


@pytest.mark.parametrize("path", sorted(KEPT.rglob("recipe.toml")), ids=lambda path: path.parent.name)
def test_every_recipe_is_read_and_written_as_it_was(path: Path) -> None:
    import qap

    assert qap.load_recipe(str(path)).to_toml() == path.read_text(encoding="utf-8")


def test_every_model_is_loaded() -> None:
    needs("tensorflow", "qkeras")
    from qap.training.networks import load_model

    parameters = {str(path.relative_to(KEPT)): load_model(path).count_params() for path in KEPT.rglob("*.keras")}
    trained = "sweep/trained/38d50d622fbed886"
    assert parameters == {
        "run/teacher.keras": 3150,
        **{f"{folder}/student.keras": 1576 for folder in ("run", trained, "compare/float-seed0", "compare/qat-seed0")},
    }


def test_a_condensed_data_set_is_data() -> None:
    import qap

    data, record = qap.load(f"npz:{KEPT / 'condensed.npz'}"), content(KEPT / "condensed.json")
    assert data.digest == record["digest"]
    assert len(data.train) == record["samples"]["condensed"] == 20


# ---- commands that only read


def test_data(qap: Qap, kept: Path) -> None:
    before = (kept / "run" / "data.json").read_bytes()
    qap("data", kept / "run")
    assert (kept / "run" / "data.json").read_bytes() == before


@pytest.mark.parametrize("source", ["run", "run/network.npz"])
def test_estimate_and_stats(qap: Qap, kept: Path, source: str) -> None:
    stages = json.loads(qap("estimate", kept / source, "--json"))["stages"]
    found = {name: stage["report"] for name, stage in stages.items()}
    assert {name: (each["lut"], each["ff"], each["latency_cycles"]) for name, each in found.items()} == ESTIMATE
    layers = json.loads(qap("stats", kept / source, "--json"))["layers"]
    assert [(layer["name"], layer["weights"], layer["weight_bits"]) for layer in layers] == [
        ("dense_0", 1568, 3),
        ("dense_1", 4, 3),
    ]


def test_a_model_is_estimated_as_its_network(qap: Qap, kept: Path) -> None:
    needs("tensorflow", "qkeras")
    network = qap("estimate", kept / "run" / "network.npz", "--json")
    model = qap("estimate", kept / "run" / "student.keras", "--input-format", "ap_ufixed<1,0>", "--json")
    assert json.loads(model)["stages"] == json.loads(network)["stages"]


def test_fit(qap: Qap, kept: Path) -> None:
    assert json.loads(qap("fit", kept / "run", "--part", "xc7z020", "--json"))["fits"] is True


def test_the_report_of_a_run_has_the_same_metrics(qap: Qap, kept: Path) -> None:
    needs("matplotlib", "jinja2")
    qap("report", kept / "run")
    assert content(kept / "run" / "metrics.json") == content(KEPT / "run" / "metrics.json")
    assert NETWORK_DIGEST in (kept / "run" / "report.html").read_text(encoding="utf-8")


def test_runs_are_compared(qap: Qap, kept: Path) -> None:
    needs("matplotlib", "jinja2")
    table = qap("report", kept / "run", kept / "compare" / "qat-seed0", "--out", kept / "pair.html")
    assert "| test accuracy, integer | 99.35 % | 99.49 % |" in table
    assert (kept / "pair.html").exists()


def test_the_report_of_a_sweep_has_the_same_table(qap: Qap, kept: Path) -> None:
    needs("matplotlib", "jinja2")
    (kept / "sweep" / "records.csv").unlink()
    qap("report", kept / "sweep")
    assert (kept / "sweep" / "records.csv").read_bytes() == (KEPT / "sweep" / "records.csv").read_bytes()


def test_sensitivity_measures_the_same(qap: Qap, kept: Path) -> None:
    needs("matplotlib", "jinja2")
    (kept / "run" / "sensitivity.csv").unlink()
    qap("sensitivity", kept / "run")
    assert (kept / "run" / "sensitivity.csv").read_bytes() == (KEPT / "run" / "sensitivity.csv").read_bytes()


# ---- engines


def test_the_model_and_the_network_agree(qap: Qap, kept: Path) -> None:
    needs("tensorflow", "qkeras")
    found = json.loads(qap("verify", kept / "run", "--engines", "keras,emulator", "--json"))
    wanted = [
        each
        for each in content(KEPT / "run" / "verify.json")["agreements"]
        if {each["engine_a"], each["engine_b"]} == {"keras", "emulator"}
    ]
    assert found["agreements"] == wanted
    assert {each["mismatches"] for each in wanted} == {0}
    assert (kept / "run" / "verify.json").read_bytes() == (KEPT / "run" / "verify.json").read_bytes()


def test_freeze_gives_the_same_network(qap: Qap, kept: Path) -> None:
    needs("tensorflow", "qkeras")
    (kept / "run" / "network.npz").unlink()
    found = json.loads(qap("freeze", kept / "run", "--json"))["freeze"]
    assert found["digest"] == NETWORK_DIGEST
    assert found["accuracy"]["test"] == ACCURACY["test"]


def test_a_project_without_its_headers_says_so_until_it_is_written_again(
    qap: Qap, kept: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    needs("hls4ml", "g++")
    run = kept / "run"
    assert call(["verify", str(run), "--engines", "emulator,csim"]) == 2
    assert capfd.readouterr().err.splitlines()[-1] == (
        f"qap: error: the HLS project in {run / 'hls'} has no firmware/ap_types, hls4ml's headers; "
        "write it again: qap hls RUN --force"
    )
    qap("hls", run, "--force")
    found = json.loads(qap("verify", run, "--engines", "emulator,csim", "--json"))
    assert [each["mismatches"] for each in found["agreements"]] == [0, 0]
    assert (run / "hls" / "qap_project.json").read_bytes() == (KEPT / "run" / "hls" / "qap_project.json").read_bytes()


@pytest.mark.slow
def test_the_verilog_and_its_netlist_agree_with_the_network(qap: Qap, kept: Path) -> None:
    needs("verilator", "yosys")
    found = json.loads(qap("verify", kept / "run", "--engines", "emulator,rtl,axis,netlist", "--json"))
    assert len(found["agreements"]) == 12
    assert {each["mismatches"] for each in found["agreements"]} == {0}


@pytest.mark.slow
def test_synthesis_counts_the_same(qap: Qap, kept: Path) -> None:
    """The exact figures hold for the Yosys that they were measured with."""
    needs("yosys")
    reports = json.loads(qap("synth", kept / "run", "--json"))["reports"]
    before = content(KEPT / "run" / "resources.json")
    assert content(kept / "run" / "resources.json").keys() == before.keys()
    assert {each["design"] for each in reports} == set(RESOURCES)
    for each in before.values():
        assert (each["lut"], each["ff"]) == RESOURCES[each["design"]]
    if {each["tool"] for each in reports} == {each["tool"] for each in before.values()}:
        pace = ("latency_cycles", "ii_cycles")  # 0.1.0 wrote those of the core for the stream top too
        for label, each in content(kept / "run" / "resources.json").items():
            of_core = each["design"] == "classifier"
            assert {**each, **({} if of_core else {key: before[label][key] for key in pace})} == before[label]
            assert of_core or each["latency_cycles"] > before[label]["latency_cycles"]


@pytest.mark.slow
def test_rtl_is_written_again(qap: Qap, kept: Path) -> None:
    needs("da4ml", "verilator")
    qap("rtl", kept / "run")
    assert content(kept / "run" / "rtl" / "project.json")["network_digest"] == NETWORK_DIGEST
    found = json.loads(qap("verify", kept / "run", "--engines", "emulator,rtl", "--json"))
    assert {each["mismatches"] for each in found["agreements"]} == {0}


# ---- commands that train: another version does the stages again


@pytest.mark.slow
@pytest.mark.parametrize("command", ["teacher", "student", "train", "run"])
def test_a_run_goes_on(qap: Qap, kept: Path, command: str) -> None:
    needs("tensorflow", "qkeras", "hls4ml", "matplotlib")
    quickly = ["--set", "teacher.epochs=1", "--set", "student.epochs=6", "--set", "prune.every=1"]
    if command == "run":
        quickly.append("--no-rtl")
    qap(command, kept / "run", *quickly)
    assert content(kept / "run" / "stages.json").keys() == content(KEPT / "run" / "stages.json").keys()


@pytest.mark.slow
def test_a_sweep_goes_on(qap: Qap, kept: Path) -> None:
    """Keys of points name the version, so the points are done again; the old records stay."""
    needs("tensorflow", "qkeras", "matplotlib")
    before = (kept / "sweep" / "records.jsonl").read_text(encoding="utf-8")
    qap("sweep", kept / "sweep" / "sweep.toml", "--out", kept / "sweep", "--resume")
    assert (kept / "sweep" / "records.jsonl").read_text(encoding="utf-8").startswith(before)
    with (kept / "sweep" / "records.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 2


@pytest.mark.slow
def test_a_comparison_goes_on(qap: Qap, kept: Path) -> None:
    needs("tensorflow", "qkeras", "matplotlib")
    recipe, out = kept / "compare" / "qat-seed0" / "recipe.toml", kept / "compare"
    found = json.loads(
        qap("compare", recipe, "--set", "name=mnist-1v9", "--techniques", "float,qat", "--out", out, "--json")
    )
    assert list(found["summary"]) == list(content(KEPT / "compare" / "comparison.json")["summary"])


# ---- what is damaged is refused by name

DAMAGED = [
    ("run/recipe.toml", ["stats", "run"]),
    ("run/stages.json", ["report", "run"]),
    ("run/data.json", ["stats", "run"]),
    ("run/network.npz", ["estimate", "run"]),
    ("run/student.keras", ["verify", "run", "--engines", "keras,emulator"]),
    ("run/verify.json", ["report", "run"]),
    ("run/hls/qap_project.json", ["verify", "run", "--engines", "emulator,csim"]),
    ("run/rtl/project.json", ["verify", "run", "--engines", "emulator,rtl"]),
    ("sweep/records.jsonl", ["report", "sweep"]),
    ("sweep/sweep.toml", ["report", "sweep"]),
    ("condensed.npz", ["data", "mnist-1v9", "--out", "new", "--set", "data.name=npz:condensed.npz"]),
]


@pytest.mark.parametrize(("name", "command"), DAMAGED, ids=[name for name, _ in DAMAGED])
def test_a_damaged_file_is_refused_by_name(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str, command: list[str]
) -> None:
    if name.endswith(".keras"):
        needs("tensorflow", "qkeras")
    if command[0] == "report":
        needs("matplotlib", "jinja2")
    monkeypatch.chdir(kept)
    (kept / name).write_bytes((kept / name).read_bytes()[:-40])
    assert call(command) == 2
    error = [line for line in capfd.readouterr().err.splitlines() if line.startswith("qap: error: ")]
    assert len(error) == 1
    assert name in error[0]
