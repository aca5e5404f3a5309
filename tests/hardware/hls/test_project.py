"""HLS projects: what is written, what is refused, and that hls4ml's C simulation agrees bit for bit."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support.json_key import change_key
from support.needs import needing, needs
from support.random_networks import Choice, every_mode, random_inputs, random_network

needs("hls4ml")

from qap.errors import DataError, NotExact, RecipeError, ToolFailed, ToolMissing
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.hardware.hls import CsimEngine, HlsProject, csim, read_project, write_project
from qap.hardware.hls.csim import build
from qap.hardware.hls.names import layer_names, project_name
from qap.hardware.hls.project import hls_accumulator
from qap.hardware.tools import compiler
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.recipe import TargetRecipe
from qap.verification import EmulatorEngine, adversarial_vectors, verify

needs_gpp = needing("g++")
SAT = (Rounding.RND_CONV, Overflow.SAT)

# every rounding and overflow, then staircases, an all-zero network, and the other strategies and the other tool
RANDOM: list[tuple[Choice, dict[str, object]]] = [
    *((choice, {}) for choice in every_mode(("relu", "linear"), seed=100)),
    (Choice(200, (5, 4, 3, 2), 0.5, SAT, ("steps", "steps", "none"), True), {}),
    (Choice(201, (4, 3, 2), 1.0, SAT, ("relu", "none"), False), {}),
    (Choice(202, (6, 4, 3), 0.5, SAT, ("relu", "linear"), True), {"strategy": "resource", "reuse_factor": 2}),
    (Choice(203, (6, 4, 3), 0.5, SAT, ("steps", "linear"), True), {"backend": "Vivado"}),
]


def project_of(network: IntegerNetwork, folder: Path, name: str = "test", **target: object) -> HlsProject:
    x = random_inputs(network, 40)
    return write_project(network, folder, name=name, target=TargetRecipe.model_validate(target), x_int=x)


def small_network() -> IntegerNetwork:
    """Two layers, a ReLU that cuts nothing off at the top, so that no change of a weight can hide."""
    form = FixedPoint.parse("fixed<5,2>")
    first = np.array([[3, -2, 1], [1, 4, -5], [-7, 2, 6], [8, -3, 1]])
    second = np.array([[3, -1], [2, 5], [-4, 7]])
    specs = [
        LayerSpec(
            "dense one", first, form, np.array([4, 5, 6]), form, "relu", FixedPoint.parse("ufixed<12,8,RND,SAT>")
        ),
        LayerSpec("dense-two", second, form, np.array([1, -2]), form),
    ]
    return connect(FixedPoint.parse("ufixed<6,2>"), specs, "ab")


@needs_gpp
def test_the_c_simulation_of_random_networks_agrees(tmp_path: Path) -> None:
    assert len(RANDOM) >= 12
    assert_c_simulation_agrees(RANDOM, tmp_path)


@needs_gpp
@pytest.mark.slow  # da4ml compiles itself on first use, for minutes
def test_the_c_simulation_with_distributed_arithmetic_agrees(tmp_path: Path) -> None:
    target = {"strategy": "distributed_arithmetic"}
    choices = [
        Choice(204, (5, 3, 2), 0.0, SAT, ("relu", "none"), True),
        Choice(205, (6, 4, 3), 0.5, SAT, ("steps", "linear"), True),
    ]
    assert_c_simulation_agrees([(choice, target) for choice in choices], tmp_path)


def assert_c_simulation_agrees(drawn: list[tuple[Choice, dict[str, object]]], tmp_path: Path) -> None:
    cases = [(random_network(choice), target) for choice, target in drawn]
    projects = [project_of(network, tmp_path / str(i), **target) for i, (network, target) in enumerate(cases)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda project: build(project, tmp_path / "cache"), projects))
    for (network, _), project in zip(cases, projects, strict=True):
        engine = CsimEngine(project.folder, tmp_path / "cache")
        x = random_inputs(network, 2 * csim.CHUNK + 3)
        sets = {"random": x, "adversarial": adversarial_vectors(network.input_format, network.n_in)}
        found = verify([EmulatorEngine(), engine], network, sets)
        assert found.exact, (project.folder, [str(agreement) for agreement in found.agreements])
        assert all((a == b).all() for a, b in zip(engine.trace(network, x[:20]), network.trace(x[:20]), strict=True))


def flip_weight(project: HlsProject, layer: int) -> None:
    """One LSB of one weight of a layer, in the header that is synthesized."""
    network_layers = sorted((project.folder / "firmware" / "weights").glob("w*.h"), key=lambda p: int(p.stem[1:]))
    header = network_layers[layer]
    text = header.read_text()
    value = re.search(r"_VALUES (-?[\d.]+)", text)
    assert value is not None
    lsb = small_network().layers[layer].weight_format.lsb
    changed = float(value[1]) + (lsb if float(value[1]) < 0 else -lsb)
    header.write_text(text[: value.start(1)] + repr(changed) + text[value.end(1) :])


@needs_gpp
@pytest.mark.parametrize("layer", [0, 1])
def test_one_lsb_of_one_weight_is_found_and_its_layer_named(tmp_path: Path, layer: int) -> None:
    network = small_network()
    project = project_of(network, tmp_path / "hls")
    flip_weight(project, layer)
    x = adversarial_vectors(network.input_format, network.n_in)
    found = verify([EmulatorEngine(), CsimEngine(project.folder)], network, {"adversarial": x})
    assert not found.exact
    assert found.agreements[0].first is not None
    assert found.agreements[0].first.layer == network.layers[layer].name


def run_test_bench(project: HlsProject) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "csim.sh"], cwd=project.folder, capture_output=True, text=True, check=False)


@needs_gpp
def test_the_test_bench_passes_and_fails_on_one_golden_bit(tmp_path: Path) -> None:
    """In a folder whose name would break a careless script."""
    network = small_network()
    project = project_of(network, tmp_path / 'it\'s a "folder" $HOME; x', name='it\'s "my" $net;')
    assert project.name == "qap_it_s_my_net"
    passed = run_test_bench(project)
    assert (passed.returncode, passed.stdout.strip()) == (0, "INFO: 40 samples, 0 mismatches")
    golden = project.folder / "tb_data" / "golden.dat"
    rows = golden.read_text().splitlines()
    first = rows[7].split()
    rows[7] = " ".join([str(int(first[0]) + 1), *first[1:]])
    golden.write_text("\n".join(rows) + "\n")
    failed = run_test_bench(project)
    assert failed.returncode == 1
    assert f"ERROR: sample 7 output 0 is {first[0]}, golden is {int(first[0]) + 1}" in failed.stdout


SHORT = {
    "one sample less": ("both", lambda lines: lines[:-1], "holds 39 samples, but 40 were written"),
    "no sample": ("both", lambda lines: [], "holds 0 samples, but 40 were written"),
    "inputs end too early": ("inputs", lambda lines: lines[:5], "holds 5 samples, but 40 were written"),
    "golden ends too early": ("golden", lambda lines: lines[:5], "holds 5 samples, but 40 were written"),
    "an input is cut": ("inputs", lambda lines: [*lines[:3], lines[3][:2], *lines[4:]], "inputs.dat is short at"),
    "a result is cut": ("golden", lambda lines: [*lines[:3], lines[3][:1], *lines[4:]], "golden.dat is short at"),
    "inputs are missing": ("inputs", None, "inputs.dat or tb_data/golden.dat cannot be opened"),
}  # fmt: skip


@needs_gpp
def test_the_test_bench_fails_on_vectors_that_are_short_or_missing(tmp_path: Path) -> None:
    project = project_of(small_network(), tmp_path / "hls")
    program = tmp_path / "bench"
    sources = [f"{project.name}_test.cpp", f"firmware/{project.name}.cpp"]
    command = ["g++", "-O0", "-std=c++17", "-w", "-I.", "-Ifirmware/ap_types", *sources, "-o", program]
    subprocess.run(command, cwd=project.folder, check=True)
    subprocess.run([program], cwd=project.folder, check=True)
    folder = project.folder / "tb_data"
    written = {name: (folder / f"{name}.dat").read_text() for name in ("inputs", "golden")}
    for which, change, said in SHORT.values():
        for name, text in written.items():
            path = folder / f"{name}.dat"
            if which in (name, "both") and change is None:
                path.unlink()
            elif which in (name, "both"):
                path.write_text("".join(f"{line}\n" for line in change(text.splitlines())))
            else:
                path.write_text(text)
        failed = subprocess.run([program], cwd=project.folder, capture_output=True, text=True, check=False)
        assert failed.returncode == 1 and said in failed.stdout, failed.stdout


@needs_gpp
def test_the_library_script_of_hls4ml_builds(tmp_path: Path) -> None:
    project = project_of(small_network(), tmp_path / "with space")
    subprocess.run(["bash", "build_lib.sh"], cwd=project.folder, capture_output=True, check=True)
    assert list((project.folder / "firmware").glob("*.so"))


def test_every_precision_is_explicit(tmp_path: Path) -> None:
    network = small_network()
    project = project_of(network, tmp_path / "hls")
    defines = (project.folder / "firmware" / "defines.h").read_text()
    types = dict(re.findall(r"typedef (ap_u?fixed<[^;]*>) (\w+);", defines))
    written = {name: FixedPoint.parse(form) for form, name in types.items()} | {
        name: FixedPoint.parse(form) for form, name in re.findall(r"typedef (ap_u?fixed<[^;]*>) (\w+);", defines)
    }
    assert written["input_t"] == network.input_format
    for layer, name in zip(network.layers, layer_names(network), strict=True):
        assert written[f"{name}_weight_t"] == layer.weight_format
        assert written[f"{name}_bias_t"] == layer.bias_format
        assert written[f"{name}_accum_t"] == layer.accum_format == hls_accumulator(layer)
    assert written["result_t"] == network.output_format
    assert FixedPoint(True, 16, 6) not in written.values()  # hls4ml's default, nowhere


def test_the_written_weights_are_the_integers(tmp_path: Path) -> None:
    network = small_network()
    project = project_of(network, tmp_path / "hls")
    headers = sorted((project.folder / "firmware" / "weights").glob("w*.h"), key=lambda p: int(p.stem[1:]))
    for header, layer in zip(headers, network.layers, strict=True):
        numbers = re.search(r"_VALUES (.*)", header.read_text())
        assert numbers is not None
        values = np.array([float(number) for number in numbers[1].split(",")]).reshape(layer.weight.shape)
        assert (values == layer.weight_format.to_float(layer.weight)).all()
    assert not list(project.folder.rglob("*.txt"))


@needs_gpp
@pytest.mark.parametrize("drawn", [3, -3, -1])  # ReLU, steps, Vivado HLS
def test_the_headers_are_those_that_the_compiler_reads(tmp_path: Path, drawn: int) -> None:
    choice, target = RANDOM[drawn]
    project = project_of(random_network(choice), tmp_path / "hls", **target)
    sources = [path.relative_to(project.folder) for path in project.folder.rglob("*.cpp")]
    command = ["g++", "-MM", "-std=c++17", "-I.", "-Ifirmware/ap_types", *sources]
    read = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=True).stdout
    written = {path.name for path in (project.folder / "firmware" / "nnet_utils").glob("*.h")}
    assert written == set(re.findall(r"nnet_utils/(\w+\.h)", read))
    assert "nnet_dense.h" in written and "nnet_conv2d.h" not in written


@pytest.mark.parametrize("backend", ["Vitis", "Vivado"])
def test_the_page_tells_the_facts_and_every_file(tmp_path: Path, backend: str) -> None:
    network = small_network()
    project = project_of(network, tmp_path / "hls", backend=backend, strategy="resource", reuse_factor=3, clock_ns=4.0)
    page = (project.folder / "README.md").read_text(encoding="utf-8")
    assert f"for {backend} HLS" in page and "clock 4 ns, strategy resource, reuse factor 3" in page
    assert network.digest in page and "Classes a, b: that of the largest output" in page
    for layer, reuse_factor in zip(network.layers, project.reuse_factors, strict=True):
        row = next(line for line in page.splitlines() if line.startswith(f"| {layer.name} |"))
        assert f"`{layer.weight_format}` | `{layer.bias_format}` | `{layer.accum_format}`" in row
        assert row.endswith(f"`{layer.result_format}` | {reuse_factor} |")
    told = re.findall(r"^\| (`.*?) \|", page.partition("## Files")[2], re.MULTILINE)
    names = {Path(name).name for cell in told for name in re.findall(r"`([^`]+)`", cell)} - {".h"}
    assert all(list(project.folder.rglob(name)) for name in names)
    written = {path.name for folder in ("", "firmware") for path in (project.folder / folder).iterdir()}
    assert written - names == {"README.md", "firmware", f"{project.name}.h"}


def test_target_reaches_the_scripts(tmp_path: Path) -> None:
    project = project_of(small_network(), tmp_path / "hls", part="xcu250-figd2104-2L-e", clock_ns=3.3)
    script = (project.folder / "project.tcl").read_text()
    assert 'set part "xcu250-figd2104-2L-e"' in script and "set clock_period 3.3" in script


def test_a_board_is_its_part_in_the_scripts_and_a_part_that_is_not_listed_says_so(tmp_path: Path) -> None:
    board = project_of(small_network(), tmp_path / "board", part="basys3")
    assert 'set part "xc7a35tcpg236-1"' in (board.folder / "project.tcl").read_text()
    assert "qap devices" not in (board.folder / "README.md").read_text(encoding="utf-8")
    unlisted = project_of(small_network(), tmp_path / "unlisted", part="XCZU28DR-FFVG1517-2-E")
    assert 'set part "xczu28dr-ffvg1517-2-e"' in (unlisted.folder / "project.tcl").read_text()
    assert "- xczu28dr-ffvg1517-2-e is not in the table of qap devices" in (unlisted.folder / "README.md").read_text()
    with pytest.raises(ValueError, match="no part or board 'nonsense'"):
        project_of(small_network(), tmp_path / "nonsense", part="nonsense")
    assert not (tmp_path / "nonsense").exists()


def test_a_project_is_the_same_wherever_and_whenever_it_is_written(tmp_path: Path) -> None:
    network = small_network()
    a, b = project_of(network, tmp_path / "a"), project_of(network, tmp_path / "b")
    files = sorted(path.relative_to(a.folder) for path in a.folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(b.folder) for path in b.folder.rglob("*") if path.is_file())
    for path in files:
        assert (a.folder / path).read_bytes() == (b.folder / path).read_bytes(), path
        assert str(tmp_path).encode() not in (a.folder / path).read_bytes(), path


def test_a_random_stamp_that_is_a_number_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML quotes it: one project in forty would differ."""
    network, found = small_network(), []
    for stamp in ("12345678", "abcdef01"):
        monkeypatch.setattr("hls4ml.model.optimizer.passes.stamp.uuid.uuid4", lambda stamp=stamp: f"0-{stamp}")
        project = project_of(network, tmp_path / stamp)
        found.append((project.folder / "hls4ml_config.yml").read_bytes())
    assert found[0] == found[1]
    assert b"12345678" not in found[0]


