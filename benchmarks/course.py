"""The course's published student for MNIST 1 vs 9 and ours through the same flow, side by side.

    python benchmarks/course.py --course ../shared/data/course/mnistPQKD.h5 RUN...

RUN are finished runs of `mnist-1v9` (`qap run mnist-1v9 --set seed=1 --out ...`); their mean stands below them, and is
stored with them.
Accuracy is that of the integer network on the 2,144 test images; LUT, FF, DSP and BRAM are Yosys' (xc7), counted as
the vendor counts; the netlist that was counted is simulated on 1,000 test images first, and everything has to agree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from stored import add_out, store

from qap.data import load
from qap.fixed import FixedPoint
from qap.hardware.rtl import RtlEngine, write_rtl
from qap.hardware.rtl.axis_engine import simulate_stream
from qap.hardware.synthesis import NetlistEngine, place_and_route, synthesize
from qap.network import IntegerNetwork, LayerSpec, connect, load_network
from qap.verification import EmulatorEngine, agree

COURSE_LAYERS = ("fc1_input", "fc1", "fc2", "output")
NETLIST_IMAGES = 1000


class Row(NamedTuple):
    """A line of the table."""

    name: str
    accuracy: float
    lut: float
    ff: float
    dsp: float
    bram18: float
    latency: float
    top_lut: float
    top_ff: float
    ecp5_mhz: float


def course_network(path: Path) -> IntegerNetwork:
    """The course's network: 784-5-7-10-2, weights quantized_bits(8,3), activations quantized_bits(16,6), no ReLU."""
    import h5py

    weight_format, result_format = FixedPoint.from_qkeras(8, 3), FixedPoint.from_qkeras(16, 6)
    specs = []
    with h5py.File(path, "r") as file:
        for name in COURSE_LAYERS:
            group = file["model_weights"][name][name]
            kernel, bias = (weight_format.quantize(group[f"{key}:0"][()].astype(float)) for key in ("kernel", "bias"))
            last = name == COURSE_LAYERS[-1]
            specs.append(
                LayerSpec(
                    name, kernel, weight_format, bias, weight_format, "linear", None if last else result_format
                )
            )  # fmt: skip
    return connect(FixedPoint.parse("ap_ufixed<8,0>"), specs, ["1", "9"])


def measure(name: str, network: IntegerNetwork, folder: Path) -> Row:
    """Generate, prove, synthesize and place one network."""
    data = load("mnist-1v9", input_format=network.input_format)
    x = data.test.x
    accuracy = float((network.decide(network.forward(x)) == data.test.y).mean())
    project = write_rtl(network, folder / "rtl", test_vectors=x[:100])
    print(f"{name}: {project.latency_cycles} cycles, stages of {project.stage_depth} levels", file=sys.stderr)
    exact = [
        *agree([EmulatorEngine(), RtlEngine(project)], network, x),
        *agree([EmulatorEngine(), NetlistEngine(project)], network, x[:NETLIST_IMAGES]),
    ]
    if not all(found.exact for found in exact) or (simulate_stream(project, network, x) != network.forward(x)).any():
        raise SystemExit(f"{name}: {', '.join(map(str, exact))}")
    core, top = synthesize(project, "xc7"), synthesize(project, "xc7", module="top")
    placed = place_and_route(project, "85k", bitstream=True)
    numbers = [core.lut, core.ff, core.dsp, core.bram18, project.latency_cycles, top.lut, top.ff, placed.fmax_mhz]
    return Row(name, accuracy, *(float(number) for number in numbers if number is not None))


def show(row: Row) -> None:
    print(
        f"| {row.name} | {100 * row.accuracy:.2f} | {row.lut:,.0f} | {row.ff:,.0f} | {row.dsp:.0f} | {row.bram18:.0f} "
        f"| {row.latency:.0f} | {row.top_lut:,.0f} | {row.top_ff:,.0f} | {row.ecp5_mhz:.0f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--course", type=Path, help="mnistPQKD.h5 of the course; without it only our runs are measured")
    parser.add_argument("runs", type=Path, nargs="*", help="run directories, or network.npz files")
    add_out(parser)
    arguments = parser.parse_args()
    rows = []
    print("| network | test accuracy % | LUT | FF | DSP | BRAM18 | cycles | LUT of the top | FF | ECP5 85k MHz (top) |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="qap-") as name:
        folder = Path(name)
        if arguments.course:
            rows.append(measure("course", course_network(arguments.course), folder / "course"))
            show(rows[-1])
        for index, run in enumerate(arguments.runs):
            network = load_network(run if run.suffix == ".npz" else run / "network.npz")
            rows.append(measure(run.stem, network, folder / str(index)))
            show(rows[-1])
    store("course", [row._asdict() for row in rows], arguments.out)
    ours = rows[1:] if arguments.course else rows
    if len(ours) > 1:
        means = np.mean([row[1:] for row in ours], axis=0)
        show(Row(f"mean of {len(ours)}", *(float(mean) for mean in means)))


if __name__ == "__main__":
    main()
