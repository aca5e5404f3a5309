"""Folds for cross-validation: the training samples in parts, each of them held out once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from qap.data.raw import RawData, Samples, split_off_test
from qap.errors import DataError


@dataclass(frozen=True, slots=True)
class Fold:
    """One way to hold samples out: scikit-learn's `StratifiedKFold`, shuffled.

    Args:
        index: which part is held out, from 0 on.
        of: how many parts there are, at least 2.
        seed: which samples they are.
    """

    index: int
    of: int
    seed: int

    def hold_out(self, raw: RawData) -> RawData:
        """The data without their test part; the part that is held out stands in its place.

        Raises:
            DataError: a class has fewer training samples than there are folds, or there are less than two folds.
        """
        from sklearn.model_selection import StratifiedKFold

        keep, _ = split_off_test(raw)
        y = raw.train.y[keep]
        counts = np.bincount(y, minlength=len(raw.class_names))
        if not 2 <= self.of <= counts.min():
            name = raw.class_names[int(counts.argmin())]
            raise DataError(
                f"{raw.source}: folds must be 2 to {counts.min()}, the training samples of the smallest class "
                f"{name!r}, but got {self.of}"
            )
        folds = StratifiedKFold(self.of, shuffle=True, random_state=self.seed).split(y, y)
        rest, held = list(folds)[self.index]
        train, test = (Samples(raw.train.x[keep[part]], raw.train.y[keep[part]]) for part in (rest, held))
        return replace(raw, train=train, test=test)
