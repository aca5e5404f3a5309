"""The way from an ONNX file to its Keras twin.

onnx_file -> onnx_chain -> onnx_nodes -> onnx_twin -> a Keras model of known layers
              (constants)   (quantizers)
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from qap.errors import DataError
from qap.importing.onnx_chain import chain_of
from qap.importing.onnx_file import load_onnx
from qap.importing.onnx_nodes import OF_CODES, READERS
from qap.importing.onnx_twin import Twin


def read_onnx(path: Path) -> keras.Model:
    """A Keras model that computes what an ONNX file of a dense network says (docs/onnx.md).

    Args:
        path: a QONNX or ONNX file.

    Returns:
        A model of one input (n_in,), in the order in which the file's own input lies in memory. Weights that are
        quantized are QDense layers, others Dense layers with all that is affine beside them folded in.

    Raises:
        DataError: the file is damaged, or its graph is no chain of known nodes.
        NotExact: a quantizer of it has no form here.
    """
    try:
        chain = chain_of(load_onnx(path), READERS)
        twin = Twin(int(np.prod(chain.input_shape)))
        for step in chain.steps:
            if twin.codes is not None and step.op not in OF_CODES:
                raise DataError(f"node {step.name!r}: {step.op} of integers; only a DequantizeLinear may read them")
            READERS[step.op](twin, step)
        return twin.model()
    except DataError as error:
        said = str(error)
        raise (error if str(path) in said else DataError(f"{path}: {said}")) from error