def test_the_description_is_read_back(tmp_path: Path) -> None:
    project = project_of(small_network(), tmp_path / "hls", strategy="resource", reuse_factor=3)
    assert read_project(tmp_path / "hls") == project
    assert project.reuse_factors == (2, 3)
    with pytest.raises(DataError, match="no HLS project in"):
        read_project(tmp_path)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> HlsProject:
    return project_of(small_network(), tmp_path_factory.mktemp("written") / "hls")


def change(project: HlsProject, folder: Path, key: str, value: object) -> Path:
    """A copy of a project with one key changed, or removed."""
    shutil.copytree(project.folder, folder)
    change_key(folder / "qap_project.json", key, value)
    return folder


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("formats", [], "formats must have 3 entries for 2 layers"),
        ("formats", None, "formats: "),
        ("traces", ["one"], "traces must have 2 entries"),
        ("traces", ["a", 'b"]; system("x"); //'], "traces.1: "),
        ("widths", [3, -2], "widths.1: "),
        ("widths", [3, 2.5], "widths.1: "),
        ("widths", [3, 10**30], "widths.1: "),
        ("reuse_factors", [0, 1], "reuse_factors.0: "),
        ("name", "../elsewhere", "name: "),
        ("n_in", "4", "n_in: "),
        ("n_in", ..., "the key 'n_in' is missing"),
        ("target", None, "target: "),
        ("target.clock_ns", float("nan"), "target.clock_ns: "),
        ("target.part", "a; exec b", "target.part: "),
        ("target.backend", "Catapult", "target.backend: "),
        ("more", 1, "unknown key 'more'"),
    ],
)
def test_a_key_that_is_wrong_is_named(written: HlsProject, tmp_path: Path, key: str, value: object, said: str) -> None:
    folder = change(written, tmp_path / "hls", key, value)
    with pytest.raises(
        DataError, match=rf"qap_project\.json is damaged: {said}.*; write it again: qap hls RUN --force"
    ):
        read_project(folder)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000])
