"""The page of a run: whole, closed in itself, escaped, truthful."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from support.needs import needs

needs("matplotlib", "jinja2")

from support.html_page import HOSTILE, Page
from support.made_run import MISSING, SIDE, OneLsbOff, make_run, record_verification

from qap.errors import DataError, ToolMissing
from qap.flow import run_flow
from qap.network import load_network, save_network
from qap.report import write_report
from qap.report.samples import SHOWN
from qap.report.tables import percent
from qap.run import METRICS, NETWORK, VERIFY, WEIGHTS, RunDirectory
from qap.testing import NetworkEngine
from qap.verification import EmulatorEngine, Verification


def page_of(run: RunDirectory) -> Page:
    return Page(write_report(run).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run that nobody may change."""
    return make_run(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def page(run: RunDirectory) -> Page:
    return page_of(run)


def test_the_page_is_whole(run: RunDirectory, page: Page) -> None:
    source = run.file("report.html").read_text(encoding="utf-8")
    assert source.startswith("<!DOCTYPE html>") and source.endswith("</html>\n")
    assert page.count("table") == page.count("caption") >= 9
    assert page.count("svg") == page.count("figure") == page.count("figcaption") == 4
    assert page.count("script") == 0
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    for tag, attrs in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            if name in attrs:
                assert re.match(r"#|data:image/(png|svg\+xml);base64,", attrs[name] or ""), (tag, attrs)
        assert not re.search(r"url\((?!#)", attrs.get("style") or "")
    targets = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    links = [attrs[name] for _, attrs in page.elements for name in ("href", "xlink:href") if name in attrs]
    assert links and {link[1:] for link in links} <= targets


def test_the_numbers_are_the_records(run: RunDirectory, page: Page) -> None:
    network = load_network(run.file(NETWORK))
    test = run.dataset.test
    right = int((network.decide(network.forward(test.x)) == test.y).sum())
    assert f"{right / len(test):.2%}".replace("%", " %") in page.text
    assert f"decides {len(test) - right} of {len(test)} test samples wrongly; the first {SHOWN} are shown" in page.text
    assert f"{network.parameters:,}" in page.text and network.digest in page.text
    for layer in network.layers:
        assert f"{layer.accum_format} {layer.accum_format.width} bits" in page.text
        assert f"{np.count_nonzero(layer.weight)} of {layer.weight.size} not 0" in page.text
    assert "ap_ufixed<6,2> AP_RND_CONV, AP_SAT" in page.text
    assert "Teacher (float): 0 of 80 wrong." in page.text
    outputs = sum(each["outputs"] for each in run.read_json(VERIFY)["agreements"])
    assert f"Bit-exact: emulator and twin agree on all {outputs:,} numbers" in page.text
    for version in (np.__version__, sys.version.split()[0]):
        assert version in page.text
    assert "Look at this first" not in page.text


def test_wrong_samples_are_pictures(run: RunDirectory, page: Page) -> None:
    import io

    from matplotlib.image import imread

    network, test = load_network(run.file(NETWORK)), run.dataset.test
    wrong = np.flatnonzero(network.decide(network.forward(test.x)) != test.y)[:SHOWN]
    sources = [attrs["src"] or "" for tag, attrs in page.elements if tag == "img"]
    assert len(sources) == len(wrong) == SHOWN
    for index, source in zip(wrong, sources, strict=True):
        shown = imread(io.BytesIO(base64.b64decode(source.partition(",")[2])))[:, :, 0]
        pixels = test.x[index].reshape(SIDE, SIDE).astype(float)
        np.testing.assert_allclose(shown, 1 - pixels / 255, atol=1 / 255)


def test_equal_records_give_equal_bytes(run: RunDirectory) -> None:
    assert write_report(run).read_bytes() == write_report(RunDirectory.open(run.path)).read_bytes()


def test_the_flow_writes_it(run: RunDirectory) -> None:
    run.file("report.html").unlink(missing_ok=True)
    run_flow(run, ["report"])
    assert run.file(METRICS).exists() and run.file("report.html").exists()


def test_hostile_names_are_text(tmp_path: Path) -> None:
    classes = (HOSTILE, "$\\frac{", "a & b")
    layers = ('<script>"$x$"</script> url(#a) id="b', "b" * 200)
    page = page_of(
        make_run(
            tmp_path, name=HOSTILE, classes=classes, layers=layers, engines=(MISSING, NetworkEngine(), OneLsbOff(0))
        )
    )
    assert page.count("script") == 0
    assert page.text.startswith(f"{HOSTILE}, seed 0")
    assert f"{HOSTILE}, $\\frac{{, a & b" in page.text
    assert layers[0] in page.text
    assert "<apt install g++>" in page.text


@pytest.mark.parametrize("layer", [0, 1])
def test_the_first_mismatch_is_shown(tmp_path: Path, layer: int) -> None:
    run = make_run(tmp_path, engines=(EmulatorEngine(), OneLsbOff(layer)))
    page = page_of(run)
    agreements = run.read_json(VERIFY)["agreements"]
    first = agreements[0]["first"]
    assert first["layer"] == ("first", "second")[layer]
    assert (
        f"the first in layer {first['layer']!r} at sample {first['sample']}, output {first['output']}: "
        f"emulator says {first['value_a']}, off says {first['value_b']}"
    ) in page.text
    found, of = (sum(each[key] for each in agreements) for key in ("mismatches", "outputs"))
    assert f"NOT bit-exact: {found:,} of {of:,} numbers" in page.text
    assert "DIFFERENT" in page.text and "Bit-exact:" not in page.text
    assert "The first mismatches are below" in page.text


def test_an_engine_that_was_not_run_is_named(tmp_path: Path) -> None:
    page = page_of(make_run(tmp_path, engines=(NetworkEngine(), EmulatorEngine(), MISSING)))
    assert "csim was not run: g++ is not installed" in page.text
    assert "Bit-exact: emulator and twin agree" in page.text and "Engine csim was not run." in page.text


def test_notes_and_nothing_compared(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    network = load_network(run.file(NETWORK))
    record_verification(run, Verification(network.digest, (), {"csim": "no g++"}, ("keras ran in float64",)))
    page = page_of(run)
    assert "Nothing was compared: fewer than two engines could run." in page.text
    assert "Note: keras ran in float64" in page.text
    assert "Bit-exact" not in page.text


def test_a_missed_accuracy_floor_comes_first(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    page = page_of(RunDirectory.create(run.path, run.recipe.override(["accuracy_floor=0.99"])))
    assert re.search(
        r"Look at this first: the integer network has [\d.]+% on test, accuracy_floor is 99.00%", page.text
    )
    assert "The recipe asks for 99 % of the integer network on test." in page.text


def test_without_a_teacher(tmp_path: Path) -> None:
    page = page_of(make_run(tmp_path, teacher=False))
    assert "The recipe has no teacher." in page.text and "learns from labels alone" in page.text
    assert "Teacher (float)" not in page.text
    assert page.count("svg") == 3


def test_samples_that_are_no_pictures_are_drawn_as_waveforms(tmp_path: Path) -> None:
    run = make_run(tmp_path, pictures=False)
    page = page_of(run)
    network, data = load_network(run.file(NETWORK)), run.dataset
    logits = network.forward(data.test.x)
    first = int(np.flatnonzero(network.decide(logits) != data.test.y)[0])
    true, decided = data.test.y[first], network.decide(logits)[first]
    lead = (logits[first, decided] - logits[first, true]) * network.output_format.lsb
    names = data.class_names
    assert f"{names[true]}, decided {names[decided]}no. {first}, lead {lead:.3g}" in page.text.replace(" no.", "no.")
    source = next(attrs["src"] or "" for tag, attrs in page.elements if tag == "img")
    drawn = re.search(r'points="([^"]*)"', base64.b64decode(source.partition(",")[2]).decode())
    heights = np.array([point.split(",")[1] for point in drawn[1].split()][:-1], float) if drawn else np.zeros(0)
    x = data.test.x[first].astype(float)
    low, high = int(data.test.x.min()), int(data.test.x.max())
    np.testing.assert_allclose(heights, 58 - 56 * (x - low) / (high - low), atol=0.01)


def test_the_scores_are_on_the_page(tmp_path: Path) -> None:
    run = make_run(tmp_path, scored=True)
    page, network, test = page_of(run), load_network(run.file(NETWORK)), run.dataset.test
    decided = network.classify(test.x)
    for name, index in zip(run.dataset.class_names, range(3), strict=True):
        found = int(((decided == index) & (test.y == index)).sum())
        recall, precision = found / int((test.y == index).sum()), found / max(1, int((decided == index).sum()))
        assert f"{name} {(test.y == index).sum()} {percent(precision)} {percent(recall)}" in page.text
    assert "always" in page.text and "95 % interval" in page.text
    assert "Receiver operating characteristic" in page.text
    assert re.search(r"Look at this first: the integer network .* below its teacher on test", page.text)


def test_one_output(tmp_path: Path) -> None:
    page = page_of(make_run(tmp_path, classes=("no", "yes"), one_output=True))
    assert "The lead is how far the logit is from 0." in page.text
    assert "Integer network:" in page.text


def test_many_classes_and_many_layers(tmp_path: Path) -> None:
    names = [f"class {index}" for index in range(20)]
    page = page_of(make_run(tmp_path, classes=names, layers=[f"layer {index}" for index in range(6)]))
    assert "The most frequent confusions of 20 classes" in page.text
    assert "weights (count)" in page.text and "layer 5" in page.text


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("teacher", ["Verification was not run.", "so there is no integer network", "not run", "No HLS project"]),
        ("student", ["so there is no integer network", "not measured"]),
        ("freeze", ["Verification was not run.", "No HLS project was written.", "Integer network:"]),
    ],
)
def test_what_was_not_run_is_said(tmp_path: Path, until: str, said: list[str]) -> None:
    page = page_of(make_run(tmp_path, until=until))
    for words in said:
        assert words in page.text


def test_old_records_are_called_old(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    other = make_run(tmp_path / "other", layers=("first", "second", "third"))
    save_network(load_network(other.file(NETWORK)), run.file(NETWORK))
    page = page_of(run)
    assert "verify.json is about another network than network.npz" in page.text
    assert "stage 'hls' was finished with other files" in page.text
    run.file("student.keras").unlink()
    assert "whether stage 'freeze' is up to date cannot be said" in page_of(run).text


def test_data_that_changed_are_not_shown(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    source = tmp_path / "data.npz"
    with np.load(source) as archive:
        arrays = {name: archive[name] for name in archive.files}
    np.savez(source, x=arrays["x"][:, ::-1], y=arrays["y"])
    assert "the data have changed since the run was made" in page_of(RunDirectory.open(run.path)).text
    source.unlink()
    page = page_of(RunDirectory.open(run.path))
    assert "Wrong samples are not shown:" in page.text and "does not exist" in page.text
    assert page.count("img") == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [(VERIFY, '{"agreements": [{}], "unavailable": {}, "network_digest": "", "notes": []}'), (WEIGHTS, "x")],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: str) -> None:
    run = make_run(tmp_path)
    run.file(name).write_text(content)
    with pytest.raises(DataError, match=name):
        write_report(run)
    assert not run.file("report.html").exists()


def test_a_network_of_other_classes_is_not_shown_on_these_data(tmp_path: Path) -> None:
    run = make_run(tmp_path / "two", classes=("a", "b"))
    other = make_run(tmp_path / "three", classes=("a", "b", "c"))
    save_network(load_network(other.file(NETWORK)), run.file(NETWORK))
    assert "the network decides between 3 classes, but the data have 2" in page_of(run).text


@pytest.mark.parametrize("package", ["matplotlib", "jinja2"])
def test_a_missing_package_is_named(run: RunDirectory, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    for name in list(sys.modules):
        if name == package or name.startswith((f"{package}.", "qap.report.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ToolMissing, match=rf"'{package}' is not installed: pip install 'qap-fpga\[report\]'"):
        write_report(run)
