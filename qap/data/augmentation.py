"""Distorted copies of training images: rotated, zoomed, sheared, moved and bent, with one interpolation for all of it.

Each layer of Keras that distorts images interpolates again, which makes strokes thinner, and its elastic one goes
image by image.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data.grid import storage_dtype
from qap.errors import DataError
from qap.fixed import FixedPoint

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.integer[Any]]
MOST_BYTES = 4 << 30
"""Of all copies together; they stay in memory while a model is trained."""
BLOCK = 1024
"""Images that are distorted at once."""
KNOTS = 6
"""Of an elastic field, along each side of an image; between them displacements are interpolated."""


@dataclass(frozen=True, slots=True)
class Distortion:
    """How far copies are from their images: the most that chance takes, in both directions.

    Args:
        copies: of each image.
        rotation: in degrees.
        zoom: of each direction, as a share.
        shear: columns moved for each row.
        translation: as a share of the side.
        elastic: the standard deviation of the displacements at the knots of a smooth field, as a share of the side.
        seed: of the copies.
    """

    copies: int = 11
    rotation: float = 10.0
    zoom: float = 0.08
    shear: float = 0.1
    translation: float = 0.036
    elastic: float = 0.016
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Augmentation:
    """Training images on the grid of their data set, and how they are distorted.

    Args:
        images: integers (n, height * width), in LSBs of `grid`.
        grid: the format of their pixels.
        shape: (height, width).
        distortion: what happens to them.

    Raises:
        DataError: the copies would not fit into `MOST_BYTES`.
    """

    images: Pixels
    grid: FixedPoint
    shape: tuple[int, int]
    distortion: Distortion

    def __post_init__(self) -> None:
        size, asked = self.images.size * self.images.itemsize, self.distortion.copies
        if size * asked > MOST_BYTES:
            raise DataError(
                f"data.augment.copies={asked}: {asked} copies of {len(self.images):,} images take "
                f"{size * asked / 2**30:.1f} GiB; at most {MOST_BYTES // size} copies are possible, "
                f"{MOST_BYTES >> 30} GiB"
            )

    def copies(self, form: FixedPoint) -> Pixels:
        """All copies (copies * n, height * width), copy by copy, in LSBs of another format."""
        count = len(self.images)
        made = np.empty((self.distortion.copies * count, self.images.shape[1]), storage_dtype(form))
        rng = np.random.default_rng([self.distortion.seed, 1])  # another stream than that of the split
        for start in range(0, len(made), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(made))) % count
            images = self.images[rows].reshape(-1, *self.shape).astype(np.float32)
            bent = np.rint(distorted(images, self.distortion, rng)).astype(np.int64)
            made[start : start + len(rows)] = form.requantize(bent.reshape(len(rows), -1), self.grid.fractional)
        return made

    def to_dict(self) -> dict[str, Any]:
        """What it does, as JSON-like content."""
        return asdict(self.distortion)


def distorted(images: Floats, amounts: Distortion, rng: np.random.Generator) -> Floats:
    """Each image (n, height, width) with a distortion of its own; what comes from outside of it is 0.

    Args:
        images: any numbers.
        amounts: how far the distortions go.
        rng: decides them.
    """
    height, width = images.shape[1:]
    rows, columns = (np.arange(side, dtype=np.float32) - (side - 1) / 2 for side in (height, width))

    def draw(most: float) -> Floats:
        return rng.uniform(-most, most, (len(images), 1, 1)).astype(np.float32)

    angle = np.deg2rad(draw(amounts.rotation))
    zoom_y, zoom_x = 1 + draw(amounts.zoom), 1 + draw(amounts.zoom)
    move_y, move_x = draw(amounts.translation * height), draw(amounts.translation * width)
    y = rows[None, :, None]
    x = columns[None, None] + draw(amounts.shear) * y
    bend_y, bend_x = _elastic((len(images), height, width), amounts.elastic, rng)
    from_y = (np.cos(angle) * y - np.sin(angle) * x) * zoom_y + move_y + bend_y + (height - 1) / 2
    from_x = (np.sin(angle) * y + np.cos(angle) * x) * zoom_x + move_x + bend_x + (width - 1) / 2
    return _interpolated(images, from_y, from_x)


def _elastic(shape: tuple[int, int, int], amount: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Smooth displacements in rows and in columns (n, height, width)."""
    count, height, width = shape
    knots = rng.standard_normal((2, count, KNOTS, KNOTS)).astype(np.float32)
    field = _spread(height) @ knots @ _spread(width).T
    return amount * height * field[0], amount * width * field[1]


def _spread(side: int) -> Floats:
    """The weights (side, KNOTS) by which numbers at the knots are interpolated along a side."""
    places = np.linspace(0, KNOTS - 1, side)[:, None]
    weights: Floats = np.maximum(0, 1 - np.abs(places - np.arange(KNOTS))).astype(np.float32)
    return weights


def _interpolated(images: Floats, y: Floats, x: Floats) -> Floats:
    """Bilinear values of images (n, height, width) at places (n, height, width), 0 outside of them."""
    count, height, width = images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).ravel()
    y, x = np.clip(y, -1, height) + 1, np.clip(x, -1, width) + 1
    top, left = np.minimum(y.astype(np.int32), height), np.minimum(x.astype(np.int32), width)
    first = (np.arange(count, dtype=np.int32)[:, None, None] * (height + 2) + top) * (width + 2) + left
    down, right = y - top, x - left

    def along(place: npt.NDArray[np.int32]) -> Floats:
        near: Floats = padded[place]
        return near + right * (padded[place + 1] - near)

    upper, lower = along(first), along(first + width + 2)
    return upper + down * (lower - upper)
