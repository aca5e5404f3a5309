"""Figures: drawn without pyplot, readable in grey and by colour-blind people, and always the same bytes.

Every function that draws returns a matplotlib `Figure`; `inline_svg` turns it into markup for a page.
"""

from __future__ import annotations

import functools
import io
import re
import warnings
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from qap.files import write_text, write_with
from qap.judging import RocCurve
from qap.network import IntegerLayer
from qap.training.history import History

# Okabe and Ito's colours differ for every kind of colour vision; in grey, dashes and markers tell lines apart
BLUE, ORANGE, GREEN, INK, GREY = "#0072b2", "#d55e00", "#009e73", "#222222", "#767676"
CURVES = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9")
WIDTH = 9.6  # inches
BINS = 64
PNG_DPI = 160
LONGEST_NAME = 24

P = ParamSpec("P")
R = TypeVar("R")

STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8,
    "axes.unicode_minus": False,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib, for measuring; the page sets its own
    "font.size": 8,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "svg.fonttype": "none",  # text stays text: it can be searched, copied and read aloud
    "svg.hashsalt": "qap",
    "text.parse_math": False,  # a name with a dollar sign is not a formula
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 7.5,
}


class Kernel(NamedTuple):
    """The weights of one layer over its life.

    Args:
        name: of the layer.
        initial: float, before training; None when that was not recorded.
        trained: float, after training and pruning, before quantization; None when that was not recorded.
        frozen: integers, in units of `lsb`.
        lsb: the value of the last bit.
    """

    name: str
    initial: npt.NDArray[Any] | None
    trained: npt.NDArray[Any] | None
    frozen: npt.NDArray[Any]
    lsb: float

    @classmethod
    def of(cls, layer: IntegerLayer, initial: npt.NDArray[Any] | None, trained: npt.NDArray[Any] | None) -> Kernel:
        """The weights of a frozen layer and what they came from."""
        return cls(layer.name, initial, trained, layer.weight, layer.weight_format.lsb)


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """The same function under the style of this module, which is gone when it returns."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> R:
        with style.context(["default", STYLE]):  # whatever the reader's own matplotlibrc says
            return draw(*args, **kwargs)

    return styled


@styled
def training_curves(history: History, *, distilled: bool, pruned: bool) -> Figure:
    """Accuracy and loss of every epoch, and the share of masked weights if there is a mask.

    Args:
        history: at least one epoch.
        distilled: whether the training loss is more than cross-entropy.
        pruned: whether sparsity is drawn.
    """
    records = history.records
    epochs = [record.epoch for record in records]
    figure = Figure(figsize=(WIDTH, 2.5))
    accuracy, loss, *rest = figure.subplots(1, 3 if pruned else 2)
    _line(accuracy, epochs, [100 * r.train_accuracy for r in records], "training", first=True)
    _line(accuracy, epochs, [100 * r.validation_accuracy for r in records], "validation")
    minimized = "training (distillation and labels)" if distilled else "training (cross-entropy)"
    _line(loss, epochs, [r.train_loss for r in records], minimized, first=True)
    _line(loss, epochs, [r.validation_loss for r in records], "validation (cross-entropy)")
    accuracy.set_ylabel("accuracy (%)")
    loss.set_ylabel("loss (nats)")
    if rest:
        _line(rest[0], epochs, [100 * r.sparsity for r in records], "masked weights", first=True)
        rest[0].set_ylabel("sparsity (%)")
        rest[0].set_ylim(0, 100)
    for axes in (accuracy, loss, *rest):
        axes.axvline(history.best_epoch, color=GREY, linewidth=1, linestyle=":", label="epoch that was kept")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.legend(loc="best")
    return figure


@styled
def receiver_figure(curves: Sequence[RocCurve]) -> Figure:
    """Samples found against false alarms; beside it the false alarms on a logarithmic axis, where triggers work.

    Args:
        curves: at least one, ten at most.
    """
    figure = Figure(figsize=(WIDTH, 3.4))
    plain, logarithmic = figure.subplots(1, 2)
    for index, curve in enumerate(curves):
        label = f"{short(curve.name)}, area {curve.area:.4f}"
        style_of = {"color": CURVES[index % len(CURVES)], "linestyle": ("-", "--")[index // len(CURVES)]}
        for axes in (plain, logarithmic):
            axes.step(100 * curve.false_alarms, 100 * curve.found, where="post", label=label, **style_of)
    smallest = min(float(np.min(each.false_alarms[each.false_alarms > 0], initial=1)) for each in curves)
    plain.plot([0, 100], [0, 100], color=GREY, linewidth=0.8, linestyle=":")
    logarithmic.set_xscale("log")
    logarithmic.set_xlim(50 * smallest, 100)
    logarithmic.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:g}"))  # powers would be formulas
    logarithmic.xaxis.set_minor_formatter(NullFormatter())
    for axes in (plain, logarithmic):
        axes.set_xlabel("false alarms (%)")
        axes.set_ylabel("found (%)")
    plain.legend(loc="lower right")
    return figure


def _line(axes: Axes, x: Sequence[int], y: Sequence[float], label: str, *, first: bool = False) -> None:
    few = len(x) <= 30
    axes.plot(
        x,
        y,
        label=label,
        color=BLUE if first else ORANGE,
        linestyle="-" if first else "--",
        marker=("o" if first else "s") if few else "",
        markersize=2.5,
    )


@styled
def weight_histograms(kernels: Sequence[Kernel]) -> Figure:
    """A row for each layer: its weights before training, after it, and frozen; zeros are counted, not drawn.

    Args:
        kernels: at least one.
    """
    figure = Figure(figsize=(WIDTH, 1.65 * len(kernels) + 0.15))
    for row, kernel in zip(figure.subplots(len(kernels), 3, squeeze=False), kernels, strict=True):
        frozen = kernel.frozen * kernel.lsb
        low, high = _range([kernel.initial, kernel.trained, frozen], kernel.lsb)
        edges = np.linspace(low, high, BINS)
        _histogram(row[0], kernel.initial, edges, "before training", GREY)
        _histogram(row[1], kernel.trained, edges, "trained, not quantized", BLUE)
        _histogram(row[2], frozen, _grid_edges(kernel.frozen, kernel.lsb), "frozen", ORANGE)
        row[0].set_ylabel(f"{short(kernel.name)}\nweights (count)")
        for axes in row:
            axes.set_xlim(low, high)
            axes.grid(False, axis="x")
            axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    for axes in row:
        axes.set_xlabel("value of the weight")
    return figure


def _range(arrays: Sequence[npt.NDArray[Any] | None], lsb: float) -> tuple[float, float]:
    values = [array for array in arrays if array is not None and array.size]
    low, high = min(float(array.min()) for array in values), max(float(array.max()) for array in values)
    margin = max(lsb, 0.02 * (high - low))
    return low - margin, high + margin


def _grid_edges(frozen: npt.NDArray[Any], lsb: float) -> npt.NDArray[np.float64]:
    """Edges between the numbers of the grid; a bin holds equally many of them, so that none stands out by chance."""
    low, high = int(frozen.min()), int(frozen.max())
    step = -(-(high - low + 1) // BINS)
    return np.asarray((np.arange(low, high + step + 1, step) - 0.5) * lsb)


def _histogram(axes: Axes, values: npt.NDArray[Any] | None, edges: npt.NDArray[Any], what: str, color: str) -> None:
    if values is None:
        axes.set_title(f"{what}: not recorded", loc="left")
        return
    nonzero = values[values != 0]
    counts, _ = np.histogram(nonzero, edges)
    axes.stairs(*_with_gaps(counts, edges), fill=True, color=color)
    zeros = values.size - nonzero.size
    axes.set_title(f"{what}: {zeros:,} of {values.size:,} are 0" if zeros else f"{what}: none is 0", loc="left")
    axes.set_ylim(0, 1.08 * max(1, counts.max()))


def _with_gaps(counts: npt.NDArray[Any], edges: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Bars with gaps between them as one staircase, which is a tenth of the markup of single bars."""
    gap = 0.07 * np.diff(edges)
    apart = np.stack([edges[:-1] + gap, edges[1:] - gap], axis=1).ravel()
    return np.stack([counts, np.zeros_like(counts)], axis=1).ravel()[:-1], apart


def short(name: str) -> str:
    """A name that fits beside a figure."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


@styled
def inline_svg(figure: Figure, prefix: str, label: str) -> str:
    """The figure as an `<svg>` element for an HTML page.

    Args:
        figure: from one of the functions of this module.
        prefix: makes its ids different from those of the other figures of the page; letters and digits.
        label: what it shows, for those who cannot see it.
    """
    markup = _svg(figure)
    markup = markup[markup.index("<svg") :]
    markup = re.sub(r"<[^>]*>", lambda tag: re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{prefix}-", tag[0]), markup)
    # the page gives the width; the height follows from the viewBox
    opening, rest = markup.split(">", 1)
    opening = re.sub(r' (?:width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-label="{escape(label)}">{rest}'


@styled
def save_svg(figure: Figure, path: Path) -> None:
    """Write the figure as a file of its own, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    write_text(path, _svg(figure))


@styled
def save_png(figure: Figure, path: Path) -> None:
    """Write the figure as a picture of pixels, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")
        write_with(path, lambda temporary: figure.savefig(temporary, dpi=PNG_DPI, metadata={"Software": None}))


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's fonts draw the text, not ours
        FigureCanvasSVG(figure).print_svg(buffer, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return buffer.getvalue()
