"""Open RTL: Verilog of a circuit with a stream top and a test bench, and the engine that simulates it."""

from qap.hardware.rtl.engine import RtlEngine
from qap.hardware.rtl.project import RtlProject, load_project, write_rtl

__all__ = ["RtlEngine", "RtlProject", "load_project", "write_rtl"]
