"""Small tables that come with scikit-learn, for first steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from qap.data.raw import RawData, Samples
from qap.data.subsets import of_classes


def iris(argument: str, data_dir: Path | None) -> RawData:
    """Three species of iris by four lengths."""
    from sklearn.datasets import load_iris

    return of_classes(_table("iris", load_iris()), argument)


def wine(argument: str, data_dir: Path | None) -> RawData:
    """Three cultivars of wine by thirteen chemical measurements."""
    from sklearn.datasets import load_wine

    return of_classes(_table("wine", load_wine()), argument)


def _table(name: str, content: Any) -> RawData:
    samples = Samples(content.data.astype(np.float64), content.target.astype(np.int64))
    names = tuple(str(each) for each in content.target_names)
    return RawData(name, samples, None, names, None, feature_names=tuple(map(str, content.feature_names)))
