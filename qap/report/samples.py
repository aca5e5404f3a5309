"""The test samples that the integer network gets wrong, as pictures where they are pictures."""

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
from qap.network import IntegerNetwork
from qap.run import RunDirectory

SHOWN = 24


@dataclass(frozen=True, slots=True)
class WrongSample:
    """A test sample that was decided wrongly.

    Args:
        index: among the test samples, from 0 on.
        true: the name of its class.
        decided: the name of the class that the network chose.
        lead: by how much the logit of that class is above the one of the true class (one output: its magnitude).
        picture: a PNG as a data URL, None when a sample is not a picture.
    """

    index: int
    true: str
    decided: str
    lead: float
    picture: str | None


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


def wrong_samples(run: RunDirectory, network: IntegerNetwork, data_digest: str | None) -> WrongSamples:
    """Let the network decide all test samples and keep the first ones that are wrong.

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
        return WrongSamples(None, 0, why_not=str(error))
    decided = network.decide(logits)
    wrong = np.flatnonzero(decided != data.test.y)
    leads = _leads(logits, decided, data.test.y) * network.output_format.lsb
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
    picture = None
    if data.image_shape is not None:
        picture = png_url(data.test.x[index].reshape(data.image_shape), int(data.test.x.min()), int(data.test.x.max()))
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
