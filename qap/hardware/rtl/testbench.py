"""A self-checking test bench in plain Verilog, with golden vectors; it runs in any simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.hardware.rtl.packing import Bits, to_bits
from qap.hardware.rtl.project import RtlProject
from qap.hardware.rtl.verilog import fill_template
from qap.network import IntegerNetwork

RANDOM_VECTORS = 64
SEED = 20


def write_testbench(project: RtlProject, network: IntegerNetwork, vectors: npt.NDArray[Any] | None) -> None:
    """Write `tb/{top}_tb.v`, its stimuli and the results that the integer network gives for them.

    Args:
        project: whose top is tested.
        network: the golden model.
        vectors: integer samples (n, n_in); None takes random ones.
    """
    ports, axis = project.ports, project.axis
    if vectors is None:
        form = network.input_format
        shape = (RANDOM_VECTORS, network.n_in)
        vectors = np.random.default_rng(SEED).integers(form.min_int, form.max_int, shape, endpoint=True)
    logits = network.forward(vectors)
    classes = network.decide(logits)
    bench = project.folder / "tb"
    bench.mkdir()
    if axis is None:
        stimuli = to_bits(project.core_inputs(vectors), ports.input_width)
        results = np.hstack([to_bits(logits, ports.logit_width), to_bits(classes[:, None], ports.class_width)])
    else:
        stimuli = to_bits(axis.pack(vectors).view(np.int64).reshape(-1, 1), axis.width)
        fields = np.hstack([classes[:, None], logits])
        bits = to_bits(fields, axis.field)
        results = np.pad(bits, ((0, 0), (0, axis.result_beats * axis.width - bits.shape[1]))).reshape(-1, axis.width)
    _write_memory(bench / "stimuli.mem", stimuli)
    _write_memory(bench / "expected.mem", results)
    text = fill_template(
        "axis_tb.v.j2" if axis else "core_tb.v.j2",
        core=project.name, top=project.top, ports=ports, axis=axis, latency=project.latency_cycles,
        samples=len(vectors), stimuli=len(stimuli), results=len(results),
    )  # fmt: skip
    (bench / f"{project.top}_tb.v").write_text(text, encoding="utf-8")


def _write_memory(path: Path, bits: Bits) -> None:
    """One hexadecimal number a line, for $readmemh; all ones in the last one say that the file is whole."""
    bits = np.vstack([bits, np.ones((1, bits.shape[1]), np.uint8)])
    digits = -(-bits.shape[1] // 4)
    rows = np.packbits(bits, axis=1, bitorder="little")
    lines = [f"{int.from_bytes(row.tobytes(), 'little'):0{digits}x}\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
