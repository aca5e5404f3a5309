"""The circuit of a network: a graph of integer operations, pipelined and counted in cells."""

from qap.hardware.circuit.builder import Circuit
from qap.hardware.circuit.lowering import lower_network

__all__ = ["Circuit", "lower_network"]