def test_a_description_that_is_none_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "qap_project.json").write_text(text)
    with pytest.raises(DataError, match=r"qap_project\.json is damaged: "):
        read_project(tmp_path)


@pytest.mark.parametrize(
    "key, value, said",
    [
        ("widths", [100_000, 2], r"widths is \(100000, 2\), but its network has \(3, 2\)"),
        ("n_in", 100_000, "n_in is 100000, but its network has 4"),
        ("layers", ["one", "two"], "layers is "),
        ("formats", ["ap_fixed<100000,3>"] * 3, "formats is "),
        ("formats", ["", "", ""], "formats is "),
    ],
)
def test_what_the_network_contradicts_is_refused_before_anything_is_built(
    written: HlsProject, tmp_path: Path, key: str, value: object, said: str
) -> None:
    network = small_network()
    folder = change(written, tmp_path / "hls", key, value)
    with pytest.raises(DataError, match=rf"qap_project\.json is damaged: {said}"):
        CsimEngine(folder, tmp_path / "cache").run(network, random_inputs(network, 5))
    assert not (tmp_path / "cache").exists()


@needs_gpp
def test_a_layer_that_the_cpp_does_not_know_is_not_traced(written: HlsProject, tmp_path: Path) -> None:
    network = small_network()
    folder = change(written, tmp_path / "hls", "traces", ["nobody", "dense_two_1"])
    with pytest.raises(DataError, match=r"is damaged: traces names 'nobody', which the C\+\+ does not"):
        CsimEngine(folder).trace(network, random_inputs(network, 5))


