"""The exact project of a model, written and compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import CheckFailed, QapError
from qap.explore.diagnosis.settings import settings_of
from qap.explore.diagnosis.source import HlsSource
from qap.hardware.devices import find_part
from qap.hardware.hls import CsimEngine, write_project
from qap.network import IntegerNetwork
from qap.recipe import TargetRecipe


def write_fix(network: IntegerNetwork, source: HlsSource, x: npt.NDArray[np.float64], folder: Path, name: str) -> int:
    """Write the exact project and run it on all samples.

    Args:
        network: the model.
        source: the project that differs; its backend, part and clock are kept.
        x: (n, n_in) real inputs.
        folder: where; an older project of qap there is replaced.
        name: of the project.

    Returns:
        The outputs that were compared; all are equal.

    Raises:
        CheckFailed: an output differs.
        NotExact: a number is too wide for a C simulation.
    """
    x_int = network.input_format.quantize(x)
    write_project(network, folder, name=name, target=target_of(settings_of(source)), x_int=x_int)
    expected = network.forward(x_int)
    mismatches = int((CsimEngine(folder).run(network, x_int) != expected).sum())
    if mismatches:
        raise CheckFailed(
            f"{mismatches} of {expected.size} outputs of {folder} are not the model's; please report this"
        )
    return int(expected.size)


def target_of(settings: Mapping[str, Any]) -> TargetRecipe:
    """Backend, part and clock of a configuration, where qap knows them."""
    asked = {"backend": settings.get("Backend"), "part": settings.get("Part"), "clock_ns": settings.get("ClockPeriod")}
    kept: dict[str, Any] = {}
    for key, value in asked.items():
        try:
            if key == "part":
                find_part(str(value))
            TargetRecipe.model_validate({key: value})
        except (QapError, ValueError):
            continue
        kept[key] = value
    return TargetRecipe.model_validate(kept)
