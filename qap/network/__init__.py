"""The exact integer network: what `freeze` makes, and what everything after it reads."""

from qap.network.layer import IntegerLayer, LayerSpec, StepTable
from qap.network.network import IntegerNetwork, Layer, Spec, connect
from qap.network.simplify import simplify
from qap.network.storage import load_network, save_network
from qap.network.table_layer import TableLayer
from qap.network.threshold_layer import ThresholdLayer

__all__ = [
    "IntegerLayer",
    "IntegerNetwork",
    "Layer",
    "LayerSpec",
    "Spec",
    "StepTable",
    "TableLayer",
    "ThresholdLayer",
    "connect",
    "load_network",
    "save_network",
    "simplify",
]
