"""A circuit and its pipeline as Verilog-2001: one module, initiation interval 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from qap.hardware.circuit import Circuit
from qap.hardware.circuit.builder import Node
from qap.hardware.circuit.pipeline import Pipeline
from qap.hardware.circuit.wires import Wire
from qap.network import IntegerNetwork
from qap.templates import fill

Count = Annotated[int, Field(ge=1, le=1 << 20)]
Width = Annotated[int, Field(ge=1, le=64)]


@dataclass(frozen=True, slots=True)
class CorePorts:
    """The ports of the core: input i stands at bits `i * input_width` and up, logit j at `j * logit_width`."""

    inputs: Count
    input_width: Width
    logits: Count
    logit_width: Width
    class_width: Width

    @property
    def x_width(self) -> int:
        """Bits of all inputs."""
        return self.inputs * self.input_width

    @property
    def y_width(self) -> int:
        """Bits of all logits."""
        return self.logits * self.logit_width


def core_ports(inputs: int, network: IntegerNetwork) -> CorePorts:
    """The ports of a network's core that reads so many of its inputs."""
    class_width = max(1, (len(network.class_names) - 1).bit_length())
    return CorePorts(inputs, network.input_format.width, network.n_out, network.output_format.width, class_width)


def fill_template(template: str, **content: Any) -> str:
    """The text of one of the templates of this package."""
    return fill("qap.hardware.rtl", template, of_extra="rtl", **content)


def core_verilog(
    circuit: Circuit, pipeline: Pipeline, ports: CorePorts, name: str, comment: str, cell: int | None = None
) -> str:
    """The source of the core.

    Args:
        circuit: what to compute.
        pipeline: in which stage.
        ports: the widths of the ports.
        name: of the module.
        comment: one line for the head of the file.
        cell: bits of a carry cell of Xilinx, whose cells are instantiated; None writes expressions alone.
    """
    return fill_template(
        "core.v.j2",
        name=name,
        comment=comment,
        ports=ports,
        pipeline=pipeline,
        stages=[_stage(circuit, pipeline, stage, cell) for stage in range(pipeline.latency)],
        logits=[
            Wire(_carried_name(circuit, pipeline, node, pipeline.latency), circuit.ranges[node]).extended(
                ports.logit_width
            )
            for node in reversed(circuit.logits)
        ],
        winner=Wire(
            _carried_name(circuit, pipeline, circuit.winner, pipeline.latency), circuit.ranges[circuit.winner]
        ).extended(ports.class_width),
        constants=[
            (_name(node), bounds.width, circuit.operations[node].verilog((), _wire(circuit, node)))
            for node, bounds in enumerate(circuit.ranges)
            if bounds.constant
        ],
    )


def _stage(circuit: Circuit, pipeline: Pipeline, stage: int, cell: int | None) -> dict[str, Any]:
    """What is declared, computed and registered in a stage."""
    return {
        "tables": list(_tables(circuit, pipeline, stage)),
        "wires": list(_wires(circuit, pipeline, stage, cell)),
        "registers": list(_registers(circuit, pipeline, stage)),
    }


def _in_stage(circuit: Circuit, pipeline: Pipeline, stage: int) -> Iterator[Node]:
    for node, bounds in enumerate(circuit.ranges):
        if pipeline.stage[node] == stage and not bounds.constant:
            yield node


def _tables(circuit: Circuit, pipeline: Pipeline, stage: int) -> Iterator[tuple[str, int, str]]:
    """Name, length and digits of each column of each truth table."""
    for node in _in_stage(circuit, pipeline, stage):
        for column in circuit.operations[node].tables(_wire(circuit, node)):
            yield column.name, column.rows, f"{column.bits:x}"


class _Node(NamedTuple):
    """A wire of a stage: its expression, or the statements that drive it."""

    name: str
    width: int
    expression: str
    statements: Sequence[str]


def _wires(circuit: Circuit, pipeline: Pipeline, stage: int, cell: int | None) -> Iterator[_Node]:
    """What is computed in a stage."""
    for node in _in_stage(circuit, pipeline, stage):
        arguments = [
            Wire(_carried_name(circuit, pipeline, a, stage), circuit.ranges[a]) for a in circuit.arguments[node]
        ]
        result, operation = _wire(circuit, node), circuit.operations[node]
        statements = operation.instances(arguments, result, cell) if cell else ()
        yield _Node(result.name, result.width, operation.verilog(arguments, result), statements)


def _registers(circuit: Circuit, pipeline: Pipeline, stage: int) -> Iterator[tuple[str, int, str]]:
    """Name, width and source of each register at the end of the stage."""
    for node, count in enumerate(pipeline.carried):
        age = stage - pipeline.stage[node]
        if 0 <= age < count:
            yield _name(node, age + 1), circuit.ranges[node].width, _name(node, age)


def _carried_name(circuit: Circuit, pipeline: Pipeline, node: Node, stage: int) -> str:
    """The name of a node's value as a later stage sees it."""
    return _name(node, 0 if circuit.ranges[node].constant else stage - pipeline.stage[node])


def _wire(circuit: Circuit, node: Node) -> Wire:
    """A node's value in the stage that computes it."""
    return Wire(_name(node), circuit.ranges[node])


def _name(node: Node, age: int = 0) -> str:
    return f"n{node}_r{age}" if age else f"n{node}"
