from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from support.hardware_cases import dense, needs_simulator, sparse_classifier, vectors
from support.json_key import change_key

from qap.errors import DataError, QapError
from qap.fixed import FixedPoint
from qap.hardware.rtl import RtlOptions, generate, load_project, write_rtl
from qap.hardware.rtl.axis import AxisFormat
from qap.hardware.rtl.packing import from_bits, from_words, to_bits, to_words
from qap.hardware.rtl.size import law_luts, refuse_hopeless
from qap.hardware.tools import compiler, verilator_root
from qap.network import LayerSpec, connect


def test_a_project_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    network = sparse_classifier()
    for interface in ("parallel", "axis"):
        written = write_rtl(network, tmp_path / interface, RtlOptions(interface=interface, stage_depth=2))
        assert load_project(tmp_path / interface) == written
        assert written.stage_depth == 2 and written.latency_cycles > 1
        names = {path.name for path in written.files}
        assert {
            "classifier.v",
            "build_vivado.tcl",
            "project.json",
            f"{written.top}_tb.v",
            f"{written.top}.xdc",
        } <= names
        assert ("classifier_axis.v" in names) == (interface == "axis")


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    network = sparse_classifier()
    first = write_rtl(network, tmp_path / "first")
    second = write_rtl(network, tmp_path / "second")
    assert first.digest == second.digest
    for one, other in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_scripts_name_the_part_the_top_and_the_clock(tmp_path: Path) -> None:
    project = write_rtl(sparse_classifier(), tmp_path / "rtl", RtlOptions(clock_ns=4.0, part="xc7a35tcpg236-1"))
    script = (project.folder / "build_vivado.tcl").read_text()
    assert "synth_design -top classifier_axis -part $part -mode out_of_context" in script
    assert 'set part "xc7a35tcpg236-1"' in script
    board = write_rtl(sparse_classifier(), tmp_path / "board", RtlOptions(part="Alveo U50"))
    assert 'set part "xcu50-fsvh2104-2-e"' in (board.folder / "build_vivado.tcl").read_text()
    for part in ("nonsense", 'xc7z020" ; exec rm', "ULX3S"):
        with pytest.raises(QapError, match="no part|has no HLS flow"):
            RtlOptions(part=part)
    for source in project.sources:
        assert f"read_verilog [file join $here {source.name}]" in script
    clock = (project.folder / "classifier_axis.xdc").read_text()
    assert "create_clock -name clock -period 4.000 [get_ports aclk]" in clock


