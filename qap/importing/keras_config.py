"""The configuration of a Keras model, of any version, as a chain of layers; it is data and stays data.

Keras 2 and 3 write the same tree: a model has layers, a layer a class name and settings, and in a Functional model the
layers that it reads. What differs are the names of some keys and how a node is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import DataError

MODELS = ("Sequential", "Functional", "Model")
WRAPPERS = ("PruneLowMagnitude",)
"""Wrappers that change the training alone; the layer inside of them is the model's."""
PACKAGES = ("keras", "qkeras", "qap", "tf_keras", "tensorflow", "tensorflow_model_optimization", "builtins",
            "binary_layers", "ternary_layers")  # fmt: skip
MAX_DEPTH = 20
PRECISIONS = ("float32", "float64")
"""The numbers of Keras that a model may compute with; the first unless it says another."""
Numbers = npt.NDArray[np.float32] | npt.NDArray[np.float64]
"""Weights of a model, in the numbers that it computes with."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerConfig:
    """One layer as its configuration has it.

    Args:
        class_name: of the layer, without the package.
        name: of the layer.
        settings: its configuration.
        scope: the groups that hold its weights in an HDF5 file of Keras 2: the layer of the whole model first.
        key: the same in a `.keras` file.
        version: the major version of the Keras that wrote it.
    """

    class_name: str
    name: str
    settings: Mapping[str, Any]
    scope: tuple[str, ...]
    key: tuple[str, ...]
    version: int

    @property
    def dtype(self) -> str | None:
        """The numbers that it computes with; None where the configuration leaves it to Keras.

        Raises:
            DataError: others than float32 and float64.
        """
        dtype = self.settings.get("dtype")
        if isinstance(dtype, Mapping):  # a policy
            policy = dtype.get("config")
            dtype = policy.get("name", PRECISIONS[0]) if isinstance(policy, Mapping) else "unknown numbers"
        if dtype and dtype not in PRECISIONS:
            raise self.error(f"it computes in {str(dtype)[:40]}; models of {' or '.join(PRECISIONS)} are supported")
        return dtype or None

    def error(self, why: str) -> DataError:
        """An error that names the layer."""
        return DataError(f"layer {self.name!r} ({self.class_name}): {why}")


@dataclass(frozen=True, slots=True)
class Chain:
    """A model whose layers read one another.

    Args:
        name: of the model.
        input_shape: without the batch, None where the configuration does not say.
        layers: in the order of the computation; a layer that is called twice stands twice.
        dtype: of all layers.
    """

    name: str
    input_shape: tuple[int, ...] | None
    layers: tuple[LayerConfig, ...]
    dtype: str


def chain_of(config: Any, version: int) -> Chain:
    """The chain of a model's configuration.

    Args:
        config: what `model.to_json()` holds.
        version: the major version of Keras that wrote it.

    Raises:
        DataError: it is not the configuration of a chain; the message says what is in the way.
    """
    try:
        flat = list(_layers_of(config, version, (), (), 0))
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        raise DataError(f"the configuration is damaged: {type(error).__name__}: {str(error)[:80]}") from error
    shapes = [shape for layer in flat[:1] if (shape := _input_shape(layer)) is not None]
    name = _text(_settings(config).get("name") if isinstance(config["config"], Mapping) else None, "model")
    layers = tuple(layer for layer in flat if layer.class_name != "InputLayer")
    if not layers:
        raise DataError("the model has no layers")
    return Chain(name, shapes[0] if shapes else None, layers, _dtype_of(layers))


def _dtype_of(layers: Sequence[LayerConfig]) -> str:
    """What all layers that say it compute with."""
    first = next((layer.dtype for layer in layers if layer.dtype), PRECISIONS[0])
    for layer in layers:
        if layer.dtype not in (None, first):
            raise layer.error(f"it computes in {layer.dtype}, layers before it in {first}; one for all is supported")
        if first != PRECISIONS[0] and layer.class_name.startswith("Q"):
            raise layer.error(f"it computes in {first}, but the quantizers of QKeras in {PRECISIONS[0]}")
    return first


def _layers_of(
    config: Any, version: int, scope: tuple[str, ...], key: tuple[str, ...], depth: int
) -> Iterator[LayerConfig]:
    """The layers of a model and of the models inside of it, in order; the first has the shape of the inputs."""
    if depth > MAX_DEPTH:
        raise DataError(f"models stand in models more than {MAX_DEPTH} deep")
    if not isinstance(config, Mapping) or config.get("class_name") not in MODELS:
        kind = config.get("class_name") if isinstance(config, Mapping) else type(config).__name__
        raise DataError(f"{kind!r} is not a Sequential or Functional model, but computes what its own code says")
    listed: Sequence[Any] = config["config"] if isinstance(config["config"], list) else config["config"]["layers"]
    of_layer = {id(each): (*key, "layers", own) for each, own in zip(listed, _keys(listed), strict=True)}
    chain = list(listed) if config["class_name"] == "Sequential" else _walk(config["config"], listed)
    for each in chain:
        layer, name = _unwrapped(each), _name(each)
        inner_scope, inner_key = (*scope, name), of_layer[id(each)]
        if layer["class_name"] in MODELS:
            inner = list(_layers_of(layer, version, inner_scope, inner_key, depth + 1))
            yield from inner if each is chain[0] else [one for one in inner if one.class_name != "InputLayer"]
        else:
            yield LayerConfig(_class_name(layer), _name(layer), _settings(layer), inner_scope, inner_key, version)


def _keys(listed: Sequence[Any]) -> Iterator[str]:
    """How a `.keras` file calls the layers of a model: by their class, with the number of those before."""
    seen: Counter[str] = Counter()
    for each in listed:
        words = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", _class_name(each))).lower()
        yield f"{words}_{seen[words]}" if seen[words] else words
        seen[words] += 1


def _walk(config: Mapping[str, Any], listed: Sequence[Any]) -> list[Any]:
    """The layers of a Functional model from its input to its output."""
    layers = {_name(each): each for each in listed}
    inputs, outputs = _ends(config["input_layers"]), _ends(config["output_layers"])
    if len(inputs) != 1 or len(outputs) != 1:
        raise DataError(
            f"the model has {len(inputs)} inputs and {len(outputs)} outputs; models with one each are supported"
        )
    (name, node), chain = outputs[0], []
    while True:
        layer = layers[name]
        chain.append(layer)
        if len(chain) > len(listed) * 8:
            raise DataError(f"layer {name!r}: its inputs lead back to itself")
        nodes = layer.get("inbound_nodes") or []
        if not nodes:
            break
        read = list(_read_by(name, nodes[min(node, len(nodes) - 1)]))
        if len(read) != 1:
            raise DataError(
                f"layer {name!r} ({_class_name(layer)}) joins {len(read)} branches; chains of layers are supported"
            )
        name, node = read[0]
    if name != inputs[0][0]:
        raise DataError(f"layer {name!r} begins the model, but its input is {inputs[0][0]!r}")
    return chain[::-1]


def _ends(value: Any) -> list[tuple[str, int]]:
    """Tensors as `[[name, node, index], ...]`, or `[name, node, index]` for a single one in Keras 3."""
    if isinstance(value, Mapping):
        raise DataError("the model has named inputs or outputs; one of each, without a name, is supported")
    rows = [value] if value and isinstance(value[0], str) else value
    return [(str(row[0]), int(row[1])) for row in rows]


def _read_by(name: str, node: Any) -> Iterator[tuple[str, int]]:
    """The tensors of a node: a list of `[name, node, index, arguments]` in Keras 2, arguments in Keras 3."""
    if isinstance(node, Mapping):
        yield from _tensors(node.get("args", []))
        arguments = node.get("kwargs", {})
    else:
        rows = [node] if isinstance(node[0], str) else node
        arguments = {}
        for row in rows:
            yield str(row[0]), int(row[1])
            arguments |= row[3] if len(row) > 3 else {}
    extra = sorted(key for key, value in arguments.items() if value is not None and value is not False)
    if extra:
        raise DataError(f"layer {name!r} is called with {', '.join(extra)}; layers that read one tensor are supported")


def _tensors(value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, list):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        history = value["config"]["keras_history"]
        yield str(history[0]), int(history[1])


def _unwrapped(layer: Any) -> Any:
    while layer["class_name"].rpartition(">")[2] in WRAPPERS:
        layer = layer["config"]["layer"]
    return layer


def _class_name(layer: Mapping[str, Any]) -> str:
    """The name of a layer's class, which must be of Keras or QKeras.

    Raises:
        DataError: it is registered by another package, so it is custom code.
    """
    registered = str(layer.get("registered_name") or "").rpartition(">")
    package, _, class_name = str(layer["class_name"]).rpartition(">")
    module = str(layer.get("module") or "").partition(".")[0]
    foreign = next((each for each in (module, package, registered[0]) if each and each not in PACKAGES), None)
    if foreign and foreign.lower() not in PACKAGES:
        raise DataError(
            f"layer {_name(layer)!r} is a {class_name} of {foreign!r}, which is custom code and never executed; "
            "build the model with layers of Keras or QKeras"
        )
    return class_name


def _name(layer: Mapping[str, Any]) -> str:
    settings = layer.get("config")
    inner = settings.get("name") if isinstance(settings, Mapping) else None
    return _text(layer.get("name") or inner, str(layer.get("class_name")))


def _text(value: Any, default: str) -> str:
    return value if isinstance(value, str) and value else default


def _settings(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = layer["config"]
    if not isinstance(settings, Mapping):
        raise DataError(f"the configuration of {layer.get('class_name')!r} is not a mapping")
    return settings


def _input_shape(layer: LayerConfig) -> tuple[int, ...] | None:
    """The shape of the inputs that the first layer tells, without the batch."""
    settings = layer.settings
    shape = settings.get("batch_input_shape") or settings.get("batch_shape")
    if shape is None and isinstance(settings.get("input_dim"), int):
        shape = [None, settings["input_dim"]]
    if shape is None:
        return None
    sizes = tuple(shape[1:])
    if not sizes or not all(isinstance(size, int) and 0 < size < 1 << 24 for size in sizes):
        raise layer.error(f"its inputs have the shape {list(shape)}; every size but the first must be known")
    return sizes
