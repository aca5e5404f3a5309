"""The exact integer network: what `freeze` makes, and what everything after it reads."""

from qap.network.layer import IntegerLayer, LayerSpec, StepTable
from qap.network.network import IntegerNetwork, connect
from qap.network.simplify import simplify
from qap.network.storage import load_network, save_network

__all__ = [
    "IntegerLayer",
    "IntegerNetwork",
    "LayerSpec",
    "StepTable",
    "connect",
    "load_network",
    "save_network",
    "simplify",
]
