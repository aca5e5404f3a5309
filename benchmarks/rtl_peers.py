"""Our RTL beside da4ml's: LUT, flip-flops and cycles of the same networks at the same clock, by the same Yosys.

    python benchmarks/rtl_peers.py --jet qkeras-v3_3layer.keras --data-dir FOLDER [--runs FOLDER] [--clock-ns 5]

Five networks: three recipes, a table of scikit-learn as CSV, and the public jet tagger. Their trained runs are made in
--runs if they are not there; each network is stored as soon as it is measured. Both sides compute the same logits,
without the class index, which da4ml does not make; both round halves up, which is all that da4ml has; and both have to
answer 2,000 vectors exactly as the integer network before they count. Our pipeline is that of `--stage-depth auto`. Of
da4ml's pipelines stands here the one of the fewest cycles whose longest path in the netlist has no more levels than the
clock allows us, or than our netlist has; if none is so flat, its flattest. da4ml's register in front of the first stage
is not counted, since we have none.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tomli_w
from rtl_netlist import FAMILY, Netlist, synthesized
from rtl_peer import check_equal, peer_at, traced
from stored import add_out, qap, store

from qap.fixed import Rounding
from qap.hardware.circuit import Circuit, lower_network
from qap.hardware.circuit.stages import TIMINGS, pipeline_for
from qap.hardware.circuit.xilinx import CARRY_CELLS
from qap.hardware.rtl.verilog import core_ports, core_verilog
from qap.network import IntegerNetwork, connect, load_network, simplify

CSV, JET = "wine", "jet"
NETWORKS = ("mnist-1v9", CSV, "digits", JET, "mnist")
"""The smallest first."""
JET_INPUTS = "ap_fixed<8,4>"
VECTORS = 2_000


class Ours(NamedTuple):
    """Our core: its cycles and its netlist."""

    cycles: int
    netlist: Netlist


def trained(name: str, folder: Path, jet: Path, data_dir: Path | None) -> IntegerNetwork:
    """The network of a run, which is made if it is not there."""
    run = folder / name
    if not (run / "network.npz").exists():
        if name == JET:
            qap("import", jet, "--input-format", JET_INPUTS, "--out", run)
        else:
            recipe = csv_recipe(folder) if name == CSV else name
            data = ("--data-dir", data_dir) if data_dir and name.startswith("mnist") else ()
            qap("train", recipe, "--out", run, *data)
            qap("freeze", run, *data)
    return load_network(run / "network.npz")


def csv_recipe(folder: Path) -> Path:
    """scikit-learn's wine as a CSV file, and a recipe that reads it."""
    from sklearn.datasets import load_wine

    data, labels = load_wine(return_X_y=True)
    low, high = data.min(axis=0), data.max(axis=0)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{CSV}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{column}" for column in range(data.shape[1])), "class"])
        for row, label in zip((data - low) / (high - low), labels, strict=True):
            writer.writerow([*(f"{value:.6f}" for value in row), label])
    layers = [
        {"units": 16, "weight": "quantized_bits(5,0,alpha=1)", "activation": "quantized_relu(4,2)"},
        {"units": 3, "weight": "quantized_bits(5,0,alpha=1)"},
    ]
    recipe = {
        "name": CSV,
        "data": {"name": f"csv:{(folder / CSV).resolve()}.csv?label=class", "input_format": "ap_ufixed<6,0>"},
        "teacher": {"units": [32], "epochs": 60},
        "student": {"layers": layers, "epochs": 60, "batch_size": 16},
        "prune": {"sparsity": 0.5},
    }
    path = folder / f"{CSV}.toml"
    path.write_text(tomli_w.dumps(recipe), encoding="utf-8")
    return path


def half_up(network: IntegerNetwork) -> IntegerNetwork:
    """The simplified network with every rounding AP_RND."""
    specs = []
    for layer in network.only_weighted("da4ml"):
        form = layer.result_format
        rounding = Rounding.RND if form.rounding is Rounding.RND_CONV else form.rounding
        specs.append(layer.spec._replace(result_format=replace(form, rounding=rounding)))
    return simplify(connect(network.input_format, specs, network.class_names)).network


