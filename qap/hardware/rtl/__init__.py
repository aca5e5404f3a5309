"""Open RTL: Verilog of a circuit with a stream top and a test bench, and the engines that simulate it."""

from qap.hardware.rtl.axis_engine import AxisEngine, StreamTiming, measure_stream
from qap.hardware.rtl.engine import RtlEngine
from qap.hardware.rtl.generate import write_rtl
from qap.hardware.rtl.options import RtlOptions, rtl_options
from qap.hardware.rtl.project import RtlProject, load_project
from qap.hardware.rtl.simulate import missing_simulator

__all__ = [
    "AxisEngine",
    "RtlEngine",
    "RtlOptions",
    "RtlProject",
    "StreamTiming",
    "load_project",
    "measure_stream",
    "missing_simulator",
    "rtl_options",
    "write_rtl",
]
