"""The engines of a run, made of its files and its recipe; `qap.run.engines` declares them."""

from __future__ import annotations

import operator
from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy.typing as npt

from qap.errors import QapError
from qap.extras import load_tensorflow
from qap.fixed import IntArray
from qap.flow.operating_point import at_operating_point
from qap.hardware.hls import CsimEngine
from qap.hardware.rtl import AxisEngine, RtlEngine
from qap.hardware.synthesis import NetlistEngine
from qap.network import IntegerNetwork
from qap.recipe import RtlRecipe
from qap.run import HLS, ONNX_MODEL, RTL, STUDENT, RunDirectory
from qap.run.engines import ENGINES
from qap.verification import EmulatorEngine, Engine


class Unavailable(NamedTuple):
    """An engine that cannot run for what the run is.

    Args:
        name: of the engine.
        why: what is in the way.
    """

    name: str
    why: str

    def available(self) -> str:
        """What is in the way."""
        return self.why

    def run(self, network: IntegerNetwork, x_int: npt.NDArray[Any]) -> IntArray:
        """Never called.

        Raises:
            QapError: always.
        """
        raise QapError(f"{self.name} cannot run: {self.why}")


def make_engine(run: RunDirectory, name: str) -> Engine:
    """An engine of a run.

    Args:
        run: a run that is frozen.
        name: out of `qap.run.engines.ENGINES`.

    Raises:
        DataError: a file that it reads is missing or damaged.
        ToolMissing: an extra is not installed.
    """
    module, _, maker = ENGINES[name].made_by.partition(":")
    return cast(Engine, operator.attrgetter(maker)(import_module(module))(run))


def keras(run: RunDirectory) -> Engine:
    """The engine of the saved student."""
    load_tensorflow()
    from qap.freezing import KerasEngine
    from qap.training.networks import load_model

    frozen = run.stage("freeze")
    return at_operating_point(KerasEngine(load_model(run.file(STUDENT))), frozen.result if frozen else None)


def onnx(run: RunDirectory) -> Engine:
    """The engine of the ONNX graph that was imported."""
    load_tensorflow()
    from qap.importing.onnx_engine import OnnxEngine

    imported = run.stage("student")
    if imported and "same_class" in imported.result:
        return Unavailable("onnx", "the float layers of the graph were quantized, so the network is another model")
    if run.recipe.model is not None and run.recipe.model.output_bits is not None:
        return Unavailable("onnx", "output_bits quantized the logits of the graph, so the network is another model")
    return OnnxEngine(run.file(ONNX_MODEL))


def emulator(run: RunDirectory) -> Engine:
    """The engine of the network itself."""
    return EmulatorEngine()


def csim(run: RunDirectory) -> Engine:
    """The engine of the HLS project."""
    return CsimEngine(run.file(HLS))


def rtl(run: RunDirectory) -> Engine:
    """The engine of the generated Verilog."""
    return RtlEngine.load(run.file(RTL))


def axis(run: RunDirectory) -> Engine:
    """The engine of the AXI4-Stream top of the generated Verilog."""
    return AxisEngine.load(run.file(RTL))


def netlist(run: RunDirectory) -> Engine:
    """The engine of the netlist for the recipe's target."""
    return NetlistEngine.load(run.file(RTL), target=(run.recipe.rtl or RtlRecipe()).target)
