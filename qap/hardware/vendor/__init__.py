"""Reports of Vivado HLS, Vitis HLS and Vivado, read into the same `ResourceReport` as every other tool's."""

from __future__ import annotations

from qap.hardware.vendor.reports import read_report, read_reports

__all__ = ["read_report", "read_reports"]
