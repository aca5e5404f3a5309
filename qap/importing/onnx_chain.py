"""The graph of an ONNX model as one chain: constants are computed, what is left reads one another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from qap.errors import DataError
from qap.extras import extra
from qap.importing.onnx_constants import LARGEST, REORDERING, Constant, attributes_of, computed, evaluate, numbers_of
from qap.importing.onnx_file import ONNX_DOMAINS, QONNX_DOMAINS

with extra("onnx"):
    import onnx


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the chain.

    Args:
        name: of the node, for people.
        op: its operator.
        attributes: as ONNX gives them.
        inputs: its inputs in order; None where the chain flows in, or nothing does.
        position: the input where the chain flows in.
        shape: of what flows in; the batch is 1.
    """

    name: str
    op: str
    attributes: Mapping[str, Any]
    inputs: tuple[Constant | None, ...]
    position: int
    shape: tuple[int, ...]

    def constant(self, index: int) -> Constant | None:
        """An input, None where there is none."""
        return self.inputs[index] if index < len(self.inputs) else None

    def needed(self, index: int, what: str) -> Constant:
        """An input that must be a constant.

        Raises:
            DataError: it is not.
        """
        found = self.constant(index)
        if found is None:
            raise DataError(f"node {self.name!r} ({self.op}): its {what} is not a constant")
        return found


class Chain(NamedTuple):
    """A model from its input to its output.

    Args:
        input_shape: without the batch.
        steps: the nodes.
    """

    input_shape: tuple[int, ...]
    steps: list[Step]


def chain_of(model: onnx.ModelProto, known: Mapping[str, Any]) -> Chain:
    """The nodes between the one input and the one output.

    Args:
        model: a model with all of its numbers.
        known: the operators that may stand in the chain.

    Raises:
        DataError: the graph branches, has more inputs or outputs, holds a node that is not known, or is damaged.
    """
    reader = _Reader(model, known)
    for node in model.graph.node:
        reader.read(node)
    (output,) = [value.name for value in model.graph.output] if len(model.graph.output) == 1 else [None]
    if output is None:
        raise DataError(f"the graph has {len(model.graph.output)} outputs, one is needed")
    if output != reader.current:
        raise DataError(f"the output {output!r} is not what the last node {reader.current!r} gives")
    steps = reader.steps
    if steps and steps[-1].op == "ArgMax":
        steps = steps[:-1]  # the class is decided on the logits
    return Chain(reader.input_shape, steps)


