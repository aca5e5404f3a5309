"""A self-checking test bench in plain Verilog, with golden vectors; it runs in any simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.hardware.rtl.axis import AxisFormat
from qap.hardware.rtl.packing import Bits, to_bits
from qap.hardware.rtl.verilog import CorePorts, environment
from qap.network import IntegerNetwork

RANDOM_VECTORS = 64
SEED = 20


def write_testbench(
    folder: Path,
    network: IntegerNetwork,
    core: str,
    top: str,
    ports: CorePorts,
    kept: tuple[int, ...],
    latency: int,
    axis: AxisFormat | None,
    vectors: npt.NDArray[Any] | None,
) -> None:
    """Write `tb/{top}_tb.v`, its stimuli and the results that the integer network gives for them.

    Args:
        folder: of the project.
        network: the golden model.
        core: the name of the core's module.
        top: the module under test.
        ports: the widths of the core's ports.
        kept: the inputs of the network that the core has.
        latency: of the core, in cycles.
        axis: the layout of the stream, None for the core alone.
        vectors: integer samples (n, n_in); None takes random ones.
    """
    if vectors is None:
        form = network.input_format
        shape = (RANDOM_VECTORS, network.n_in)
        vectors = np.random.default_rng(SEED).integers(form.min_int, form.max_int, shape, endpoint=True)
    logits = network.forward(vectors)
    classes = network.decide(logits)
    bench = folder / "tb"
    bench.mkdir()
    if axis is None:
        stimuli = to_bits(vectors[:, np.array(kept)], ports.input_width)
        results = np.hstack([to_bits(logits, ports.logit_width), to_bits(classes[:, None], ports.class_width)])
    else:
        stimuli = to_bits(axis.pack(vectors).view(np.int64).reshape(-1, 1), axis.width)
        fields = np.hstack([classes[:, None], logits])
        bits = to_bits(fields, axis.field)
        results = np.pad(bits, ((0, 0), (0, axis.result_beats * axis.width - bits.shape[1]))).reshape(-1, axis.width)
    _write_memory(bench / "stimuli.mem", stimuli)
    _write_memory(bench / "expected.mem", results)
    template = environment().get_template("axis_tb.v.j2" if axis else "core_tb.v.j2")
    text = template.render(
        core=core, top=top, ports=ports, axis=axis, latency=latency, samples=len(vectors), stimuli=len(stimuli),
        results=len(results),
    )  # fmt: skip
    (bench / f"{top}_tb.v").write_text(text, encoding="utf-8")


def _write_memory(path: Path, bits: Bits) -> None:
    """One hexadecimal number a line, for $readmemh."""
    digits = -(-bits.shape[1] // 4)
    rows = np.packbits(bits, axis=1, bitorder="little")
    lines = [f"{int.from_bytes(row.tobytes(), 'little'):0{digits}x}\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8")
