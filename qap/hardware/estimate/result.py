"""What an estimator says: amounts by stage with their intervals, by layer, and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from qap.hardware.resources import ResourceReport
from qap.rows import data_frame_of


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """What one stage of the tools will say.

    Args:
        report: the amounts.
        low: by field of the report, the lower end of the interval in which 80 % of the measured designs fell.
        high: the upper end.
    """

    report: ResourceReport
    low: Mapping[str, int] = field(default_factory=dict)
    high: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LayerEstimate:
    """What one layer takes in the HLS report, its activation included; None is "not estimated"."""

    name: str
    reuse_factor: int
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram18: int | None = None
    latency_cycles: int | None = None
    ii_cycles: int | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an estimator says about a network.

    Args:
        estimator: its name in `ESTIMATORS`.
        stages: "csynth" (what the HLS report will print) and "vivado_synth" (what the part will hold), or others.
        layers: the first stage, layer by layer.
        counts: amounts that are no resources, with their units in their names.
        notes: what a reader has to know.
    """

    estimator: str
    stages: Mapping[str, StageEstimate] = field(default_factory=dict)
    layers: tuple[LayerEstimate, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_dataframe(self) -> Any:
        """The layers as a `pandas.DataFrame`, a row each; None where nothing was estimated.

        Raises:
            ToolMissing: pandas is not installed.
        """
        return data_frame_of([asdict(layer) for layer in self.layers])

    def to_dict(self) -> dict[str, Any]:
        """The estimate for JSON."""
        return asdict(self)