NAMES = [
    "1st", "int", "endmodule", "_", "", "größer", "日本", "a b", "a-b", "a_0", "x" * 3000, "layer2", "class", "__t",
    "a;b", "\N{SNOWMAN}9", "std", "main", "input_t",
]  # fmt: skip


@needs_gpp
@pytest.mark.parametrize("name, layers", [("1st", NAMES), ("steps", ["int"]), ("run", ["class"])])
def test_every_name_becomes_an_identifier(tmp_path: Path, name: str, layers: list[str]) -> None:
    form = FixedPoint.parse("fixed<4,2>")
    relu = FixedPoint.parse("ufixed<4,2,RND,SAT>")
    weight, bias = np.array([[3, -1], [-2, 5]]), np.array([1, 2])
    specs = [LayerSpec(each, weight, form, bias, form, "relu", relu) for each in layers]
    network = connect(FixedPoint.parse("ufixed<4,2>"), specs, "ab")
    names = layer_names(network)
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", each) and len(each) < 100 for each in names)
    project = project_of(network, tmp_path / "hls", name=name)
    x = random_inputs(network, 100)
    engine = CsimEngine(project.folder)
    assert (engine.run(network, x) == network.forward(x)).all()
    assert all((a == b).all() for a, b in zip(engine.trace(network, x[:5]), network.trace(x[:5]), strict=True))


