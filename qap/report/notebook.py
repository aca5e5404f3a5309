"""What notebooks show with: one style of figures, tables of mixed cells, and samples as pictures."""

from __future__ import annotations

from math import isqrt
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from qap.report.figures import BLUE, GREEN, GREY, INK, ORANGE, STYLE

__all__ = ["BLUE", "GREEN", "GREY", "INK", "ORANGE", "picture", "table", "use_style"]


def use_style() -> None:
    """Draw as the pages of qap do, on white ground and in the size of a notebook."""
    mpl.rcParams.update(
        {**STYLE, "figure.dpi": 100, "figure.facecolor": "white", "font.size": 9, "hatch.linewidth": 0.6}
        | {"axes.titlesize": 9, "axes.labelsize": 9, "legend.fontsize": 9, "xtick.labelsize": 8, "ytick.labelsize": 8}
    )


def table(*rows: list[Any]) -> None:
    """Show rows as a table in a notebook; the first holds the heads, and cells are Markdown."""
    from IPython.display import Markdown, display

    lines = [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    display(Markdown("\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])))  # type: ignore[no-untyped-call]


def picture(axes: Axes, image: npt.NDArray[Any], title: str = "", **options: Any) -> AxesImage:
    """Draw one sample as a picture, dark where the numbers are large.

    Args:
        axes: where.
        image: (height, width), or the inputs of one square sample.
        title: above it.
        options: of `Axes.imshow`.
    """
    side = isqrt(image.size)
    axes.set(xticks=[], yticks=[], title=title)
    axes.grid(False)
    axes.spines[:].set_visible(True)
    pixels = image if image.ndim == 2 else np.reshape(image, (side, side))
    return axes.imshow(pixels, **{"cmap": "gray_r", **options})
