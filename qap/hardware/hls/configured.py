"""An hls4ml project as a user's own configuration makes it: nothing is proven and nothing corrected."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qap.errors import DataError, ToolFailed, one_line
from qap.extras import extra, silence_tensorflow
from qap.quiet import quiet_stderr

BACKENDS = ("Vivado", "Vitis")
WRITTEN = {"Namespace": None, "WriteWeightsTxt": True, "WriteTar": False, "TBOutputStream": "both"}
NOT_HLS4MLS = (
    "KerasJson",
    "KerasH5",
    "KerasModel",
    "OnnxModel",
    "PytorchModel",
    "Stamp",
    "InputShapes",
    "OutputShapes",
)


def read_configuration(path: Path) -> dict[str, Any]:
    """An hls4ml configuration as data; no Python object in it is made.

    Raises:
        DataError: it is not YAML, or has no `HLSConfig`.
    """
    with extra("hls"):
        import yaml
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except yaml.YAMLError as error:
        raise DataError(f"{path} is not plain YAML: {one_line(error, 200)}") from error
    if not isinstance(content, dict) or not isinstance(content.get("HLSConfig"), dict):
        raise DataError(f"{path} has no HLSConfig, so it is not a configuration of hls4ml")
    return content


def write_configured(
    configuration: Mapping[str, Any], layers: Sequence[Mapping[str, Any]], folder: Path, name: str
) -> None:
    """Write the project of a configuration.

    Args:
        configuration: of `read_configuration`.
        layers: of hls4ml's kind, with their weights.
        folder: of the project; it is made.
        name: of the file that the configuration came from, for errors.

    Raises:
        DataError: the configuration asks for another backend than Vivado or Vitis.
        ToolFailed: hls4ml refuses it.
        ToolMissing: hls4ml is not installed.
    """
    backend = str(configuration.get("Backend", "Vivado"))
    if backend not in BACKENDS:
        raise DataError(f"{name}: Backend is {backend!r}, but only {' and '.join(BACKENDS)} can be diagnosed")
    silence_tensorflow()
    with extra("hls"):
        import hls4ml
    config = {key: value for key, value in configuration.items() if key not in NOT_HLS4MLS}
    config |= {"Backend": backend, "ProjectName": "myproject", "OutputDir": str(folder), "WriterConfig": dict(WRITTEN)}
    config["HLSConfig"] = {"Model": {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1}, **config["HLSConfig"]}
    config.setdefault("Part", "xcvu13p-flga2577-2-e")
    config.setdefault("ClockPeriod", 5)
    config.setdefault("IOType", "io_parallel")
    try:
        with contextlib.redirect_stdout(io.StringIO()), quiet_stderr():
            hls4ml.model.ModelGraph.from_layer_list(config, [dict(layer) for layer in layers]).write()
    except Exception as error:  # hls4ml raises whatever its parts raise
        raise ToolFailed(f"hls4ml cannot make a project of {name}: {one_line(error, 300)}") from error
