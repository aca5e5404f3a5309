"""Importing: models that were trained elsewhere, read as data and built anew as Keras models that freezing takes.

source -> keras_files -> keras_config -> keras_layers -> a Keras model of known layers
              weights                (quantizers, old_layers)                  |
                                      its float layers: float_chain -> post_training

Nothing of a file is executed or unpickled: a configuration names classes of a table, weights are arrays.
"""

from qap.extras import load_tensorflow

load_tensorflow()
from qap.importing.float_chain import is_float  # noqa: E402
from qap.importing.post_training import Formats, quantize_floats  # noqa: E402
from qap.importing.source import import_model, kind_of_model, read_model  # noqa: E402

__all__ = ["Formats", "import_model", "is_float", "kind_of_model", "quantize_floats", "read_model"]
