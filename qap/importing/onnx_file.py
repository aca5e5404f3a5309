"""An ONNX file from outside: read whole or refused, with nothing outside of its folder and nothing of it executed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from qap.errors import DataError, one_line
from qap.extras import extra

with extra("onnx"):
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.external_data_helper import load_external_data_for_model, uses_external_data

LARGEST = 2**31 - 1
"""Bytes that a protobuf message can have."""
OLDEST_OPSET = 5
QONNX_DOMAINS = (
    "qonnx.custom_op.general", "qonnx.custom_op.channels_last", "finn.custom_op.general", "onnx.brevitas",
)  # fmt: skip
"""Domains of QONNX's nodes: today's and the two older names."""
ONNX_DOMAINS = ("", "ai.onnx")


def load_onnx(path: Path) -> onnx.ModelProto:
    """A model with all of its numbers, those of files beside it included.

    Raises:
        DataError: it is not an ONNX model, is truncated, keeps numbers outside of its folder, or is of an opset or a
            domain that is not known.
    """
    model = _parsed(path)
    if not model.HasField("graph") or not model.graph.node:
        raise DataError(f"{path} is not an ONNX model, or holds no graph")
    _refuse_unknown_opset(path, model)
    _refuse_graphs_inside(path, model)
    for tensor in _external(model):
        _refuse_location(path, tensor)
    try:
        load_external_data_for_model(model, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise DataError(f"{path}: its external data cannot be read: {one_line(error, 200)}") from error
    return model


def _parsed(path: Path) -> onnx.ModelProto:
    try:
        if path.exists() and not path.is_file():
            raise DataError(f"cannot read {path}: it is not a file")
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path} has {path.stat().st_size:,} bytes, an ONNX file has at most {LARGEST:,}")
        return onnx.load_model_from_string(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    except DecodeError:
        raise DataError(f"{path} is not an ONNX model, or is truncated") from None


def _refuse_unknown_opset(path: Path, model: onnx.ModelProto) -> None:
    newest = onnx.defs.onnx_opset_version()
    if not any(opset.domain in ONNX_DOMAINS for opset in model.opset_import):
        raise DataError(f"{path} names no opset of ONNX; it may be truncated")
    for opset in model.opset_import:
        if opset.domain in ONNX_DOMAINS and not OLDEST_OPSET <= opset.version <= newest:
            raise DataError(f"{path} is of opset {opset.version}, but only {OLDEST_OPSET} to {newest} are known")


def _refuse_graphs_inside(path: Path, model: onnx.ModelProto) -> None:
    """Functions and loops hold graphs of their own; what is left after this has its numbers where `_external` looks."""
    if model.functions:
        raise DataError(f"{path} holds functions of its own ({model.functions[0].name!r}); export it with them inlined")
    for node in model.graph.node:
        texts = node.name, node.op_type, node.domain, *node.input, *node.output
        if any(isinstance(text, bytes) for text in texts):  # what protobuf gives where it is not UTF-8
            raise DataError(f"{path} is damaged: the name of a node is no text")
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise DataError(f"{path}: node {node.name!r} ({node.op_type}) is control flow, which is not supported")


def _external(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    of_nodes = [attribute.t for node in model.graph.node for attribute in node.attribute if attribute.HasField("t")]
    return [tensor for tensor in [*model.graph.initializer, *of_nodes] if uses_external_data(tensor)]


def _refuse_location(path: Path, tensor: onnx.TensorProto) -> None:
    """A plain file below the model's folder, on any system, and no link that leads out of it."""
    location = next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
    folder = path.parent.resolve()
    parts = {*PurePosixPath(location).parts, *PureWindowsPath(location).parts}
    leaves = not location or ".." in parts or PurePosixPath(location).is_absolute() or PureWindowsPath(location).anchor
    if leaves or not (folder / location).resolve().is_relative_to(folder):
        raise DataError(
            f"{path}: the numbers of {tensor.name!r} are in {location!r}, but only files in the model's folder are read"
        )