@pytest.mark.parametrize("interface", ["parallel", "axis"])
def test_the_page_tells_the_facts_and_every_file(tmp_path: Path, interface: Literal["parallel", "axis"]) -> None:
    network = sparse_classifier()
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface=interface, clock_ns=4.0, stage_depth=2))
    page = (project.folder / "README.md").read_text(encoding="utf-8")
    assert f"each `{network.input_format}`, of which the core reads {len(project.kept)};" in page
    assert f"Latency {project.latency_cycles} cycles" in page and "At most 2 levels of LUTs" in page
    assert "constraints: 4 ns" in page and network.digest in page
    assert ("AXI4-Streams of 32 bits" in page) == (interface == "axis")
    told = set(re.findall(r"^\| `([^` ]+)` \| .* \|$", page.partition("## Files")[2], re.MULTILINE))
    assert {path.name for path in project.folder.iterdir()} - {"README.md"} == {name.rstrip("/") for name in told}
    command = re.findall(r"^    verilator .*", page, re.MULTILINE)[0].split()
    read = [(project.folder / "tb" / name).resolve() for name in command if name.endswith(".v")]
    assert read == [(project.folder / "tb" / f"{project.top}_tb.v").resolve(), *project.sources, *project.models]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"name": "module"}, "which is a Verilog keyword"),
        ({"name": "x"}, "which is the name of a port"),
        ({"name": "n12"}, "which is the name of a port or a signal"),
        ({"name": "n12_s0"}, "which is the name of a port or a signal"),
        ({"name": "CARRY4"}, "which is the name of a port or a signal"),
        ({"name": "1st"}, "is not a Verilog name"),
        ({"name": "größe"}, "is not a Verilog name"),
        ({"name": "a-b"}, "is not a Verilog name"),
        ({"name": ""}, "is not a Verilog name"),
        ({"name": "checker"}, "which is a Verilog keyword"),
        ({"name": "result"}, "which is the name of a port or a signal"),
        ({"name": "x" * 65}, "has 65 letters, at most 64 are allowed"),
        ({"interface": "wishbone"}, 'interface must be "parallel" or "axis"'),
        ({"axis_width": 24}, "axis_width must be one of 8, 16, 32, 64"),
        ({"clock_ns": 0.0}, "clock_ns must be above 0"),
        ({"stage_depth": 0}, "stage_depth >= 1 must hold"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_written(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(QapError, match=message):
        write_rtl(sparse_classifier(), tmp_path / "rtl", RtlOptions(**options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("interface", ["parallel", "axis"])
def test_no_module_is_called_like_a_signal(tmp_path: Path, interface: Literal["parallel", "axis"]) -> None:
    project = write_rtl(sparse_classifier(), tmp_path / "rtl", RtlOptions(interface=interface))
    texts = [path.read_text() for path in project.folder.rglob("*.v") if path not in project.models]
    lines = re.findall(r"\b(?:wire|reg|integer)\b(?: \[[^\]]*\])? ([^;\n]*)", "\n".join(texts))
    parts = [part for line in lines for part in re.sub(r"=\s*[^,]*", "", line).split(",")]
    declared = {found[1] for part in parts if (found := re.match(r"\s*([A-Za-z_]\w*)", part))}
    assert {"clk", "errors"} < declared
    for name in declared:
        with pytest.raises(QapError, match="is the name of a port or a signal"):
            RtlOptions(name=name)


def test_an_input_wider_than_the_stream_names_the_width_that_does(tmp_path: Path) -> None:
    with pytest.raises(QapError, match=r"does not fit a beat of 8 bits; use --axis-width 16"):
        write_rtl(dense([[1, 2]], [0, 0], "fixed<9,1>"), tmp_path / "rtl", RtlOptions(axis_width=8))


def test_a_hopeless_network_is_refused_with_an_estimate_unless_wanted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    form = FixedPoint.parse("fixed<8,8>")
    spec = LayerSpec("layer", rng.integers(-127, 128, (784, 128)), form, np.zeros(128, np.int64), form)
    network = connect(FixedPoint.parse("ufixed<8,0>"), [spec], [str(i) for i in range(128)])
    assert law_luts(network) > 100_000
    with pytest.raises(QapError, match=r"takes about [\d,]+ LUTs and [\d,]+ minutes .* go on with --yes"):
        write_rtl(network, tmp_path / "rtl")
    refuse_hopeless(sparse_classifier())


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rtl(sparse_classifier(), tmp_path / "rtl")
    before = {path: path.read_bytes() for path in (tmp_path / "rtl").rglob("*") if path.is_file()}

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(generate, "write_testbench", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_rtl(sparse_classifier(seed=1), tmp_path / "rtl")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_missing_and_damaged_projects(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="make one with qap rtl"):
        load_project(tmp_path)
    project = write_rtl(sparse_classifier(), tmp_path / "rtl")
    description = project.folder / "project.json"
    description.write_text(description.read_text()[:50])
    with pytest.raises(DataError, match=r"rtl/project\.json is damaged: .*; make it again: qap rtl RUN --force"):
        load_project(project.folder)


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("qap_rtl", 99, "qap_rtl: 99 is another version"),
        ("name", "../../elsewhere", "name: '../../elsewhere' is not a Verilog name"),
        ("name", "module", "name: .* a Verilog keyword"),
        ("interface", "wishbone", "interface: "),
        ("interface", "parallel", "axis must be null for"),
        ("n_in", 0, "n_in: "),
        ("kept", [99999], "kept must be "),
        ("kept", [-1], "kept must be "),
        ("kept", [], "kept must be "),
        ("kept", "all", "kept: "),
        ("ports", None, "ports: "),
        ("ports.inputs", 0, "ports.inputs: "),
        ("ports.input_width", 100_000, "ports.input_width: "),
        ("ports.logit_width", 100_000, "ports.logit_width: "),
        ("ports.logit_width", 3.5, "ports.logit_width: "),
        ("signed_logits", 1, "signed_logits: "),
        ("latency_cycles", -1, "latency_cycles: "),
        ("latency_cycles", 0, "latency_cycles: "),
        ("latency_cycles", 2**40, "latency_cycles: "),
        ("clock_ns", float("nan"), "clock_ns: "),
        ("clock_ns", -1.0, "clock_ns: "),
        ("axis", None, "axis must be null for"),
        ("axis.width", 100_000, "axis.width: "),
        ("axis.slot", 0, "axis.slot: "),
        ("more", 1, "unknown key 'more'"),
        ("ports.more", 1, "unknown key 'ports.more'"),
        ("axis.more", 1, "unknown key 'axis.more'"),
        ("estimated_luts", -5, "estimated_luts: "),
    ],
)
def test_a_key_that_is_wrong_is_named(tmp_path: Path, key: str, value: object, said: str) -> None:
    project = write_rtl(sparse_classifier(), tmp_path / "rtl")
    change_key(project.folder / "project.json", key, value)
    with pytest.raises(DataError, match=rf"rtl/project\.json is damaged: {said}"):
        load_project(project.folder)


@pytest.mark.parametrize("key", ["network_digest", "kept", "ports", "axis", "ports.logits", "latency_cycles"])
def test_a_key_that_is_missing_is_named(tmp_path: Path, key: str) -> None:
    project = write_rtl(sparse_classifier(), tmp_path / "rtl")
    change_key(project.folder / "project.json", key)
    with pytest.raises(DataError, match=rf"rtl/project\.json is damaged: the key '{key}' is missing"):
        load_project(project.folder)


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("n_in", 41, "n_in is 41, but its network has 40"),
        ("ports.input_width", 2, "ports is "),
        ("ports.logits", 3, "ports is "),
        ("ports.logit_width", 64, "ports is "),
        ("signed_logits", False, "signed_logits is False, but its network has True"),
        ("axis.slot", 2, "axis is "),
        ("axis.inputs", 39, "axis is "),
        ("axis.field", 64, "axis is "),
        ("axis.width", 24, "axis: axis_width must be one of"),
    ],
)
def test_what_the_network_contradicts_is_refused(tmp_path: Path, key: str, value: object, said: str) -> None:
    network = sparse_classifier()
    project = write_rtl(network, tmp_path / "rtl")
    project.check_network(network)
    change_key(project.folder / "project.json", key, value)
    with pytest.raises(DataError, match=rf"rtl/project\.json is damaged: {said}.*make it again"):
        load_project(project.folder).check_network(network)


def compile_bench(top: str, sources: list[Path], built: Path) -> None:
    """Compile a test bench as any simulator would, delays included."""
    root = verilator_root()
    command = [root / "bin" / "verilator_bin", "--cc", "--exe", "--main", "--timing", "-Wno-fatal", "-Wno-lint"]
    subprocess.run(
        [*command, "--prefix", "Vtop", "--top-module", f"{top}_tb", "--Mdir", built, *sources],
        check=True, env={**os.environ, "VERILATOR_ROOT": str(root)}, capture_output=True,
    )  # fmt: skip
    runtime = [root / "include" / f"verilated{part}.cpp" for part in ("", "_threads", "_timing")]
    (built / "all.cc").write_text("".join(f'#include "{path}"\n' for path in [*sorted(built.glob("*.cpp")), *runtime]))
    include = [f"-I{root / 'include'}", f"-I{root / 'include' / 'vltstd'}", "-I."]
    flags = ["-std=c++20", "-O0", "-DVL_TIME_CONTEXT", "-fcoroutines", *include]
    subprocess.run([compiler(), *flags, "-o", "bench", "all.cc", "-pthread"], check=True, cwd=built)


def one_bit(lines: list[str]) -> list[str]:
    """Lines of hexadecimal numbers of which one is another."""
    return [*lines[:7], f"{int(lines[7], 16) ^ 1:0{len(lines[7])}x}", *lines[8:]]


BAD_VECTORS: list[tuple[str, Callable[[list[str]], list[str]] | None, str]] = [
    ("expected.mem", one_bit, "FAIL: 1 "),
    ("expected.mem", lambda lines: lines[:-1], "short or missing"),
    ("expected.mem", lambda lines: [*lines[:5], *lines[6:]], "short or missing"),
    ("expected.mem", lambda lines: [], "short or missing"),
    ("stimuli.mem", lambda lines: lines[:5], "short or missing"),
    ("stimuli.mem", lambda lines: [], "short or missing"),
    ("stimuli.mem", None, "stimuli.mem"),
    ("expected.mem", None, "expected.mem"),
]


@needs_simulator
@pytest.mark.parametrize("interface", ["parallel", "axis"])
def test_the_test_bench_passes_and_can_fail(tmp_path: Path, interface: str) -> None:
    network = sparse_classifier(seed=2)
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface=interface), test_vectors=vectors(network)[:40])
    bench = project.folder / "tb"
    built = tmp_path / "built"
    compile_bench(project.top, [bench / f"{project.top}_tb.v", *project.sources, *project.models], built)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run([built / "bench"], cwd=bench, capture_output=True, text=True, check=False)

    passed = run()
    assert passed.returncode == 0 and "PASS: 40 samples" in passed.stdout
    for name, change, said in BAD_VECTORS:
        path = bench / name
        right = path.read_text()
        if change is None:
            path.unlink()
        else:
            path.write_text("".join(f"{line}\n" for line in change(right.splitlines())))
        failed = run()
        assert failed.returncode != 0, (name, said, failed.stdout)
        assert said in failed.stdout + failed.stderr and "PASS" not in failed.stdout
        path.write_text(right)
    assert run().returncode == 0


@pytest.mark.parametrize(
    "width, signed", [(1, False), (1, True), (7, True), (12, False), (33, True), (63, True), (64, True)]
)
def test_packing_is_undone(width: int, signed: bool) -> None:
    rng = np.random.default_rng(width)
    low, high = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
    values = rng.integers(low, high, (20, 5), endpoint=True)
    bits = to_bits(values, width)
    assert np.array_equal(from_bits(bits, width, signed), values)
    assert np.array_equal(from_words(to_words(bits), bits.shape[1]), bits)


def test_frames_of_a_stream() -> None:
    form = AxisFormat(width=8, inputs=5, slot=2, outputs=2, field=8)
    assert (form.lanes, form.beats, form.result_beats) == (4, 2, 3)
    assert form.pack(np.array([[1, 2, 3, 0, 1]])).tolist() == [[0b00_11_10_01, 0b01]]
    logits, classes = form.unpack(np.array([[1, 0xFF, 5]], np.uint64), signed=True)
    assert logits.tolist() == [[-1, 5]] and classes.tolist() == [1]
