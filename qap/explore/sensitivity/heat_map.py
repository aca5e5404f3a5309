"""The heat maps of a sensitivity: layers as rows, sparsities and bits as columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from qap.explore.sensitivity.measure import LayerSensitivity, Measured, Sensitivity
from qap.files import write_text
from qap.report.figures import GREY, WIDTH, save_svg, short, styled

COLOURS = "cividis"
"""Rises in lightness all the way, for every kind of colour vision and in grey."""
DARK = 0.45
"""Cells below this share of the scale are dark: white text is read on them."""


@styled
def sensitivity_figure(found: Sensitivity) -> Figure:
    """Validation accuracy of every layer against its sparsity and against the bits of its weights.

    Args:
        found: at least one layer.
    """
    sparsities = sorted({each.value for layer in found.layers for each in layer.by_sparsity})
    bits = sorted({each.value for layer in found.layers for each in layer.by_bits}, reverse=True)
    figure = Figure(figsize=(WIDTH, 1.5 + 0.32 * len(found.layers)), facecolor="white")
    left, right = figure.subplots(1, 2, width_ratios=[max(1, len(sparsities)), max(1, len(bits))])
    by_sparsity = _grid(found.layers, sparsities, lambda layer: layer.by_sparsity)
    by_bits = _grid(found.layers, bits, lambda layer: layer.by_bits)
    measured = [100 * found.accuracy, *by_sparsity[np.isfinite(by_sparsity)], *by_bits[np.isfinite(by_bits)]]
    scale = Normalize(min(measured), max(max(measured), min(measured) + 1))
    names = [short(layer.name) for layer in found.layers]
    _heat_map(left, by_sparsity, [f"{100 * value:g}" for value in sparsities], names, scale)
    left.set_ylabel("layer")
    left.set_xlabel("pruned weights of the layer (%); hatched: it has as many zeros as trained")
    _heat_map(right, by_bits, [f"{value:g}" for value in bits], [""] * len(names), scale)
    right.set_xlabel("bits of its weights; hatched: as trained")
    figure.colorbar(ScalarMappable(scale, COLOURS), ax=right, label="validation accuracy (%)")
    return figure


def _grid(
    layers: Sequence[LayerSensitivity], values: Sequence[float], of: Callable[[LayerSensitivity], tuple[Measured, ...]]
) -> npt.NDArray[np.float64]:
    """Accuracies in percent, (layers, values); NaN where nothing was changed."""
    rows = [{each.value: 100 * each.accuracy for each in of(layer)} for layer in layers]
    return np.array([[row.get(value, np.nan) for value in values] for row in rows]).reshape(len(layers), len(values))


def _heat_map(
    axes: Axes, grid: npt.NDArray[np.float64], columns: Sequence[str], rows: Sequence[str], scale: Normalize
) -> None:
    axes.grid(False)
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    if not columns:
        axes.text(0.5, 0.5, "nothing to change", transform=axes.transAxes, ha="center", va="center", color=GREY)
        return
    axes.patch.set(facecolor="white", hatch="////", edgecolor="#cccccc")
    axes.imshow(np.ma.masked_invalid(grid), cmap=COLOURS, norm=scale, aspect="auto", interpolation="nearest")
    for (row, column), value in np.ndenumerate(grid):
        if np.isfinite(value):
            color = "white" if scale(value) < DARK else "black"
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", color=color, fontsize=6.5)


def write_sensitivity(found: Sensitivity, csv_path: Path, svg_path: Path) -> None:
    """Write the measurements as CSV and the heat maps as SVG, each whole or not at all.

    Raises:
        DataError: a file cannot be written.
    """
    text = io.StringIO()
    rows = [
        {"layer": "", "changed": "nothing", "value": "", "accuracy": found.accuracy, "drop_points": 0.0},
        *found.rows(),
    ]
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    figure = sensitivity_figure(found)
    write_text(csv_path, text.getvalue())
    save_svg(figure, svg_path)
