"""Every number of a run's page and of the console: what the network, the data and the records say, computed anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.needs import needs

needs("matplotlib", "jinja2")

from support.made_run import OneLsbOff, make_run
from support.table_networks import class_sums

from qap.cli.console import print_metrics, resources_line
from qap.fixed import FixedPoint
from qap.network import TableLayer, ThresholdLayer, connect, load_network
from qap.network.stored_size import gzip_bytes, integer_layers, sparse_bytes
from qap.recipe import parse_recipe
from qap.report.origin_tables import data_table, target_table, time_table, training_table
from qap.report.page import key_figures
from qap.report.records import STAGE_OF, Records, read_records
from qap.report.result_tables import accuracy_table, agreement_table, confusion_table, layer_table, size_table
from qap.report.tables import Table, percent
from qap.run import NETWORK, RunDirectory, StageRecord
from qap.run.measures import metrics
from qap.verification import EmulatorEngine


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run with mismatches, an input that no weight reads, and layers of different sparsity."""
    return make_run(tmp_path_factory.mktemp("run"), engines=(EmulatorEngine(), OneLsbOff(1)))


@pytest.fixture(scope="module")
def records(run: RunDirectory) -> Records:
    return read_records(run)


@pytest.fixture(scope="module")
def arrays(run: RunDirectory) -> list[np.ndarray]:
    """Weight and bias of each layer."""
    return [array for layer in load_network(run.file(NETWORK)).layers for array in (layer.weight, layer.bias)]


def nonzeros(arrays: list[np.ndarray]) -> int:
    return sum(int((array != 0).sum()) for array in arrays)


def cells(shown: Table) -> dict[str, list[str]]:
    """The other cells of each row by its first."""
    return {row[0].text: [cell.text for cell in row[1:]] for row in shown.rows}


def right(run: RunDirectory) -> int:
    test = run.dataset.test
    return int((load_network(run.file(NETWORK)).classify(test.x) == test.y).sum())


