"""Synthesis without a vendor's tool: Yosys, place and route with nextpnr, and the engine that runs the netlist."""

from qap.hardware.synthesis.netlist import NetlistEngine
from qap.hardware.synthesis.nextpnr import place_and_route
from qap.hardware.synthesis.yosys import synthesize

__all__ = ["NetlistEngine", "place_and_route", "synthesize"]