def test_a_project_of_any_name(tmp_path: Path) -> None:
    names = {"日本": "qap_network", "": "qap_network", "x" * 3000: "qap_" + "x" * 64, "1st": "qap_1st"}
    assert {name: project_name(name) for name in names} == names


def test_a_project_of_another_network_is_refused(tmp_path: Path) -> None:
    project = project_of(small_network(), tmp_path / "hls")
    other = random_network(Choice(12, (4, 4, 2), 0.3, SAT, ("relu", "none"), True))
    with pytest.raises(DataError, match="made from another network"):
        CsimEngine(project.folder).run(other, random_inputs(other, 5))


def test_distributed_arithmetic_is_fully_parallel(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="reuse_factor=2"):
        project_of(small_network(), tmp_path / "hls", strategy="distributed_arithmetic", reuse_factor=2)
    assert not (tmp_path / "hls").exists()


def test_numbers_too_wide_for_the_test_bench_are_refused(tmp_path: Path) -> None:
    form = FixedPoint.parse("fixed<30,30>")
    spec = LayerSpec("wide", np.array([[2**29 - 1]]), form, np.array([0]), form)
    network = connect(form, [spec], "ab")
    with pytest.raises(NotExact, match=r"'wide'.*accum has 5\d bits"):
        project_of(network, tmp_path / "hls")


def test_a_failed_write_leaves_the_old_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = small_network()
    before = project_of(network, tmp_path / "hls")

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qap.hardware.hls.project._write_test_bench", full)
    with pytest.raises(DataError, match="cannot write .*No space left"):
        project_of(network, tmp_path / "hls", clock_ns=9.0)
    assert read_project(tmp_path / "hls") == before
    assert [path.name for path in tmp_path.iterdir()] == ["hls"]