def logits_alone(circuit: Circuit) -> Circuit:
    """The circuit without its class index; the first logit stands in for it, which costs nothing."""
    needed, waiting = set(range(circuit.inputs)), list(circuit.logits)
    while waiting:
        node = waiting.pop()
        waiting.extend(set(circuit.arguments[node]) - needed)
        needed.add(node)
    kept = sorted(needed)
    place = {node: index for index, node in enumerate(kept)}
    logits = tuple(place[node] for node in circuit.logits)
    return Circuit(
        tuple(circuit.operations[node] for node in kept),
        tuple(tuple(place[argument] for argument in circuit.arguments[node]) for node in kept),
        tuple(circuit.ranges[node] for node in kept),
        circuit.inputs,
        logits,
        logits[0],
    )


def ours_of(network: IntegerNetwork, x_int: Any, clock_ns: float, folder: Path) -> Ours:
    """Our core of the logits, checked and synthesized."""
    circuit = logits_alone(lower_network(network, FAMILY))
    if (circuit.evaluate(x_int)[0] != network.forward(x_int)).any():
        raise SystemExit("our circuit answers otherwise than the integer network")
    pipeline = pipeline_for(circuit, "auto", FAMILY, clock_ns)
    text = core_verilog(
        circuit, pipeline, core_ports(network.n_in, network), "ours", network.digest[:16], CARRY_CELLS[FAMILY]
    )
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "ours.v"
    source.write_text(text, encoding="utf-8")
    netlist = synthesized([source], "ours", folder / "yosys")
    # what holds an input here waits for a later stage, so it counts
    return Ours(pipeline.latency, netlist._replace(ff=netlist.ff + netlist.ff_of_inputs, ff_of_inputs=0))


def measure(name: str, network: IntegerNetwork, clock_ns: float, folder: Path) -> dict[str, Any]:
    """Both sides of a network."""
    network = half_up(network)
    form = network.input_format
    x_int = np.random.default_rng(0).integers(form.min_int, form.max_int, (VECTORS, network.n_in), endpoint=True)
    ours = ours_of(network, x_int, clock_ns, folder / "ours")
    print(f"{name}: ours {ours}", file=sys.stderr, flush=True)
    logic = traced(network)
    check_equal(logic, network, x_int)
    levels = max(TIMINGS[FAMILY].levels(clock_ns), ours.netlist.levels)
    peer = peer_at(logic, levels, folder / "da4ml")
    print(f"{name}: da4ml {peer}", file=sys.stderr, flush=True)
    shape = "-".join(str(width) for width in (network.n_in, *(layer.n_out for layer in network.layers)))
    return {
        "network": name,
        "shape": shape,
        "nonzeros": network.nonzeros,
        "ours": {"cycles": ours.cycles, **ours.netlist._asdict()},
        "da4ml": {"cutoff": peer.cutoff, "cycles": peer.cycles, **peer.netlist._asdict()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jet", type=Path, required=True, help="the public jet tagger, qkeras-v3_3layer.keras")
    parser.add_argument("--data-dir", type=Path, help="IDX files of MNIST; without it Keras downloads them")
    parser.add_argument("--runs", type=Path, help="folder that keeps the runs and what was synthesized")
    parser.add_argument("--clock-ns", type=float, default=5.0)
    parser.add_argument("--only", nargs="*", choices=NETWORKS, help="some of the networks")
    add_out(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.runs or Path(temporary)
        rows = []
        for name in arguments.only or NETWORKS:
            network = trained(name, folder, arguments.jet, arguments.data_dir)
            rows.append(measure(name, network, arguments.clock_ns, folder / f"{name}-rtl"))
            store("rtl_peers", {"clock_ns": arguments.clock_ns, "networks": rows}, arguments.out)


if __name__ == "__main__":
    main()
