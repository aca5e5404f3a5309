"""Figures: the same bytes every time, what they show, and no trace in matplotlib's settings."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from support.needs import needs

needs("matplotlib")

from matplotlib import rc_context, rcParams
from support.made_run import make_history

from qap.judging import RocCurve
from qap.report.figures import Kernel, inline_svg, receiver_figure, training_curves, weight_histograms


def kernel(frozen: list[int], name: str = "layer", lsb: float = 0.125) -> Kernel:
    values = np.array(frozen).reshape(-1, 1)
    return Kernel(name, None, values * lsb + 0.01, values, lsb)


def drawn(axes: object) -> tuple[np.ndarray, np.ndarray]:
    """The counts of a histogram and the middles of its bars."""
    counts, edges, _ = axes.patches[0].get_data()  # type: ignore[attr-defined]
    return counts[::2], (edges[:-1:2] + edges[1::2]) / 2


def test_bars_stand_on_the_grid_and_zeros_are_counted_only() -> None:
    figure = weight_histograms([kernel([-4, -4, 0, 0, 0, 1, 3])])
    before, _, frozen = figure.axes
    assert before.get_title(loc="left") == "before training: not recorded"
    assert frozen.get_title(loc="left") == "frozen: 3 of 7 are 0"
    counts, middles = drawn(frozen)
    assert dict(zip(middles, counts, strict=True)) == {
        -0.5: 2, -0.375: 0, -0.25: 0, -0.125: 0, 0.0: 0, 0.125: 1, 0.25: 0, 0.375: 1
    }  # fmt: skip


@pytest.mark.parametrize("frozen", [[0, 0], [5], [-(2**40), 0, 2**40], list(range(-1000, 1000))])
def test_no_weight_is_lost(frozen: list[int]) -> None:
    figure = weight_histograms([kernel(frozen)])
    nonzero = sum(value != 0 for value in frozen)
    assert [drawn(axes)[0].sum() for axes in figure.axes[1:]] == [len(frozen), nonzero]


def test_axes_have_units_and_lines_differ_in_more_than_colour() -> None:
    figure = training_curves(make_history(100, 0.9), distilled=True, pruned=True)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["accuracy (%)", "loss (nats)", "sparsity (%)"]
    assert {axes.get_xlabel() for axes in figure.axes} == {"epoch"}
    for axes in figure.axes:
        dashes = [line.get_linestyle() for line in axes.lines]
        assert len(dashes) == len(set(dashes))
    training = figure.axes[0].lines[0]
    assert training.get_ydata()[-1] == pytest.approx(99.5) and len(training.get_xdata()) == 100


def test_one_epoch_is_visible() -> None:
    figure = training_curves(make_history(1), distilled=False, pruned=False)
    assert len(figure.axes) == 2
    assert {line.get_marker() for line in figure.axes[0].lines[:2]} == {"o", "s"}


def test_markup_is_well_formed_and_repeatable() -> None:
    before = dict(rcParams)

    def markup(prefix: str) -> str:
        return inline_svg(weight_histograms([kernel([1, 2, 3], '<&"$x$> id="q')]), prefix, 'a "label" <b>')

    text = markup("one")
    with rc_context({"font.size": 30, "text.usetex": True, "svg.hashsalt": "other"}):
        assert text == markup("one")
    assert text == markup("one")
    assert text.replace("one-", "two-") == markup("two")
    root = ET.fromstring(text)
    assert root.get("aria-label") == 'a "label" <b>' and root.get("width") is None
    assert '<&"$x$> id="q' in [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert all(name.startswith("one-") for name in re.findall(r'<\w+ [^>]*?\bid="([^"]*)"', text))
    assert dict(rcParams) == before


def test_receiver_curves_say_what_they_are_and_their_axes_are_plain_numbers() -> None:
    curve = RocCurve("a $b$", np.array([0, 0.01, 0.5, 1]), np.array([0, 0.5, 0.75, 1]), 0.8125)
    figure = receiver_figure([curve])
    svg = inline_svg(figure, "roc", "curves")
    assert "a $b$, area 0.8125" in svg and "mathdefault" not in svg
    plain, logarithmic = figure.axes
    for axes in (plain, logarithmic):
        np.testing.assert_allclose(axes.lines[0].get_xdata(), [0, 1, 50, 100])
        np.testing.assert_allclose(axes.lines[0].get_ydata(), [0, 50, 75, 100])
    assert logarithmic.get_xlim() == (0.5, 100)
