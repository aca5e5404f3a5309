"""Folders of sweeps made by hand: a sweep's file and its records, and no training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qap.explore.sweep.records import SWEEP, Records
from qap.explore.sweep.spec import Sweep, parse_sweep

Values = Mapping[str, Any]
HARDWARE = [
    {"strategy": "latency", "reuse_factor": 1},
    {"strategy": "latency", "reuse_factor": 4},
    {"strategy": "resource", "reuse_factor": 4},
]
BITS = {"weight_bits": [2, 4, 8], "hardware": HARDWARE}


def accuracy_of(values: Values) -> float:
    """More bits are better, up to a point; the numbers are exact in binary."""
    return min(0.96875, 0.75 + values.get("weight_bits", 4) / 32)


def lut_of(values: Values) -> int:
    """More bits cost more, sharing less."""
    return 1000 * values.get("weight_bits", 4) // values.get("reuse_factor", 1)


def stage(lut: int, tool: str) -> dict[str, Any]:
    """A stage of an estimate, as `Estimate.to_dict` gives it."""
    report = {"source": "estimate", "tool": tool, "part": "xc7z020", "lut": lut, "ff": 2 * lut, "dsp": 0, "bram18": 3,
              "uram": None, "latency_cycles": 11, "ii_cycles": 1}  # fmt: skip
    return {"report": report, "low": {"lut": lut // 2, "ii_cycles": 1}, "high": {"lut": 2 * lut, "ii_cycles": 1}}


def estimated(values: Values) -> dict[str, Any]:
    """An estimate of two stages."""
    stages = {"csynth": stage(2 * lut_of(values), "HLS"), "vivado_synth": stage(lut_of(values), "Vivado")}
    return {"estimator": "hls4ml", "stages": stages, "layers": [], "counts": {}, "notes": ["a <note> & more"]}


def counted(values: Values) -> dict[str, Any]:
    """An estimate without resources."""
    counts = {"multiplications": 100, "weight_bits": 50 * values["weight_bits"], "ebops of first": 7}
    return {"estimator": "counts", "stages": {}, "layers": [], "counts": counts, "notes": []}


def record_of(index: int, values: Values, estimate: Callable[[Values], Any] = estimated, **more: Any) -> dict[str, Any]:
    """The record of a point, as a sweep writes it."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= value if isinstance(value, Mapping) else {name: value}
    accuracy = {"validation": accuracy_of(flat), "test": accuracy_of(flat) - 0.0625}
    named = {"key": f"key {index}", "point": index, "values": dict(values)}
    if more.get("error"):
        return {**named, **more}
    sizes = {"parameters": 90, "nonzeros": 40, "size_bytes": 45}
    return {**named, "error": None, "accuracy": accuracy, **sizes, "estimate": estimate(flat), "synth": None, **more}


def make_sweep(
    folder: Path,
    axes: Mapping[str, list[Any]],
    record: Callable[[int, Values], dict[str, Any] | None] = record_of,
    **more: Any,
) -> Sweep:
    """A folder whose records `record` makes, None for none; `more` are keys of the sweep's file."""
    sweep = parse_sweep({"name": "made by hand", "recipe": "digits", "axes": axes, **more}, "test")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SWEEP).write_text(sweep.to_toml(), encoding="utf-8")
    records = Records(folder)
    records.begin()
    for index, values in enumerate(itertools.product(*axes.values())):
        made = record(index, dict(zip(axes, values, strict=True)))
        if made is not None:
            records.append(made)
    return sweep
