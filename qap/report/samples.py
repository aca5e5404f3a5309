"""What the integer network answers to the test samples, and those that it gets wrong, as pictures."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.image import imsave

from qap.data import Dataset
from qap.errors import DataError, QapError
from qap.fixed import IntArray
from qap.network import IntegerNetwork
from qap.run import RunDirectory

SHOWN = 24
WAVE_WIDTH, WAVE_HEIGHT = 120, 60  # of the drawing of a sample that is no picture


@dataclass(frozen=True, slots=True)
class Answers:
    """What the network answers to the test samples.

    Args:
        data: of the run.
        logits: (n, n_out), in LSBs.
        decided: (n,) class indices.
        lsb: of the logits.
    """

    data: Dataset
    logits: IntArray
    decided: IntArray
    lsb: float


@dataclass(frozen=True, slots=True)
class NoAnswers:
    """Why the test samples cannot be decided here."""

    why: str


@dataclass(frozen=True, slots=True)
class WrongSample:
    """A test sample that was decided wrongly.

    Args:
        index: among the test samples, from 0 on.
        true: the name of its class.
        decided: the name of the class that the network chose.
        lead: by how much the logit of that class is above the one of the true class (one output: its magnitude).
        picture: a data URL: a PNG of an image, an SVG of the features of any other sample.
    """

    index: int
    true: str
    decided: str
    lead: float
    picture: str


@dataclass(frozen=True, slots=True)
class WrongSamples:
    """The first few of them.

    Args:
        wrong: how many there are in all, None when that cannot be found here.
        samples: how many test samples there are.
        shown: the first ones, in the order of the test samples.
        why_not: why they cannot be found here.
    """

    wrong: int | None
    samples: int
    shown: tuple[WrongSample, ...] = ()
    why_not: str = ""


def test_answers(run: RunDirectory, network: IntegerNetwork, data_digest: str | None) -> Answers | NoAnswers:
    """Let the network answer to all test samples.

    Args:
        run: its data are loaded.
        network: the frozen network of the run.
        data_digest: of the data that the run was made with.
    """
    try:
        data = run.dataset
        if data.digest != data_digest:
            raise DataError("the data have changed since the run was made")
        if not data.has_labels:
            raise DataError("the data are random vectors without labels")
        if data.n_classes != len(network.class_names):
            raise DataError(
                f"the network decides between {len(network.class_names)} classes, but the data have {data.n_classes}"
            )
        logits = network.forward(data.test.x)
    except QapError as error:
        return NoAnswers(str(error))
    return Answers(data, logits, network.decide(logits), network.output_format.lsb)


def wrong_samples(answers: Answers | NoAnswers) -> WrongSamples:
    """The first test samples that are decided wrongly."""
    if isinstance(answers, NoAnswers):
        return WrongSamples(None, 0, why_not=answers.why)
    data, decided = answers.data, answers.decided
    wrong = np.flatnonzero(decided != data.test.y)
    leads = _leads(answers.logits, decided, data.test.y) * answers.lsb
    names = data.class_names
    shown = tuple(_sample(data, int(i), names[decided[i]], float(leads[i])) for i in wrong[:SHOWN])
    return WrongSamples(len(wrong), len(data.test), shown)


def _leads(logits: npt.NDArray[Any], decided: npt.NDArray[Any], true: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """By how much each decision was won, in LSBs."""
    values = logits.astype(np.float64)
    if logits.shape[1] == 1:
        return np.abs(values[:, 0])
    rows = np.arange(len(logits))
    return np.asarray(values[rows, decided] - values[rows, true])


def _sample(data: Dataset, index: int, name: str, lead: float) -> WrongSample:
    x, low, high = data.test.x[index], int(data.test.x.min()), int(data.test.x.max())
    picture = wave_url(x, low, high) if data.image_shape is None else png_url(x.reshape(data.image_shape), low, high)
    return WrongSample(index, data.class_names[data.test.y[index]], name, lead, picture)


def png_url(pixels: npt.NDArray[Any], low: int, high: int) -> str:
    """A picture as a data URL, dark where the numbers are large.

    Args:
        pixels: (height, width).
        low: the number that is white.
        high: the number that is black.
    """
    buffer = io.BytesIO()
    imsave(buffer, pixels, vmin=low, vmax=high, cmap="gray_r", format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def wave_url(features: npt.NDArray[Any], low: int, high: int) -> str:
    """A sample's features, one after the other, as a line in an SVG data URL.

    Args:
        features: (n_in,).
        low: the number at the bottom.
        high: the number at the top.
    """
    x = np.linspace(2, WAVE_WIDTH - 2, len(features))
    y = np.interp(features, (low, max(high, low + 1)), (WAVE_HEIGHT - 2, 2))
    points = " ".join(f"{a:.5g},{b:.4g}" for a, b in zip(x, y, strict=True))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WAVE_WIDTH} {WAVE_HEIGHT}" width="{WAVE_WIDTH}" '
        f'height="{WAVE_HEIGHT}"><rect width="100%" height="100%" fill="#fff"/><polyline points="{points} '
        f'{x[-1]:.5g},{y[-1]:.4g}" fill="none" stroke="#0072b2" stroke-width="1.5" stroke-linecap="round"/></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
