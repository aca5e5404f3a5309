"""Diagnosis: where hls4ml hardware differs from its model, and why.

source, weights -> simulation -> hardware, ranges -> versions (one type wide each) -> causes, configuration
"""

from qap.explore.diagnosis.configured import write_of_configuration
from qap.explore.diagnosis.diagnosis import diagnose
from qap.explore.diagnosis.fix import write_fix
from qap.explore.diagnosis.model import UserModel
from qap.explore.diagnosis.page import write_diagnosis
from qap.explore.diagnosis.samples import read_samples
from qap.explore.diagnosis.source import read_source

__all__ = [
    "UserModel",
    "diagnose",
    "read_samples",
    "read_source",
    "write_diagnosis",
    "write_fix",
    "write_of_configuration",
]
