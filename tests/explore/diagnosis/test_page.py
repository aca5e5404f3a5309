"""The page and the JSON of a diagnosis, from one that is made by hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from support.hls4ml_projects import small_network
from support.needs import needs

from qap.explore.diagnosis.causes import KINDS
from qap.explore.diagnosis.hardware import Difference
from qap.explore.diagnosis.page import diagnosis_page, verdict, write_diagnosis
from qap.explore.diagnosis.ranges import Judged, Site, TypeUse
from qap.explore.diagnosis.results import Cause, Diagnosis, Gap, Widened
from qap.fixed import FixedPoint

ROOT = Path(__file__).resolve().parents[3]
NARROW = TypeUse(
    Site("fc<1>", "accumulator", 0, "accum_t"),
    "ap_fixed<10,3>",
    FixedPoint.parse("ap_fixed<10,3>"),
    FixedPoint.parse("ap_fixed<12,5>"),
    Judged(-7.5, 6.25, 0.25, 0.0),
)
FOUND = Diagnosis(
    model="m.keras",
    project="hls",
    samples=100,
    logits=300,
    accuracy_model=0.9921,
    accuracy_hardware=0.5,
    gap=Gap(40, 7),
    base=Gap(40, 7),
    synthesized=None,
    first=Difference(1, "fc<1>", 40, 500, 3, 2, -1.5, 2.5),
    types=(Widened(NARROW, "ap_fixed<16,6>", Gap(0, 0)),),
    causes=(Cause("narrow-accumulator", "fc<1>.accumulator", "too narrow", "make it wide", True, Gap(0, 0)),),
    configuration="HLSConfig:\n",
    proven=Gap(0, 0),
    notes=("a note",),
    network=small_network(),
)


def test_the_page_says_what_was_found_and_escapes_it() -> None:
    needs("jinja2")
    page = diagnosis_page(FOUND)
    assert "fc&lt;1&gt;.accumulator" in page
    assert "fc<1>" not in page
    assert "the hardware differs from the model: 40 of 300 outputs, 7 of 100 decisions" in page
    for text in ("99.21 %", "-7.5 to 6.25", "ap_fixed&lt;12,5&gt;", "0 / 0", "a note", "HLSConfig:", "make it wide"):
        assert text in page


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    needs("jinja2")
    paths = write_diagnosis(FOUND, tmp_path)
    assert sorted(path.name for path in paths.values()) == ["diagnosis.html", "diagnosis.json", "hls4ml.yml"]
    content = json.loads(paths["JSON"].read_text())
    assert content["types"][0]["holds"] == [-4.0, 3.9921875]
    assert content["types"][0]["left"] == {"outputs": 0, "decisions": 0}
    assert set(content) == set(re.findall(r"`(\w+)`", _documented())) & set(content)


def _documented() -> str:
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    return text.partition("### `diagnosis.json`")[2].partition("\n## ")[0]


def test_the_verdict_tells_the_simulation_from_what_is_synthesized() -> None:
    equal = replace(FOUND, gap=Gap(0, 0))
    assert equal.equal
    assert verdict(equal) == "the hardware equals the model: 300 outputs of 100 samples"
    other = replace(equal, synthesized=Gap(5, 1))
    assert not other.equal
    assert "what is synthesized does not: 5 outputs and 1 decisions differ" in verdict(other)


def test_every_cause_has_a_heading_in_the_docs() -> None:
    text = (ROOT / "docs" / "diagnose.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) == {*KINDS, "layer-missing"}


def test_every_kind_in_the_code_is_one_of_the_list() -> None:
    folder = ROOT / "qap" / "explore" / "diagnosis"
    code = "".join((folder / f"{name}.py").read_text() for name in ("causes", "type_causes", "value_causes"))
    code = code.replace(code[code.index("KINDS = (") : code.index('"""Every cause that')], "")
    assert {kind for kind in KINDS if f'"{kind}"' in code} == set(KINDS)
