"""The tables of the docs, each a function of the stored outputs; `tables.py` puts them into the files."""

from __future__ import annotations

from results_tables import hardware, training, truth_tables
from results_tables.kit import Table

TABLES: dict[str, Table] = {
    "summary": hardware.summary,
    "machine": hardware.machine,
    "flow": hardware.flow,
    "flow-accuracy": hardware.flow_accuracy,
    "flow-uncertainty": hardware.flow_uncertainty,
    "course": hardware.course,
    "rtl-peers": hardware.rtl_peers,
    "estimator": hardware.estimator,
    "estimator-ii": hardware.estimator_ii,
    "estimator-vivado": hardware.estimator_vivado,
    "rtl-estimator": hardware.rtl_estimator,
    "speed": hardware.speed,
    "truth-tables": truth_tables.students,
    "truth-tables-published": truth_tables.published,
    "distillation": training.distillation,
    "without-labels": training.without_labels,
    "pruning": training.pruning,
    "comparison": training.comparison,
    "comparison-range": training.comparison_range,
    "comparison-differences": training.comparison_differences,
    "condensation": training.condensation,
    "condensation-one": training.condensation_one,
    "condensation-made": training.condensation_made,
    "condensation-student": training.condensation_student,
}
"""By the names that the marks in the docs give."""
