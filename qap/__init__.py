"""qap: quantization-aware pruning, from a float teacher to a verified FPGA classifier.

    import qap

    recipe = qap.load_recipe("mnist-1v9")
    run = qap.RunDirectory.create("runs/mine", recipe)
    qap.run_flow(run)
    network = qap.load_network(run.file("network.npz"))

Names are imported when they are first used: `import qap` loads neither TensorFlow nor hls4ml.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "FixedPoint": "qap.fixed",
    "Rounding": "qap.fixed",
    "Overflow": "qap.fixed",
    "QapError": "qap.errors",
    "NotExact": "qap.errors",
    "Recipe": "qap.recipe",
    "load_recipe": "qap.recipe",
    "builtin_recipes": "qap.recipe",
    "load": "qap.data",
    "IntegerNetwork": "qap.network",
    "IntegerLayer": "qap.network",
    "LayerSpec": "qap.network",
    "StepTable": "qap.network",
    "connect": "qap.network",
    "load_network": "qap.network",
    "save_network": "qap.network",
    "simplify": "qap.network",
    "train_teacher": "qap.training",
    "train_student": "qap.training",
    "freeze": "qap.freezing",
    "KerasEngine": "qap.freezing",
    "EmulatorEngine": "qap.verification",
    "CsimEngine": "qap.hardware.hls",
    "write_project": "qap.hardware.hls",
    "verify": "qap.verification",
    "agree": "qap.verification",
    "adversarial_vectors": "qap.verification",
    "RunDirectory": "qap.run",
    "run_flow": "qap.flow",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name from its module on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'qap' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
