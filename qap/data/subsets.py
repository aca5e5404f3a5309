"""Some classes of a data set: `mnist:6,9`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qap.data.raw import RawData, Samples
from qap.errors import DataError, did_you_mean


def of_classes(raw: RawData, argument: str) -> RawData:
    """The samples of some classes, which are counted in the order in which they are named.

    Args:
        raw: all classes.
        argument: names of at least two of them with commas between; empty takes all.

    Raises:
        DataError: a class does not exist or is named twice, or there is only one.
    """
    if not argument:
        return raw
    names = tuple(name.strip() for name in argument.split(","))
    for name in names:
        if name not in raw.class_names:
            raise DataError(f"{raw.source} has no class {name!r}{did_you_mean(name, raw.class_names)}")
        if names.count(name) > 1:
            raise DataError(f"{raw.source}: the class {name!r} is named twice")
    if len(names) == 1:
        raise DataError(f"{raw.source}: one class is named ({argument}); a classifier needs at least two")
    places = np.full(len(raw.class_names), -1)
    places[[raw.class_names.index(name) for name in names]] = np.arange(len(names))

    def chosen(samples: Samples) -> Samples:
        kept = places[samples.y] >= 0
        return Samples(samples.x[kept], places[samples.y[kept]].astype(np.int64))

    validation, test = (part and chosen(part) for part in (raw.validation, raw.test))
    return replace(raw, train=chosen(raw.train), validation=validation, test=test, class_names=names)