def test_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = project_of(small_network(), tmp_path / "hls")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "g++ is not installed" in str(CsimEngine(project.folder).available())
    with pytest.raises(ToolMissing, match=r"g\+\+ is not installed"):
        build(project, tmp_path / "cache")


@needs_gpp
def test_sources_that_do_not_compile(tmp_path: Path) -> None:
    project = project_of(small_network(), tmp_path / "hls")
    source = project.folder / "firmware" / f"{project.name}.cpp"
    source.write_text(source.read_text() + "\nnot c++;\n")
    with pytest.raises(ToolFailed, match=r"the C simulation of .* cannot be built: g\+\+ failed .*not") as caught:
        build(project, tmp_path / "cache")
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache" / "builds").iterdir())


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The compilers that built a library."""
    compiled: list[str] = []
    run: Callable[..., str] = csim.run_tool

    def counted(command: list[object], *rest: object, **more: object) -> str:
        if "-o" in command:
            compiled.append(Path(str(command[0])).name)
        return run(command, *rest, **more)

    monkeypatch.setattr(csim, "run_tool", counted)
    return compiled


@needs_gpp
def test_a_library_is_built_once_and_again_when_a_source_or_the_compiler_changes(
    tmp_path: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_of(small_network(), tmp_path / "hls")
    first = build(project, tmp_path / "cache")
    assert build(project, tmp_path / "cache") == first and len(compiled) == 1
    (project.folder / "firmware" / "more.inc").write_text("// a compiler may read any file\n")
    flip_weight(project, 0)
    assert build(project, tmp_path / "cache") != first and len(compiled) == 2
    other = tmp_path / "other-g++"
    other.symlink_to(compiler())
    monkeypatch.setenv("CXX", str(other))
    build(project, tmp_path / "cache")
    assert compiled[2:] == ["other-g++"]


@needs_gpp
def test_no_library_in_a_projects_or_a_runs_folder_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder may come from somebody else, who put code there under the names that any qap might look for."""
    network, x = small_network(), random_inputs(small_network(), 5)
    project, marker = project_of(network, tmp_path / "run" / "hls"), tmp_path / "pwned"
    monkeypatch.setenv("QAP_CACHE_DIR", str(tmp_path / "cache"))
    library = build(project)
    hostile = tmp_path / "hostile.cpp"
    hostile.write_text(
        f'#include <cstdio>\n__attribute__((constructor)) static void run() {{ fclose(fopen("{marker}", "w")); }}\n'
    )
    for place in ("csim/csim-0.so", f"csim/{library.name}", f"csim/builds/{library.parent.name}/{library.name}",
                  f"hls/{library.name}", f"hls/firmware/{project.name}.so"):  # fmt: skip
        target = tmp_path / "run" / place
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([str(compiler()), "-shared", "-fPIC", str(hostile), "-o", str(target)], check=True)
    assert (CsimEngine(project.folder).run(network, x) == network.forward(x)).all()
    assert not marker.exists()


@needs_gpp
def test_a_damaged_library_is_built_again(tmp_path: Path, compiled: list[str]) -> None:
    """Loading one that is cut off would end the process by a signal."""
    network, x = small_network(), random_inputs(small_network(), 5)
    project = project_of(network, tmp_path / "hls")
    library = build(project, tmp_path / "cache")
    library.write_bytes(library.read_bytes()[:5000])
    with pytest.raises(ToolFailed, match="failed with exit code"):
        csim.load(library)
    compiled.clear()
    assert (CsimEngine(project.folder, tmp_path / "cache").run(network, x) == network.forward(x)).all()
    assert len(compiled) == 1


@needs_gpp
def test_a_compiler_that_builds_nothing_does_not_spoil_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, liar = project_of(small_network(), tmp_path / "hls"), tmp_path / "liar"
    monkeypatch.setenv("CXX", str(liar))
    for lie, message in (("exit 0", r"csim\.so was not built"), ('for last; do :; done; echo x > "$last"', "python.*")):
        liar.write_text(f"#!/bin/sh\n{lie}\n")
        liar.chmod(0o755)
        with pytest.raises(ToolFailed, match=f"cannot be built: {message}") as caught:
            build(project, tmp_path / "cache")
        assert "\n" not in str(caught.value)
        assert not list((tmp_path / "cache" / "builds").iterdir())
