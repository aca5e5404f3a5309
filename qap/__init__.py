"""qap: quantization-aware pruning, from a float teacher to a verified FPGA classifier.

    import qap

    recipe = qap.load_recipe("mnist-1v9")
    run = qap.RunDirectory.create("runs/mine", recipe)
    qap.run_flow(run)
    network = qap.load_network(run.file("network.npz"))

The names of `__all__` are what the package promises. They are imported when they are first used: `import qap`
loads neither TensorFlow nor hls4ml.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    "qap.errors": ["NotExact", "QapError"],
    "qap.fixed": ["FixedPoint"],
    "qap.recipe": ["Recipe", "load_recipe"],
    "qap.data": ["Dataset", "load"],
    "qap.run": ["RunDirectory", "load_for"],
    "qap.training": ["train_student", "train_teacher"],
    "qap.network": [
        "IntegerLayer", "IntegerNetwork", "LayerSpec", "StepTable", "TableLayer", "ThresholdLayer", "connect",
        "load_network", "save_network", "simplify",
    ],
    "qap.freezing": ["KerasEngine", "freeze"],
    "qap.importing": ["import_model"],
    "qap.verification": ["EmulatorEngine", "adversarial_vectors", "agree", "verify"],
    "qap.hardware.hls": ["CsimEngine", "write_project"],
    "qap.hardware.rtl": ["RtlEngine", "RtlOptions", "write_rtl"],
    "qap.hardware.synthesis": ["NetlistEngine", "synthesize"],
    "qap.hardware.estimate": ["estimate"],
    "qap.report": ["write_report"],
    "qap.flow": ["run_flow"],
    "qap.explore.sweep": ["load_sweep", "run_sweep"],
    "qap.explore.comparison": ["compare"],
    "qap.classifier": ["QapClassifier"],
    "qap.explore.validation": ["cross_validate"],
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    """Import a public name from its room on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'qap' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
