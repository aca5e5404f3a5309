"""Pruning by masks inside of the compiled train step.

`PRUNERS` (scores.py) says what a weight is worth, `SCHEDULES` (schedules.py) how many are masked when, `rankings`
(ranking.py) which weights compete, and `Pruning` (masks.py) holds the masks. The number of masked weights is exact:
weights are ranked, never compared with a threshold that ties could cross.
"""

from __future__ import annotations

from qap.training.pruning.evidence import Evidence
from qap.training.pruning.masks import Pruning
from qap.training.pruning.ranking import mask_lowest, rankings
from qap.training.pruning.schedules import SCHEDULES, Period
from qap.training.pruning.scores import PRUNERS

__all__ = ["PRUNERS", "SCHEDULES", "Evidence", "Period", "Pruning", "mask_lowest", "rankings"]
