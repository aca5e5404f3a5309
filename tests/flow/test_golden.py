"""The golden vectors that projects ship with are what the network computes, or verify says where they are not."""

from types import SimpleNamespace

import numpy as np
import pytest
from support.needs import needs
from support.random_networks import every_mode, random_inputs, random_network

from qap.errors import DataError
from qap.flow.golden import wrong_golden_vectors
from qap.flow.verification import verify_run
from qap.hardware.rtl import RtlOptions, write_rtl
from qap.hardware.rtl.project import VERSION
from qap.network import save_network
from qap.recipe import load_recipe
from qap.run import HLS, NETWORK, RTL, RunDirectory, StageRecord
from qap.testing import NetworkEngine

needs("da4ml")
VECTORS = 20
NETWORKS = [random_network(choice) for choice in every_mode(("relu", "steps"), 3)[:6]]

VARIED = max(NETWORKS, key=lambda each: len(np.unique(each.forward(random_inputs(each, VECTORS)), axis=0)))
"""The network that tells inputs apart best."""


def run_of(network, path, interface="axis"):
    run = RunDirectory.create(path, load_recipe("mnist-1v9"))
    save_network(network, run.file(NETWORK))
    x = random_inputs(network, VECTORS)
    write_rtl(network, run.file(RTL), RtlOptions(interface=interface, any_size=True), test_vectors=x)
    bench = run.file(HLS) / "tb_data"
    bench.mkdir(parents=True)
    for name, values in (("inputs", x), ("golden", network.forward(x))):
        np.savetxt(bench / f"{name}.dat", values, "%d")
    return run


@pytest.mark.parametrize("interface", ["axis", "parallel"])
@pytest.mark.parametrize("index", range(len(NETWORKS)))
def test_what_is_written_agrees(tmp_path, index, interface):
    run = run_of(NETWORKS[index], tmp_path / "run", interface)
    assert wrong_golden_vectors(run, NETWORKS[index], [HLS, RTL]) == []


@pytest.mark.parametrize("interface", ["axis", "parallel"])
def test_vectors_of_the_first_version_do_not_end_with_ones(tmp_path, interface):
    run = run_of(VARIED, tmp_path / "run", interface)
    for name in ("stimuli", "expected"):
        path = run.file(RTL) / "tb" / f"{name}.mem"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DataError, match="its last line is not the one of ones|does not hold samples"):
        wrong_golden_vectors(run, VARIED, [RTL])
    path = run.file(RTL) / "project.json"
    path.write_text(path.read_text().replace(f'"qap_rtl": {VERSION}', '"qap_rtl": 1'))
    assert wrong_golden_vectors(run, VARIED, [RTL]) == []


@pytest.mark.parametrize("interface", ["axis", "parallel"])
@pytest.mark.parametrize("file", ["hls/tb_data/golden.dat", "hls/tb_data/inputs.dat", "rtl/tb/expected.mem"])
def test_one_changed_number_is_found(tmp_path, file, interface):
    network = VARIED
    run = run_of(network, tmp_path / "run", interface)
    lines = run.file(file).read_text().splitlines()
    if file.endswith("golden.dat"):
        first, *rest = lines[7].split()
        lines[7] = " ".join([str(int(first) + 1), *rest])
    elif file.endswith("inputs.dat"):
        lines = lines[1:] + lines[:1]
    else:
        digit = -1 if interface == "axis" else 0  # the class index
        lines[7] = f"{int(lines[7], 16) ^ (1 if digit else 1 << network.output_format.width * network.n_out):x}"
    run.file(file).write_text("\n".join(lines) + "\n")
    (wrong,) = wrong_golden_vectors(run, network, [HLS, RTL])
    assert wrong.mismatches >= 1 and wrong.engine_b == file.replace("inputs", "golden")
    assert file.endswith("inputs.dat") or wrong.mismatches == 1
    assert wrong_golden_vectors(run, network, [RTL if file.startswith("hls") else HLS]) == []


@pytest.mark.parametrize("file", ["hls/tb_data/golden.dat", "rtl/tb/expected.mem", "rtl/tb/stimuli.mem"])
@pytest.mark.parametrize("damage", ["empty", "gone", "words", "short"])
def test_damaged_files_are_named(tmp_path, file, damage):
    run = run_of(VARIED, tmp_path / "run")
    path = run.file(file)
    if damage == "gone":
        path.unlink()
    else:
        half = "".join(path.read_text().splitlines(keepends=True)[:-1])
        path.write_text({"empty": "", "words": "12 wrong\n", "short": half}[damage])
    with pytest.raises(
        DataError, match=rf"the golden vectors in .* are damaged: .*; qap {file[:3]} RUN makes them again"
    ):
        wrong_golden_vectors(run, VARIED, [HLS, RTL])


def test_a_verification_fails_on_them_and_tells_what_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr("qap.flow.engines.csim", lambda run: NetworkEngine(name="csim"))
    network = VARIED
    run = run_of(network, tmp_path / "run")
    run.finish("hls", StageRecord("digest", 1.0, {}, run.products([HLS])))
    run.dataset = SimpleNamespace(test=SimpleNamespace(x=random_inputs(network, 5)))
    assert verify_run(run, ["emulator", "csim"]).exact
    golden = run.file(HLS) / "tb_data" / "golden.dat"
    golden.write_text(f"{int(golden.read_text().split()[0]) + 1} {golden.read_text().partition(' ')[2]}")
    found = verify_run(run, ["emulator", "csim"])
    assert not found.exact and [each.mismatches for each in found.agreements] == [0, 0, 1]
    assert found.notes == ("not as qap wrote it: hls/tb_data/golden.dat has changed; qap run makes it again",)
