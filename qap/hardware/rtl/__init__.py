"""Open RTL: Verilog of a circuit with a stream top and a test bench, and the engine that simulates it."""

from qap.hardware.rtl.engine import RtlEngine
from qap.hardware.rtl.generate import write_rtl
from qap.hardware.rtl.options import RtlOptions, rtl_options
from qap.hardware.rtl.project import RtlProject, load_project

__all__ = ["RtlEngine", "RtlOptions", "RtlProject", "load_project", "rtl_options", "write_rtl"]
