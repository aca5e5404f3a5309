"""qap's own layers of hls4ml, made known to it."""

from __future__ import annotations

from functools import cache
from importlib import resources

import hls4ml

from qap.hardware.hls import bits, steps

LAYERS = ((steps, steps.QapSteps), (bits, bits.QapBits))


@cache
def register(backend: str) -> None:
    """Make the layers known to hls4ml, once for each backend."""
    known = hls4ml.backends.get_backend(backend)
    for module, layer in LAYERS:
        if module.CLASS_NAME not in hls4ml.model.layers.layer_map:
            hls4ml.model.layers.register_layer(module.CLASS_NAME, layer)
        known.register_template(module.ConfigTemplate)
        known.register_template(module.CallTemplate)
        with resources.as_file(resources.files("qap.hardware.hls") / "templates" / module.HEADER) as path:
            known.register_source(path)
