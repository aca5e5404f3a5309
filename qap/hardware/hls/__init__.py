"""HLS projects through hls4ml, for Vitis and Vivado, and the engine that runs their C simulation."""

from qap.hardware.hls.csim import CsimEngine
from qap.hardware.hls.description import HlsProject, read_project
from qap.hardware.hls.project import write_project

__all__ = ["CsimEngine", "HlsProject", "read_project", "write_project"]