def test_the_figures_at_the_top(run: RunDirectory, records: Records, arrays: list[np.ndarray]) -> None:
    found = {each.meaning: each.value for each in key_figures(records)}
    assert found == {
        "accuracy of the integer network on test": percent(right(run) / 80),
        "of its weights are 0": percent(np.mean(np.concatenate([w.ravel() for w in arrays[::2]]) == 0)),
        "weights and biases that are not 0": str(nonzeros(arrays)),
        "bytes, zeros included": str(-(-sum(array.size for array in arrays) * 4 // 8)),
        "mismatches between engines": f"{sum(each.mismatches for each in records.verification.agreements):,}",
    }


def test_the_size_of_the_network(records: Records, arrays: list[np.ndarray]) -> None:
    weights = np.concatenate([array.ravel() for array in arrays[::2]])
    assert nonzeros(arrays) < sum(array.size for array in arrays)
    assert cells(size_table(records.network, 0.25, (9, 3))) == {
        "neurons before and after pruning": ["9-3 and 6-3"],
        "weights and biases": [str(sum(array.size for array in arrays))],
        "of these not 0": [str(nonzeros(arrays))],
        "weights that are 0": [percent((weights == 0).mean())],
        "weights masked in training": ["25.00 %"],
        "size": [f"{-(-sum(array.size for array in arrays) * 4 // 8)} bytes"],
        "size, sparse": [f"{sparse_bytes(integer_layers(records.network))} bytes"],
        "size, gzip": [f"{gzip_bytes(records.network)} bytes"],
        "inputs that a weight reads": [f"{int((arrays[0] != 0).any(axis=1).sum())} of 16"],
    }


def test_the_layers(records: Records, arrays: list[np.ndarray]) -> None:
    shown = cells(layer_table(records.network, {"first": 3, "second": 5}))
    for name, weight, reuse in (("first", arrays[0], "3"), ("second", arrays[2], "5")):
        n_in, n_out, *formats, sparsity, factor = shown[name]
        assert (n_in, n_out, factor) == (str(weight.shape[0]), str(weight.shape[1]), reuse)
        assert sparsity == percent((weight == 0).mean())
        layer = next(layer for layer in records.network.layers if layer.name == name)
        assert [layer.weight_format, layer.bias_format, layer.accum_format] == [
            layer.weight_format.parse(text) for text in formats[:3]
        ]
    assert shown["all"][-2] == percent(np.mean(np.concatenate([w.ravel() for w in arrays[::2]]) == 0))


def test_accuracies_and_confusions(run: RunDirectory, records: Records) -> None:
    shown = cells(accuracy_table(records))
    integer = next(row for name, row in shown.items() if "nteger" in name)
    assert integer == ["75.00 %", "50.00 %", percent(right(run) / 80), f"{80 - right(run)} of 80"]
    data, network = run.dataset, load_network(run.file(NETWORK))
    decided = network.classify(data.test.x)
    matrix = records.results["freeze"]["confusion"]
    for true, row in enumerate(confusion_table("x", matrix, data.class_names).rows):
        counted = [int(((data.test.y == true) & (decided == k)).sum()) for k in range(3)]
        assert [cell.text for cell in row] == [data.class_names[true], *map(str, counted)]


def test_agreements(records: Records) -> None:
    for each, row in zip(records.verification.agreements, agreement_table(records.verification).rows, strict=True):
        *_, samples, outputs, mismatches, largest, same, verdict = (cell.text for cell in row)
        assert (samples, outputs, mismatches, largest) == tuple(
            f"{n:,}" for n in (each.samples, each.outputs, each.mismatches, each.max_lsb)
        )
        assert (same, verdict) == (percent(each.argmax_agreement), "DIFFERENT")


def test_where_it_comes_from(run: RunDirectory, records: Records) -> None:
    data = run.dataset
    sizes = f"{len(data.train)} train, {len(data.validation)} validation, {len(data.test)} test"
    assert cells(data_table(records))["samples"] == [sizes]
    assert len({len(data.train), len(data.validation), len(data.test)}) == 3
    trained = cells(training_table(records))
    for name, history in (("teacher", records.teacher_history), ("student", records.history)):
        part = getattr(run.recipe, name)
        best = history.records[history.best_epoch - 1]
        epochs, kept, accuracy, batch, rate, time = trained[name]
        assert (epochs, kept) == (f"{len(history.records)} of {part.epochs}", str(history.best_epoch))
        assert (accuracy, batch) == (percent(best.validation_accuracy), str(part.batch_size))
        assert (rate, time) == (f"{part.learning_rate:g}, {part.decay}", "1.5 s")
    times = cells(time_table(records))
    assert float(times["all"][0]) == pytest.approx(sum(float(row[0]) for name, row in times.items() if name != "all"))
    target = run.recipe.override(["target.clock_ns=2.5", "target.reuse_factor=4", "target.strategy=resource"])
    shown = cells(target_table(target, "p"))
    assert [shown[key] for key in ("clock period", "strategy", "reuse factor asked for")] == [
        ["2.5 ns"], ["resource"], ["4"],
    ]  # fmt: skip


RECIPE = {"name": "r", "teacher": {}, "student": {"layers": [{"units": 2, "weight": 4}]}}
REPORT = {"source": "yosys", "part": "xc7", "design": "core", "lut": 1201, "ff": 1202, "dsp": 1203, "bram18": 1204,
          "latency_cycles": 1205, "ii_cycles": 1207, "fmax_mhz": 1206.0}  # fmt: skip


def test_the_metrics_are_the_records(run: RunDirectory, records: Records, arrays: list[np.ndarray]) -> None:
    found = metrics(run)
    assert found["accuracy"]["integer"]["test"] == right(run) / 80
    assert (found["parameters"], found["nonzeros"]) == (sum(array.size for array in arrays), nonzeros(arrays))
    assert found["sparsity"] == records.network.sparsity
    assert found["pruned"] == 0.5
    assert found["size_bytes"] == records.network.size_bytes
    assert found["seconds"] == dict.fromkeys(records.seconds, 1.5) | {"data": records.seconds["data"]}
    pairs = {"emulator == off": sum(each.mismatches for each in records.verification.agreements)}
    assert found["mismatches"] == pairs


def test_every_model_has_its_own_accuracy(tmp_path: Any) -> None:
    made = RunDirectory.create(tmp_path / "run", parse_recipe(RECIPE, "test"))
    for number, (model, stage) in enumerate(STAGE_OF.items(), 1):
        parts = {part: (10 * number + k) / 100 for k, part in enumerate(("train", "validation", "test"))}
        made.finish(stage, StageRecord("", 1.0, {"accuracy": parts}))
        assert metrics(made)["accuracy"][model] == parts


def numbered(content: Any, count: Iterator[int]) -> Any:
    """The same with other numbers, no two of them the same; shares stay below 1."""
    if isinstance(content, dict):
        return {key: numbered(value, count) for key, value in content.items()}
    return content if not isinstance(content, int | float) or isinstance(content, bool) else next(count) / 1000


def test_the_console_shows_every_number(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers of which no two are the same, each where its name is."""
    shares = numbered(metrics(run)["accuracy"], iter(range(101, 200)))
    content = {**metrics(run), "accuracy": shares, "parameters": 4001, "nonzeros": 4002, "sparsity": 0.403,
               "size_bytes": 4004, "mismatches": {"a == b": 4005}, "unavailable": {"csim": "no g++"},
               "resources": [REPORT], "seconds": {"data": 1.5, "teacher": 2.5}}  # fmt: skip
    print_metrics(content, {"report": "x"})
    lines = [" ".join(line.strip("│┃ ").replace("│", " ").split()) for line in capsys.readouterr().out.splitlines()]
    expected = [
        *(f"accuracy, {m} {s['test']:.2%} test, {s['validation']:.2%} validation" for m, s in shares.items()),
        "parameters 4,001",
        "non-zeros 4,002",
        "sparsity 40.30% of all weights",
        "size 4,004 bytes, zeros included",
        "a == b 4005 mismatches",
        "csim not run: no g++",
        "seconds data 1.5, teacher 2.5",
        "report: x",
    ]
    assert [line for line in expected if line not in lines] == []


def test_what_a_design_takes_in_one_line() -> None:
    expected = (
        "core on xc7 (yosys): 1,201 LUT, 1,202 FF, 1,203 DSP, 1,204 BRAM18, latency 1205 cycles, II 1207, 1206 MHz"
    )
    assert resources_line(REPORT) == expected


def test_the_size_and_the_layers_of_a_network_of_tables() -> None:
    wires = np.array([[0, 1, 2, 3, 0, 0], [3, 4, 5, 6, 7, 0]])
    bits = ThresholdLayer("bits", np.array([0, 0, 1, 1, 2, 2, 4, 4]), np.arange(8), 6)
    layer = TableLayer("looked up", wires, np.array([5, 6], np.uint64), 8)
    network = connect(FixedPoint.parse("ufixed<3,3>"), [bits, layer, class_sums(2, 2)], ["a", "b"])
    assert cells(size_table(network, 0.0, (2,))) == {
        "truth tables": ["2"],
        "size": [f"{-(-(8 * (3 + 3) + 2 * (64 + 6 * 3) + 4 + 2) // 8)} bytes"],
        "inputs that are read": ["4 of 6"],
    }
    shown = cells(layer_table(network, {"bits": 1, "looked up": 1, "sums": 1}))
    assert shown["bits"] == ["6", "8", "", "", "", "thresholds", "ap_ufixed<1,1>", "", ""]
    assert shown["looked up"] == ["8", "2", "", "", "", "truth tables", "ap_ufixed<1,1>", "", ""]
    assert shown["sums"][-2:] == ["50.00 %", "1"]
