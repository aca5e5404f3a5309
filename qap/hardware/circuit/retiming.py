"""Registers where the fewest bits are alive, by minimum cuts.

Every node has a stage, and bits that the same nodes read are carried up to a stage together. What a circuit computes
does not depend on where its registers stand, as long as nothing is read before it is there and no path of a stage is
too deep: differences of stages that are at least 0 or 1. The registers are differences of stages, too, each as many as
it has bits. Such a sum has no local minima but the least (it is L-natural-convex): from the earliest stages on, the
set of nodes whose move to the next stage saves the most registers is a minimum cut, and where no set saves any,
no other placement of so many stages has fewer.

C. E. Leiserson, J. B. Saxe, Retiming synchronous circuitry, Algorithmica 6, 1991. K. Murota, Discrete convex analysis,
SIAM 2003, on the steepest descent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from qap.extras import extra
from qap.fixed import IntArray
from qap.hardware.circuit.builder import Circuit, Node
from qap.hardware.circuit.cells import mapped
from qap.hardware.circuit.pipeline import Pipeline, delays_of, longest_stage, outputs, registers
from qap.hardware.circuit.wires import Bit

Orders = dict[tuple[Node, Node], int]
"""Pairs of nodes, and how many stages at least the second stands behind the first."""


def retimed(circuit: Circuit, pipeline: Pipeline) -> Pipeline:
    """The pipeline of as many stages, none deeper, with the fewest bits in registers.

    Args:
        circuit: the circuit.
        pipeline: one that computes every node as early as its depth allows, see `pipelined`.

    Raises:
        ToolMissing: scipy is not installed.
    """
    delays = [min(delay, pipeline.stage_depth) for delay in delays_of(circuit)]
    labels = _labels(circuit, pipeline, _orders(circuit, delays, pipeline.stage_depth))
    while len(moved := _saving(labels)):
        labels.stage[moved] += 1
    stage: list[int] = []
    for node, (delay, arguments) in enumerate(zip(delays, circuit.arguments, strict=True)):
        read = [stage[argument] for argument in arguments if not circuit.ranges[argument].constant]
        stage.append(int(labels.stage[node]) if delay else max(read, default=0))  # wires stand where their bits are
    return replace(
        pipeline,
        stage=tuple(stage),
        longest=longest_stage(circuit, stage),
        carried=registers(circuit, stage, pipeline.latency),
    )


class _Labels(NamedTuple):
    """The stages: of the nodes, of the end behind all of them, and up to which each group of bits is carried.

    Args:
        stage: those that are to be moved.
        last: the latest that each may be.
        saved: bits of registers that a move to the next stage saves, if it moves alone.
        orders: (n, 3), before, behind and the least difference.
    """

    stage: IntArray
    last: IntArray
    saved: IntArray
    orders: IntArray


def _labels(circuit: Circuit, pipeline: Pipeline, orders: Orders) -> _Labels:
    end = len(circuit.operations)
    latest = [0] * circuit.inputs + [pipeline.latency - 1] * (end - circuit.inputs) + [pipeline.latency]
    stage, saved = [*pipeline.stage, pipeline.latency], [0] * (end + 1)
    rows = [(before, behind, least) for (before, behind), least in orders.items()]
    for (node, readers), bits in _groups(circuit).items():
        group = len(stage)
        stage.append(max(stage[each] for each in (node, *readers)))
        latest.append(pipeline.latency)
        saved.append(-bits)
        saved[node] += bits
        rows += [(each, group, 0) for each in (node, *readers)]
    return _Labels(np.array(stage), np.array(latest), np.array(saved), np.array(rows, np.int64).reshape(-1, 3))


def _groups(circuit: Circuit) -> Counter[tuple[Node, frozenset[Node]]]:
    """Bits of each node that the same nodes read, followed through wires; the outputs are read by the end."""
    readers: defaultdict[Bit, set[Node]] = defaultdict(set)
    vectors = []
    for node, (read, made) in enumerate(mapped(circuit)):
        vectors.append(made.bits)
        for bit in (bit for vector in read for bit in vector.bits if made.cells):
            readers[bit].add(node)
    for node in outputs(circuit):
        for bit in vectors[node]:
            readers[bit].add(len(circuit.operations))
    return Counter((bit.node, frozenset(found)) for bit, found in readers.items() if bit.node >= 0)


def _orders(circuit: Circuit, delays: Sequence[float], depth: float) -> Orders:
    """Nothing is read before it is computed, and what is too far from a node stands at least a stage behind it.

    Of the nodes too far behind one that follow each other only the first matters, and so the other way round.
    """
    orders: Orders = {}
    near: list[dict[Node, float]] = []  # for each node those before it, and the longest path with both its ends
    behind: defaultdict[Node, set[Node]] = defaultdict(set)
    for node, sources in enumerate(_sources(circuit, delays)):
        path: dict[Node, float] = {}
        for source in sources:
            orders[source, node] = 0
            for start, length in near[source].items():
                path[start] = max(path.get(start, 0.0), length + delays[node])
        far = {start for start, length in path.items() if length > depth}
        orders.update(((start, node), 1) for start in far if behind[start].isdisjoint(far))
        for source in sources:
            behind[source].add(node)
        near.append({start: length for start, length in path.items() if start not in far} | {node: delays[node]})
    return orders


def _sources(circuit: Circuit, delays: Sequence[float]) -> list[set[Node]]:
    """For each node those that it reads, through wires; none for wires, which go where their bits go."""
    through: list[set[Node]] = []
    for arguments in circuit.arguments:
        through.append(set().union(*(through[a] if not delays[a] and a >= circuit.inputs else {a} for a in arguments)))
    return [read if delay else set() for read, delay in zip(through, delays, strict=True)]


def _saving(labels: _Labels) -> IntArray:
    """Those that save the most registers if they all move to the next stage; none where nothing can be saved.

    It is the largest closure of a graph: who moves takes along what stands as close behind it as it may.
    """
    with extra("rtl"):
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import breadth_first_order, maximum_flow
    count = len(labels.stage)
    start, end = count, count + 1
    stuck = labels.stage >= labels.last
    gain = np.flatnonzero(~stuck & (labels.saved > 0))
    loss = np.flatnonzero(~stuck & (labels.saved < 0))
    held = np.flatnonzero(stuck)
    before, behind, least = labels.orders.T
    tight = labels.stage[behind] - labels.stage[before] == least
    endless = int(labels.saved[gain].sum()) + 1
    edges = [
        (before[tight], behind[tight], np.full(np.count_nonzero(tight), endless)),
        (np.full(len(gain), start), gain, labels.saved[gain]),
        (loss, np.full(len(loss), end), -labels.saved[loss]),
        (held, np.full(len(held), end), np.full(len(held), endless)),
    ]
    rows, columns, capacity = (np.concatenate(parts) for parts in zip(*edges, strict=True))
    graph = csr_array((capacity.astype(np.int32), (rows, columns)), shape=(count + 2, count + 2))
    left = graph - maximum_flow(graph, start, end).flow
    left.eliminate_zeros()
    reached: IntArray = breadth_first_order(left, start, return_predecessors=False)
    return reached[reached < count]