@dataclass(slots=True)
class _Reader:
    model: onnx.ModelProto
    known: Mapping[str, Any]
    constants: dict[str, Constant] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Of everything that has flowed so far."""
    current: str = ""
    batch: int = 1
    input_shape: tuple[int, ...] = ()
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        graph = self.model.graph
        for tensor in graph.initializer:
            self.constants[tensor.name] = Constant(numbers_of(tensor.name, tensor))
        inputs = [value for value in graph.input if value.name not in self.constants]
        if len(inputs) != 1:
            names = ", ".join(repr(value.name) for value in inputs[:4])
            raise DataError(f"the graph has {len(inputs)} inputs ({names}), one is needed")
        self.current = inputs[0].name
        self.batch, self.input_shape = _input_shape(inputs[0])
        self.shapes[self.current] = (1, *self.input_shape)

    @property
    def opsets(self) -> list[onnx.OperatorSetIdProto]:
        return [opset for opset in self.model.opset_import if opset.domain in ONNX_DOMAINS]

    def read(self, node: onnx.NodeProto) -> None:
        """Compute a node of constants, or put it at the end of the chain."""
        name = node.name or "_".join([node.op_type, *node.output[:1]])
        if node.domain not in (*ONNX_DOMAINS, *QONNX_DOMAINS):
            raise DataError(
                f"node {name!r} ({node.op_type}) is of the domain {node.domain!r}, which is not known "
                f"(there are: ONNX's own, {', '.join(QONNX_DOMAINS)})"
            )
        flowing = [value for value in node.input if value in self.shapes]
        if node.op_type == "Shape" and flowing:
            self.constants[node.output[0]] = Constant(np.array(self.shapes[flowing[0]], np.int64))
            return
        for value in node.input:
            if value and value not in self.shapes and value not in self.constants:
                raise DataError(f"node {name!r} ({node.op_type}) reads {value!r}, which no node before it gives")
        if not flowing:
            inputs = [self.constants[value] for value in node.input if value]
            self.constants[node.output[0]] = computed(name, node, inputs, self.opsets)
        else:
            self.follow(name, node, flowing)

    def follow(self, name: str, node: onnx.NodeProto, flowing: list[str]) -> None:
        """A node of the chain."""
        if node.op_type not in self.known:
            raise DataError(
                f"node {name!r}: {node.op_type} is not supported; dense networks are, a chain of "
                f"{', '.join(self.known)}"
            )
        if len(flowing) > 1 or flowing[0] != self.current:
            raise DataError(f"node {name!r} ({node.op_type}) joins or begins a branch; the graph must be a chain")
        inputs = tuple(self.constants.get(value) for value in node.input)
        step = Step(
            name, node.op_type, attributes_of(node), inputs, list(node.input).index(self.current),
            self.shapes[self.current],
        )  # fmt: skip
        if node.op_type in REORDERING:
            step, shape = self.reordered(step, node)
        else:
            shape = _shape_behind(step)
        self.steps.append(step)
        self.current = node.output[0]
        self.shapes[self.current] = shape

    def reordered(self, step: Step, node: onnx.NodeProto) -> tuple[Step, tuple[int, ...]]:
        """A node that moves numbers, with the order in which it hands them on, and the shape behind it."""
        count = math.prod(step.shape)
        others = [np.asarray(each.value) for each in step.inputs[1:] if each is not None]
        if step.op == "Reshape" and others and others[0].size and self.batch > 1 and others[0].flat[0] == self.batch:
            others[0] = np.concatenate([[1], others[0].ravel()[1:]]).astype(np.int64)
        moved = evaluate(
            step.name, node, [np.arange(count, dtype=np.float32).reshape(step.shape), *others], self.opsets
        )
        if moved.size != count or moved.shape[:1] != (1,):
            raise DataError(f"node {step.name!r} ({step.op}) mixes the samples of a batch: its shape is {moved.shape}")
        order = Constant(moved.ravel().astype(np.int64))
        return Step(step.name, step.op, step.attributes, (None, order), 0, step.shape), moved.shape


def _shape_behind(step: Step) -> tuple[int, ...]:
    """The shape of what a node gives that computes with numbers."""
    if step.op in ("MatMul", "Gemm"):
        weight = step.needed(1, "weight").value if step.position == 0 else None
        if weight is None or weight.ndim != 2 or math.prod(step.shape[:-1]) != 1:
            raise DataError(
                f"node {step.name!r} ({step.op}): {step.shape} times "
                f"{'a constant before it' if weight is None else weight.shape} is not a dense layer"
            )
        n_in, n_out = weight.shape[::-1] if step.attributes.get("transB") else weight.shape
        if step.shape[-1] != n_in:
            raise DataError(f"node {step.name!r} ({step.op}): {step.shape[-1]} inputs do not fit to {weight.shape}")
        return (*step.shape[:-1], int(n_out))
    if step.op not in ("Add", "Sub", "Mul", "Div"):
        return step.shape
    other = step.needed(1 - step.position, "other input").value
    try:
        shape = np.broadcast_shapes(step.shape, other.shape)
    except ValueError:
        shape = ()
    if math.prod(shape) != math.prod(step.shape) or not shape:
        raise DataError(f"node {step.name!r} ({step.op}): {step.shape} and {other.shape} do not fit to one another")
    return tuple(shape)


def _input_shape(value: onnx.ValueInfoProto) -> tuple[int, tuple[int, ...]]:
    """The batch (1 where it is open) and the other sizes of the input."""
    sizes = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
    if len(sizes) < 2 or min(sizes[1:]) < 1 or math.prod(sizes[1:]) > LARGEST:
        shown = [dim.dim_value or dim.dim_param or "?" for dim in value.type.tensor_type.shape.dim]
        raise DataError(f"the input {value.name!r} has the shape {shown}; a batch and known sizes are needed")
    return max(1, sizes[0]), tuple(sizes[1:])
