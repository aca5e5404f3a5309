"""The calls of a model's layers, from its input to its output, as its own graph says.

Keras keeps a node for every call of a layer, so a layer has several when it is used twice, when it belongs to two
models, or when its Sequential was built step by step. `layer.input` is that of the first call, whosever it was: only
the nodes that lead back from the output of *this* model are this model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras.src.models.functional import Functional

from qap.errors import NotExact


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer; a layer that is called twice gives two.

    Args:
        layer: the layer.
        name: its name, made unique in the model.
        shape: of its input, without the batch.
    """

    layer: Any
    name: str
    shape: tuple[int, ...]


def calls_of(model: Any) -> list[Call]:
    """The calls from the input to the output; those of a model inside of the model stand in its place.

    Raises:
        NotExact: it is not one chain, or no model that says what it computes.
    """
    taken: set[str] = set()
    calls = []
    for call in reversed(list(_backwards(model))):
        calls.append(replace(call, name=unique(call.name, taken)))
    return calls


def graph_of(model: Any) -> Any:
    """The Functional graph of a model.

    Raises:
        NotExact: it has none, or not one input and one output.
    """
    name = str(getattr(model, "name", type(model).__name__))
    if type(model) is keras.Sequential:
        graph = model._functional
        if graph is None:
            raise NotExact(name, "the model is not built; begin it with keras.Input((features,))")
    elif type(model) is Functional:
        graph = model
    else:
        raise NotExact(
            name,
            f"{type(model).__name__} computes what its own code says; build the model with keras.Sequential "
            "or keras.Model(inputs, outputs)",
        )
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise NotExact(name, f"it has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, one each is needed")
    return graph


def is_model(operation: Any) -> bool:
    """Whether an operation of a graph is a model of Keras' own kinds."""
    return type(operation) in (keras.Sequential, Functional)


def unique(name: str, taken: set[str]) -> str:
    """The name, or with the first free number behind it; it is taken from then on."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free


def _backwards(model: Any) -> Iterator[Call]:
    graph = graph_of(model)
    tensor = graph.outputs[0]
    while tensor is not graph.inputs[0]:
        operation, index, _ = tensor._keras_history
        node = operation._inbound_nodes[index]
        _refuse_arguments(operation.name, node)
        if node.is_input:
            raise NotExact(operation.name, "the output of the model does not depend on its input alone")
        tensor = node.input_tensors[0]
        if is_model(operation):
            yield from _backwards(operation)
        else:
            yield Call(operation, operation.name, _sizes(operation.name, tensor))


def _sizes(name: str, tensor: Any) -> tuple[int, ...]:
    if None in tensor.shape[1:]:
        raise NotExact(name, f"its input {tensor.shape} has an unknown size; give keras.Input every size")
    return tuple(tensor.shape[1:])


def _refuse_arguments(name: str, node: Any) -> None:
    """A layer reads one tensor, and nothing tells it to work otherwise than it does by itself."""
    if len(node.input_tensors) > 1 or len(node.outputs) > 1:
        raise NotExact(name, "it joins or splits branches; the model must be a chain of layers that read one another")
    others = dict(node.arguments.kwargs)
    if others.pop("training", None):
        raise NotExact(name, "it is called with training=True and so draws random numbers or learns")
    if len(node.arguments.args) > 1 or any(value is not None for value in others.values()):
        raise NotExact(name, f"it is called with more than its input ({', '.join(others) or 'positional arguments'})")
