"""What is read of a project's text; neither hls4ml nor a compiler is needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.small_firmware import write_small_firmware

from qap.errors import DataError
from qap.explore.diagnosis.hardware import blocks_of
from qap.explore.diagnosis.ranges import sites_of
from qap.explore.diagnosis.simulation import n_in, widths, with_traces
from qap.explore.diagnosis.source import read_source
from qap.explore.diagnosis.versions import Version, version_text
from qap.explore.diagnosis.weights import read_weights
from qap.fixed import FixedPoint

LAYOUTS = pytest.mark.parametrize(("version", "namespace"), [("0.6", ""), ("0.7", ""), ("1.2", ""), ("1.2", "mine")])


@LAYOUTS
def test_calls_and_sizes_of_every_layout(tmp_path: Path, version: str, namespace: str) -> None:
    source = read_source(write_small_firmware(tmp_path / "hls", version=version, namespace=namespace))
    assert [(call.function, call.name, call.config) for call in source.calls] == [
        ("dense", "fc1", "config2"),
        ("softmax", "sm", "softmax_config4"),
    ]
    assert (n_in(source), widths(source), source.namespace) == (2, [3, 3], namespace)
    assert source.unused_parameters == (2 if version == "0.6" else 0)
    blocks, final = blocks_of(source)
    assert [block.calls for block in blocks] == [(0,)]
    assert final == 1


def test_streams_are_seen(tmp_path: Path) -> None:
    folder = write_small_firmware(tmp_path / "hls")
    cpp = folder / "firmware" / "myproject.cpp"
    text = cpp.read_text().replace("input_t x[2]", "hls::stream<input_t> &x")
    cpp.write_text(text.replace("result_t layer4_out[3]", "hls::stream<result_t> &layer4_out"))
    source = read_source(folder)
    assert (source.inputs.type, source.inputs.stream, n_in(source)) == ("input_t", True, 2)
    assert (source.outputs.type, source.outputs.stream, widths(source)) == ("result_t", True, [3, 3])


@LAYOUTS
def test_types_are_followed_to_their_formats(tmp_path: Path, version: str, namespace: str) -> None:
    source = read_source(write_small_firmware(tmp_path / "hls", version=version, namespace=namespace))
    assert source.format("layer2_t") == FixedPoint.parse("ap_fixed<6,2,AP_RND_CONV,AP_SAT>")
    assert source.format("config2") is None
    assert source.resolved(source.configs["config2"]["accum_t"]) == "ap_fixed<16,6>"
    assert [str(site) for site in sites_of(source, read_weights(source))] == [
        "x.input",
        "fc1.weight",
        "fc1.bias",
        "fc1.accumulator",
        "fc1.result",
        "sm.exp table",
        "sm.result",
    ]


def test_a_text_that_differs_from_its_header_is_counted(tmp_path: Path) -> None:
    folder = write_small_firmware(tmp_path / "hls")
    assert all(each.differing == 0 for each in read_weights(read_source(folder)).values())
    (folder / "firmware" / "weights" / "w2.txt").write_text("1, 0, -1, 1, 0, 1")
    weights = read_weights(read_source(folder))["w2"]
    assert weights.differing == 2
    assert weights.simulated is not None and weights.header is not None
    np.testing.assert_array_equal(weights.simulated, [1, 0, -1, 1, 0, 1])
    np.testing.assert_array_equal(weights.header, [1, 0, -1, 1, 1, 0])


def test_every_call_gets_one_trace_and_those_of_the_project_go(tmp_path: Path) -> None:
    source = read_source(write_small_firmware(tmp_path / "hls"))
    text = with_traces(source, (source.firmware / "myproject.cpp").read_text())
    assert text.count("save_layer_output") == 2
    assert 'nnet::save_layer_output<result_t>(layer4_out, "qap_1", 3);' in text


@LAYOUTS
def test_a_version_changes_one_type_where_it_stands(tmp_path: Path, version: str, namespace: str) -> None:
    source = read_source(write_small_firmware(tmp_path / "hls", version=version, namespace=namespace))
    weights = read_weights(source)
    arrays = {name: each.simulated for name, each in weights.items() if each.simulated is not None}
    names = {name: name for name in arrays}
    sites = {str(site): site for site in sites_of(source, weights)}
    plain = version_text(source, Version(), names, arrays).splitlines()

    def changed(key: str) -> list[str]:
        version = Version(types={sites[key]: "ap_fixed<40,16>"})
        text = version_text(source, version, names, arrays).splitlines()
        return [new.strip() for old, new in zip(plain, text, strict=True) if new != old]

    assert changed("fc1.accumulator") == ["typedef ap_fixed<40,16> accum_t;"]
    assert changed("fc1.result") == ["typedef ap_fixed<40,16> layer2_t;"]
    assert changed("fc1.weight") == [
        "ap_fixed<40,16> w2[6];",
        "typedef ap_fixed<40,16> weight_t;",
        f"using product = nnet::product::mult<x_T, y_T{', res_T' if version == '0.6' else ''}>;",
    ]


@LAYOUTS
def test_a_version_is_plain_text_that_fits_into_a_namespace(tmp_path: Path, version: str, namespace: str) -> None:
    source = read_source(write_small_firmware(tmp_path / "hls", version=version, namespace=namespace))
    text = version_text(source, Version(), {"w2": "w2"}, {"w2": np.zeros(6)})
    assert text.count("{") == text.count("}")
    assert all(word not in text for word in ("namespace", "#include", "_H_", "load_weights_from_txt"))
    assert "model_default_t b2[3] = {0.5, 0, -0.5};" in text  # an array that is not given stays as it is


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("firmware/defines.h", "defines.h cannot be read"),
        ("firmware/myproject.h", "has no C++ file with a header of the same name"),
        ("firmware", "it has no folder firmware/"),
        (".", "there is no such folder"),
    ],
)
def test_what_is_not_a_project_is_refused(tmp_path: Path, missing: str, message: str) -> None:
    folder = write_small_firmware(tmp_path / "hls")
    (folder / missing).rename(tmp_path / "away")
    with pytest.raises(DataError, match=message.replace("+", r"\+")):
        read_source(folder)


def test_text_weights_that_are_missing_are_named(tmp_path: Path) -> None:
    folder = write_small_firmware(tmp_path / "hls")
    (folder / "firmware" / "weights" / "b2.txt").unlink()
    with pytest.raises(DataError, match=r"b2\.txt cannot be read, though the C simulation reads its weights there"):
        read_weights(read_source(folder))
