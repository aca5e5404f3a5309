"""The figures of a sweep: the right axis, lines that differ in more than colour, numbers at their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.needs import needs

needs("matplotlib")

from support.made_sweep import BITS, counted, make_sweep, record_of

from qap.explore.sweep.report.figures import accuracy_figure, front_figure, resources_figure
from qap.explore.sweep.report.plan import MOST_LINES, plan_of
from qap.explore.sweep.report.results import SweepResults, read_results
from qap.report.figures import save_png


def made(folder: Path, axes: Any, *record: Any, **more: Any) -> SweepResults:
    make_sweep(folder, axes, *record, **more)
    return read_results(folder)


def looks(axes: Any) -> list[tuple[Any, ...]]:
    """What tells lines apart without colour."""
    return [(line.get_marker(), line.get_fillstyle(), str(line._dash_pattern)) for line in axes.lines]


def test_resources_against_bits(tmp_path: Path) -> None:
    results = made(tmp_path, BITS)
    figure = resources_figure(results, plan_of(results))
    assert len(figure.axes) == 2 * 5  # a row for each strategy, a column for each resource
    titles = [axes.get_title(loc="left") for axes in figure.axes[:5]]
    assert titles == ["LUT\n(estimated)", "FF\n(estimated)", "DSP\n(estimated)", "BRAM18\n(estimated)",
                      "latency\n(cycles, estimated)"]  # fmt: skip
    assert [axes.get_ylabel() for axes in figure.axes[::5]] == ["strategy\nlatency", "strategy\nresource"]
    assert {axes.get_xlabel() for axes in figure.axes[5:]} == {"weight bits"}
    lut = figure.axes[0]
    one, four = lut.lines
    assert (list(one.get_xdata()), list(one.get_ydata())) == ([2, 4, 8], [2000, 4000, 8000])
    assert list(four.get_ydata()) == [500, 1000, 2000]
    assert len(set(looks(lut))) == 2
    band = lut.collections[0].get_datalim(lut.transData)
    assert (band.y0, band.y1) == (1000, 16000)
    assert not list(figure.axes[1].collections)  # an FF has no interval in these records
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["latency, reuse factor 1", "latency, reuse factor 4", "resource, reuse factor 4"]


def test_accuracy_is_drawn_once_for_each_network(tmp_path: Path) -> None:
    results = made(tmp_path, BITS)
    validation, test = accuracy_figure(results, plan_of(results)).axes
    assert len(validation.lines) == len(test.lines) == 1
    assert list(validation.lines[0].get_ydata()) == pytest.approx([81.25, 87.5, 96.875])
    assert list(test.lines[0].get_ydata()) == pytest.approx([75, 81.25, 90.625])
    assert validation.get_ylabel() == "accuracy (%, measured)"
    low, high = validation.get_ylim()
    assert high - low >= 0.5


def test_the_front_is_stairs_with_letters(tmp_path: Path) -> None:
    results = made(tmp_path, BITS)
    axes, beside = front_figure(results, plan_of(results)).axes
    stairs = next(line for line in axes.lines if line.get_label() == "Pareto front")
    assert list(stairs.get_xdata()) == [500, 1000, 2000]
    assert [text.get_text() for text in axes.texts] == ["A", "B", "C"]
    named = beside.texts[0].get_text().replace("\N{EM SPACE}", " ")
    assert "A  81.25 %, 500 LUT\n weight bits 2, latency, reuse factor 4\n weight bits 2, resource" in named
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("LUT (estimated)", "validation accuracy (%, measured)")


def test_the_numbers_with_most_values_are_the_axis_where_there_are_no_bits(tmp_path: Path) -> None:
    axes = {"distillation": ["none", "offline"], "clock_ns": [4.0, 5.0], "sparsity": [0.1, 0.5, 0.9]}
    results = made(tmp_path, axes)
    plan = plan_of(results)
    assert (plan.x, plan.numeric, plan.first, plan.others) == ("sparsity", True, "distillation", ("clock_ns",))
    assert accuracy_figure(results, plan).axes[0].get_xlabel() == "sparsity asked for"
    assert {len(line.get_xdata()) for axes in resources_figure(results, plan).axes for line in axes.lines} == {3}


def test_quantizers_are_bits(tmp_path: Path) -> None:
    weights = ["quantized_bits(8,0,alpha=1)", "ap_fixed<4,1>", "quantized_bits(2,0,alpha=1)"]
    results = made(tmp_path, {"sparsity": [0.1, 0.2, 0.3, 0.4], "student.layers.0.weight": weights})
    plan = plan_of(results)
    assert (plan.x, plan.label, plan.numeric) == ("student.layers.0.weight", "bits of student.layers.0.weight", True)
    line = accuracy_figure(results, plan).axes[0].lines[0]
    assert list(line.get_xdata()) == [2, 4, 8]
    assert plan.first == "sparsity"


@pytest.mark.parametrize("weights", [["ap_fixed<4,1>", "ap_fixed<4,2>"], ["binary(alpha=1)", "ternary(alpha=1)"]])
def test_quantizers_of_equal_or_unknown_width_are_words(tmp_path: Path, weights: list[str]) -> None:
    plan = plan_of(made(tmp_path, {"student.layers.0.weight": weights}))
    assert (plan.numeric, plan.label) == (False, "student.layers.0.weight")
    assert plan.places == {weights[0]: 0, weights[1]: 1}


def test_words_stand_beside_each_other(tmp_path: Path) -> None:
    results = made(tmp_path, {"distillation": ["none", "offline", "online"], "units": [[4, 2], [8, 4]]})
    plan = plan_of(results)
    assert (plan.x, plan.numeric, plan.first) == ("distillation", False, "units")
    axes = accuracy_figure(results, plan).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["none", "offline", "online"]
    assert [line.label for line in plan.lines(results.good)] == ["hidden neurons 4-2", "hidden neurons 8-4"]


def test_too_many_lines_become_points(tmp_path: Path) -> None:
    axes = {"weight_bits": [2, 4], "activation_bits": [3, 4, 5, 6, 7], "sparsity": [0.1, 0.3, 0.5, 0.7]}
    results = made(tmp_path, axes)
    plan = plan_of(results)
    lines = plan.lines(results.good)
    assert (plan.first, plan.others, plan.dropped) == ("activation_bits", (), ("sparsity",))
    assert len(lines) == 5 <= MOST_LINES and not any(line.joined for line in lines)
    assert sum(len(line.points) for line in lines) == 40
    drawn = resources_figure(results, plan).axes[0].lines
    assert {line.get_linestyle() for line in drawn} == {"None"}


def test_a_first_axis_of_too_many_values_is_not_told_apart(tmp_path: Path) -> None:
    results = made(tmp_path, {"weight_bits": [2, 4], "seed": list(range(MOST_LINES + 1))})
    plan = plan_of(results)
    assert (plan.first, plan.dropped) == (None, ("seed",))
    assert len(resources_figure(results, plan).legends) == 0


def test_lines_differ_in_more_than_colour(tmp_path: Path) -> None:
    axes = {"weight_bits": [2, 4], "strategy": ["latency", "resource", "other"], "reuse_factor": [1, 2, 4, 8]}
    results = made(tmp_path, axes)
    figure = front_figure(results, plan_of(results))
    clouds = [line for line in figure.axes[0].lines if line.get_label().startswith(("lat", "res", "oth"))]
    assert len({(line.get_marker(), line.get_fillstyle()) for line in clouds}) == len(clouds) == 12


def test_counts_are_drawn_as_counts(tmp_path: Path) -> None:
    results = made(tmp_path, {"weight_bits": [2, 4]}, lambda i, v: record_of(i, v, counted), estimator="counts")
    plan = plan_of(results)
    titles = [axes.get_title(loc="left") for axes in resources_figure(results, plan).axes]
    assert titles == ["multiplications\n(counted)", "weight bits\n(counted)"]
    assert results.cost == "multiplications"


@pytest.mark.parametrize("axes", [{"weight_bits": [4]}, {"distillation": ["none"]}])
def test_one_point_is_enough(tmp_path: Path, axes: Any) -> None:
    results = made(tmp_path, axes)
    plan = plan_of(results)
    for draw in (accuracy_figure, resources_figure, front_figure):
        save_png(draw(results, plan), tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert [point.name(results.varied) for point in results.front] == ["the only point"]


def test_points_that_differ_in_more_than_the_axis_are_not_joined(tmp_path: Path) -> None:
    """A random draw: every line has one point at each width, but with another sparsity, which is not told apart."""

    def drawn(index: int, values: Any) -> dict[str, Any] | None:
        return record_of(index, values) if (values["weight_bits"] == 2) == (values["sparsity"] == 0.1) else None

    axes = {"weight_bits": [2, 4], "activation_bits": list(range(2, 9)), "sparsity": [0.1, 0.3]}
    results = made(tmp_path, axes, drawn)
    plan = plan_of(results)
    lines = plan.lines(results.good)
    assert plan.dropped == ("sparsity",)
    assert [len(line.points) for line in lines] == [2] * 7
    assert not any(line.joined for line in lines)
    assert all(line.joined for line in plan.lines(results.good, ["activation_bits"]))  # where sparsity means nothing


def test_numbers_are_told_apart_in_their_order(tmp_path: Path) -> None:
    results = made(tmp_path, {"weight_bits": [2, 4], "strategy": ["latency"], "reuse_factor": [16, 1, 4]})
    labels = [line.label for line in plan_of(results).lines(results.good)]
    assert labels == ["reuse factor 1", "reuse factor 4", "reuse factor 16"]


def test_letters_of_near_points_stand_beside_each_other(tmp_path: Path) -> None:
    def record(index: int, values: Any) -> dict[str, Any]:
        made = record_of(index, values)
        for stage in made["estimate"]["stages"].values():
            stage["report"]["lut"] = 1000 + values["weight_bits"]
        made["accuracy"]["validation"] = 0.9 + values["weight_bits"] / 10_000
        return made

    results = made(tmp_path, {"weight_bits": [2, 3, 4, 5]}, record)
    texts = front_figure(results, plan_of(results)).axes[0].texts
    assert [text.get_text() for text in texts] == ["A", "B", "C", "D"]
    assert [text.xy[0] for text in texts] == [1002, 1003, 1004, 1005]
    beside = [text.xyann[0] for text in texts]
    assert beside[1] < beside[0]
