"""The engine of the AXI4-Stream top: it agrees under every stall, sees each fault of a stream, and tells its pace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.any_network import random_network
from support.hardware_cases import dense, needs_simulator, sparse_classifier, vectors

from qap.errors import CheckFailed, QapError
from qap.hardware.rtl import AxisEngine, RtlOptions, RtlProject, StreamTiming, measure_stream, write_rtl
from qap.hardware.rtl.axis_engine import HARNESS, simulate_stream
from qap.hardware.rtl.simulate import StreamResult, build, run_stream
from qap.network import IntegerNetwork
from qap.verification import EmulatorEngine, agree

pytestmark = needs_simulator


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> tuple[IntegerNetwork, RtlProject]:
    network = sparse_classifier()
    return network, write_rtl(network, tmp_path_factory.mktemp("streamed") / "rtl", RtlOptions(axis_width=16))


@pytest.mark.parametrize("seed, stalls", [(0, 0.0), (3, 0.3), (8, 0.8), (9, 0.99)])
def test_a_stream_with_stalls_on_both_sides(
    streamed: tuple[IntegerNetwork, RtlProject], seed: int, stalls: float
) -> None:
    network, project = streamed
    engines = [EmulatorEngine(), AxisEngine(project, seed=seed, stalls=stalls)]
    assert agree(engines, network, vectors(network, 60))[0].exact


@pytest.mark.parametrize("width, form", [(8, "fixed<7,3>"), (32, "ufixed<8,0>"), (64, "fixed<5,5>")])
def test_streams_of_every_width(tmp_path: Path, width: int, form: str) -> None:
    network = dense([[3, -1, 2], [0, 0, 0], [-7, 5, 1], [2, 2, -2]], [1, -5, 9], form)
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(axis_width=width, stage_depth=1))
    x = vectors(network, 100)
    assert np.array_equal(simulate_stream(project, network, x, seed=width), network.forward(x))


@pytest.mark.parametrize("seed", range(3))
def test_random_networks_agree(seed: int) -> None:
    network = random_network(np.random.default_rng(seed))
    assert agree([EmulatorEngine(), AxisEngine(seed=seed)], network, vectors(network))[0].exact


FAULTS = {
    "tlast comes a beat early": ("m_axis_tlast = left == 3'd0", "m_axis_tlast = left == 3'd1", "3955 beats"),
    "tlast never comes": ("m_axis_tlast = left == 3'd0", "m_axis_tlast = 1'b0", "result"),
    "two beats are swapped": ("m_axis_tdata = result[7:0]", "m_axis_tdata = result[15:8]", "class index|mismatch"),
    "a result is lost when the last one waits": ("ce = ~(finished & waiting)", "ce = 1'b1", "changed or went away"),
    "the output does not wait": ("sent = waiting & m_axis_tready", "sent = waiting", "changed or went away"),
    "an offer is withdrawn": ("m_axis_tvalid = waiting", "m_axis_tvalid = waiting & ~s_axis_tvalid", "went away"),
    "samples are taken that nobody keeps": ("s_axis_tready = ~complete | ce", "s_axis_tready = 1'b1", "beats|mismatch"),
    "nothing is taken any more": ("s_axis_tready = ~complete | ce", "s_axis_tready = 1'b0", "stuck"),
    "results come twice": ("else if (sent & m_axis_tlast) waiting", "else if (sent & 1'b0) waiting", "more beats"),
    "the error flag rises": ("(s_axis_tlast != at_last)", "(s_axis_tlast == at_last)", "flags an error"),
    "inputs go astray": ("x[3:0] <= s_axis_tdata[3:0]", "x[3:0] <= s_axis_tdata[7:4]", "mismatch"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_stream_is_seen(tmp_path: Path, fault: str) -> None:
    right, wrong, said = FAULTS[fault]
    network = dense([[3, -1, 2], [1, 2, -2], [-7, 5, 1], [2, 2, -2]], [1, -5, 9])
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(axis_width=8, stage_depth=2))
    top = project.folder / f"{project.top}.v"
    source = top.read_text()
    assert source.count(right) == 1
    top.write_text(source.replace(right, wrong))
    with pytest.raises(CheckFailed, match=said):
        found = agree([EmulatorEngine(), AxisEngine(project)], network, vectors(network))[0]
        if not found.exact:
            raise CheckFailed(f"{found.mismatches} mismatches")


def test_tlast_alone_at_the_wrong_beat_is_seen(tmp_path: Path) -> None:
    """Every beat comes as it should, but tlast is with all of them other than the last."""
    network = dense([[3, -1, 2], [1, 2, -2]], [1, -5, 9])
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(axis_width=8, stage_depth=2))
    top = project.folder / f"{project.top}.v"
    source = top.read_text().replace("m_axis_tlast", "last_beat")
    source = source.replace("output wire last_beat", "output wire m_axis_tlast")
    top.write_text(source.replace(");\n", ");\nwire last_beat;\nassign m_axis_tlast = ~last_beat;\n", 1))
    with pytest.raises(CheckFailed, match="has tlast=1 with beat 0 of the"):
        simulate_stream(project, network, vectors(network))


@pytest.mark.parametrize("width, ii", [(8, 9), (64, 2)])
def test_the_pace_of_a_stream_is_not_that_of_its_core(tmp_path: Path, width: int, ii: int) -> None:
    network = dense([[3, -1, 2], [1, 2, -2], [-7, 5, 1], [2, 2, -2]], [1, -5, 9])
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(axis_width=width, stage_depth=1))
    form = project.axis
    assert form is not None
    latency = form.beats + project.latency_cycles + 1 + form.result_beats  # 1: the register of the result
    assert measure_stream(project) == StreamTiming(latency, ii)
    assert ii == max(form.beats, form.result_beats + 1)


def test_the_pace_of_a_stream_whose_samples_are_long(tmp_path: Path) -> None:
    project = write_rtl(sparse_classifier(inputs=80), tmp_path / "rtl", RtlOptions(axis_width=8))
    form = project.axis
    assert form is not None and (form.beats, form.result_beats) == (10, 6)
    assert measure_stream(project).ii_cycles == 10


def test_a_core_without_a_stream(tmp_path: Path) -> None:
    network = sparse_classifier()
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(interface="parallel"))
    assert "is the core alone; --interface axis" in str(AxisEngine(project).available())
    for work in (lambda: simulate_stream(project, network, vectors(network)), lambda: measure_stream(project)):
        with pytest.raises(QapError, match="has no stream; generate it with --interface axis"):
            work()


def test_a_project_of_another_network_is_refused(streamed: tuple[IntegerNetwork, RtlProject]) -> None:
    other = sparse_classifier(seed=9)
    with pytest.raises(QapError, match="generated from another network"):
        simulate_stream(streamed[1], other, vectors(other))


def send(project: RtlProject, beats: np.ndarray, last: list[bool]) -> StreamResult:
    program = build([*project.sources, *project.models], project.top, HARNESS)
    return run_stream(program, beats, np.array(last), results=100, span=50, seed=1, stalls=0.3)


@pytest.mark.parametrize("fault", ["early", "late", "missing", "two early"])
def test_tlast_at_the_wrong_beat_is_flagged_and_does_not_wedge(
    streamed: tuple[IntegerNetwork, RtlProject], fault: str
) -> None:
    network, project = streamed
    form = project.axis
    assert form is not None and form.beats == 3
    x = vectors(network)[:3]
    good = form.pack(x)
    wrong, wrong_last = {
        "early": (good[0][:2], [False, True]),
        "late": (np.concatenate([good[0], good[0][:1]]), [False, False, False, True]),
        "missing": (np.concatenate([good[0], good[0]]), [False] * 5 + [True]),
        "two early": (good[0][:2], [True, True]),
    }[fault]
    frame_last = [False, False, True]
    result = send(
        project, np.concatenate([good[1], wrong, good[2], good[1]]), frame_last + wrong_last + frame_last + frame_last
    )
    assert result.error
    logits, _ = form.unpack(result.data.reshape(-1, form.result_beats), project.signed_logits)
    assert np.array_equal(logits, network.forward(x[[1, 2, 1]]))  # the broken frame is dropped, the others are right
    assert not send(project, good.reshape(-1), frame_last * 3).error


def test_a_broken_frame_of_samples_of_one_beat_is_dropped(tmp_path: Path) -> None:
    """Its second beat has tlast, as a whole frame of one beat has: it is the end of the broken one, and none itself."""
    network = dense([[3, -1, 2], [-7, 5, 1]], [1, -5, 9])
    project = write_rtl(network, tmp_path / "rtl", RtlOptions(axis_width=32, stage_depth=1))
    form = project.axis
    assert form is not None and form.beats == 1
    x = np.array([[1, 2], [3, 4], [5, 6], [7, 8]])
    result = send(project, form.pack(x).reshape(-1), [True, False, True, True])
    assert result.error
    logits, _ = form.unpack(result.data.reshape(-1, form.result_beats), project.signed_logits)
    assert np.array_equal(logits, network.forward(x[[0, 3]]))
