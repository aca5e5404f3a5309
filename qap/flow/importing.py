"""The stages of an imported model: it is read instead of trained, and float layers are quantized."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.data import Dataset, Split
from qap.errors import DataError
from qap.extras import load_tensorflow
from qap.files import write_with
from qap.flow.kernels import save_kernels
from qap.judging import decisions, judged
from qap.network import IntegerNetwork, load_network
from qap.recipe import ModelRecipe
from qap.run import ONNX_MODEL, STUDENT, RunDirectory

CHUNK = 4096  # samples at once


def import_student(run: RunDirectory, model: ModelRecipe) -> Mapping[str, Any]:
    """Read the model, quantize what is float in it, and say what that cost."""
    data = run.dataset
    if model.is_network:
        import_network(run, model)
        return {}
    load_tensorflow()
    from qap.importing import Formats, quantize_floats, read_model
    from qap.training.networks import dense_layers, save_model

    source = read_model(*model.files)
    _refuse_other_width(model, int(np.prod(source.input_shape[1:])), int(source.output_shape[-1]), data)
    twin, cost = source, dict[str, Any]()
    of_source = of_twin = _answers(source, data)
    formats = Formats(model, run.recipe.quantize)
    if formats.are_needed(source):
        samples = data.real(data.train.x) if data.has_labels else None
        twin = quantize_floats(source, formats, samples)
        of_twin = _answers(twin, data)
        cost = {
            "float_accuracy": judged(of_source, data).get("accuracy"),
            "same_class": float((decisions(of_source(data.test)) == decisions(of_twin(data.test))).mean()),
        }
    if model.is_onnx:
        _save_graph(run, model.files[0])
    save_kernels(run, trained=twin)
    save_model(twin, run.file(STUDENT))
    units = [int(layer.kernel.shape[1]) for layer in dense_layers(twin)]
    return {**judged(of_twin, data), **cost, "units": units}


def _save_graph(run: RunDirectory, path: Path) -> None:
    """Keep the graph for its engine, with the numbers that lie beside it."""
    from qap.importing.onnx_file import load_onnx

    content = load_onnx(path).SerializeToString()
    write_with(run.file(ONNX_MODEL), lambda file: file.write_bytes(content))


def import_network(run: RunDirectory, model: ModelRecipe) -> IntegerNetwork:
    """The integer network that `model.file` already is.

    Raises:
        DataError: it does not fit to the data.
    """
    network, data = load_network(model.files[0]), run.dataset
    _refuse_other_width(model, network.n_in, network.n_out, data)
    if network.input_format != data.input_format:
        raise DataError(
            f"{model.file} reads inputs of {network.input_format}, but the data are of {data.input_format}; set "
            f"data.input_format={network.input_format}"
        )
    return network


def _refuse_other_width(model: ModelRecipe, inputs: int, outputs: int, data: Dataset) -> None:
    if inputs != data.n_in:
        raise DataError(f"{model.file} reads {inputs:,} inputs, but the samples of {data.name} have {data.n_in:,}")
    if data.has_labels and outputs != data.n_classes and (outputs, data.n_classes) != (1, 2):
        raise DataError(f"{model.file} has {outputs:,} outputs, but {data.name} has {data.n_classes:,} classes")


def _answers(model: Any, data: Dataset) -> Callable[[Split], npt.NDArray[Any]]:
    """What a Keras model answers to a part of the data, computed once for each part."""
    return cache(lambda split: _logits(model, data, split))


def _logits(model: Any, data: Dataset, split: Split) -> npt.NDArray[Any]:
    """The outputs (n, n_out) of a Keras model; a single one decides for the second class above 0."""
    shape, parts = model.input_shape[1:], []
    for start in range(0, len(split), CHUNK):
        x = data.real(split.x[start : start + CHUNK]).reshape(-1, *shape)
        parts.append(np.asarray(model(x, training=False)))
    answers = np.concatenate(parts)
    return answers if answers.shape[1] > 1 else answers - answers.dtype.type(_middle(model))


def _middle(model: Any) -> float:
    """Above which number a single output decides for the second class."""
    function = getattr(getattr(model.layers[-1], "activation", None), "__name__", "")
    return 0.5 if "sigmoid" in function else 0.0
