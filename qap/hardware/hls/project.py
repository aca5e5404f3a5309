"""The hls4ml project: an integer network as C++ for Vitis HLS or Vivado HLS, every precision explicit.

Nothing is left to defaults: the input, each weight, bias, accumulator and result get the format that
the integer network proves. Weights are compiled from the headers that are synthesized, not from text
files beside them, and the test bench fails on the first bit that differs from the golden integers.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact, RecipeError, ToolFailed
from qap.extras import extra, silence_tensorflow
from qap.fixed import FixedPoint
from qap.hardware.devices import find_part
from qap.hardware.hls.description import DESCRIPTION, HlsProject, of_network
from qap.hardware.hls.headers import remove_unused_headers
from qap.hardware.hls.names import layer_names, project_name
from qap.network import IntegerLayer, IntegerNetwork, Layer, StepTable, ThresholdLayer
from qap.products import made_folder
from qap.quiet import quiet_stderr
from qap.recipe import TargetRecipe
from qap.templates import fill

README = "README.md"
MAX_WIDTH = 53  # the test bench and the C simulation exchange numbers as double
TEST_VECTORS = 100
"""Samples in a self-checking test bench, of HLS as of RTL."""


def write_project(
    network: IntegerNetwork,
    folder: str | Path,
    *,
    name: str,
    target: TargetRecipe,
    x_int: npt.NDArray[Any],
) -> HlsProject:
    """Write the HLS project of a network, whole or not at all.

    Args:
        network: the network.
        folder: where; an older project there is replaced.
        name: any text; the project is called `qap_` and its first letters, digits and underscores.
        target: tool, part, clock and parallelism.
        x_int: (n, n_in) inputs of the test bench in LSBs; the first 100 are used.

    Raises:
        NotExact: a number is too wide for the exchange with the test bench.
        RecipeError: the strategy cannot be built with this reuse factor.
        ToolMissing: hls4ml is not installed.
    """
    folder = Path(folder)
    _refuse_wide(network)
    name = project_name(name)
    with made_folder(folder) as temporary, _quiet(), quiet_stderr():
        model = _model(network, temporary, name, target)
        model.write()
        project = _description(network, folder, name, target, model)
        _make_reproducible(temporary, model, network)
        for header in sorted((temporary / "firmware" / "weights").glob("*.h")):
            header.write_text(_quick_to_compile(header.read_text(encoding="utf-8")), encoding="utf-8")
        _write_test_bench(network, temporary, project, x_int[:TEST_VECTORS])
        remove_unused_headers(temporary)
        (temporary / README).write_text(readme(network, project), encoding="utf-8")
        (temporary / DESCRIPTION).write_text(project.to_json(), encoding="utf-8")
    return project


def hls_accumulator(layer: IntegerLayer) -> FixedPoint:
    """The accumulator's format; wider than proven only where the result's LSB lies above all of its bits.

    The open `ap_fixed` headers read the bit that decides the rounding from the source, and stop when it has none there.
    """
    form = layer.accum_format
    extra = max(0, form.fractional - layer.result_format.fractional - form.width)
    return replace(form, width=form.width + extra, integer=form.integer + extra)


def _refuse_wide(network: IntegerNetwork) -> None:
    for layer in network.layers:
        for what, form in _formats(layer):
            if form.width > MAX_WIDTH:
                raise NotExact(layer.name, f"its {what} has {form.width} bits, the C simulation takes {MAX_WIDTH}")


def _formats(layer: Layer) -> list[tuple[str, FixedPoint]]:
    """The formats of the numbers of a layer that go through a double."""
    if isinstance(layer, IntegerLayer):
        forms = (layer.weight_format, layer.bias_format, layer.accum_format, layer.result_format)
        return list(zip(("weight", "bias", "accum", "result"), forms, strict=True))
    if isinstance(layer, ThresholdLayer):
        return [("threshold", layer.threshold_format(0))]
    return []


def _model(network: IntegerNetwork, folder: Path, name: str, target: TargetRecipe) -> Any:
    """The hls4ml graph of a network."""
    hls4ml = _import_hls4ml(target.backend)
    if target.strategy == "distributed_arithmetic" and target.reuse_factor != 1:
        raise RecipeError(
            f"target.reuse_factor={target.reuse_factor}: the distributed_arithmetic strategy is fully parallel, "
            "only reuse_factor=1 is possible"
        )
    layers: list[dict[str, Any]] = [
        {"class_name": "InputLayer", "name": "x", "input_shape": [network.n_in], "data_format": "channels_last"}
    ]
    settings: dict[str, Any] = {"x": {"Precision": {"result": str(network.input_format)}}}
    fractional = network.input_format.fractional
    for layer, cpp_name in zip(network.layers, layer_names(network), strict=True):
        for node, attributes, own in _nodes(layer, cpp_name, target, fractional):
            layers.append({"name": node, "inputs": [layers[-1]["name"]], **attributes})
            settings[node] = own
        fractional = layer.result_format.fractional
    config = hls4ml.backends.get_backend(target.backend).create_initial_config(
        part=target.part, clock_period=target.clock_ns, write_weights_txt=False
    )
    defaults = {"Precision": "ap_fixed<16,6>", "ReuseFactor": 1, "Strategy": "latency"}
    config |= {"Backend": target.backend, "ProjectName": name, "OutputDir": str(folder)}
    config["HLSConfig"] = {"Model": defaults, "LayerName": settings}
    model = hls4ml.model.ModelGraph.from_layer_list(config, layers)
    model.config.trace_output = True
    return model


_Node = tuple[str, dict[str, Any], dict[str, Any]]
"""Name, attributes and configuration of a layer of hls4ml."""


def _nodes(layer: Layer, name: str, target: TargetRecipe, input_fractional: int) -> Iterator[_Node]:
    """What hls4ml is given for a layer."""
    if isinstance(layer, IntegerLayer):
        yield from _weight_nodes(layer, name, target)
    else:
        from qap.hardware.hls import bits

        settings = {"Precision": {"result": str(layer.result_format)}, "Strategy": "latency", "Trace": True}
        yield name, bits.attributes(layer, input_fractional), settings


def _weight_nodes(layer: IntegerLayer, name: str, target: TargetRecipe) -> Iterator[_Node]:
    """The products and sums, and the activation if there is one."""
    acts, accumulator = layer.activation != "linear", str(hls_accumulator(layer))
    precision = {
        "weight": str(layer.weight_format),
        "bias": str(layer.bias_format),
        "accum": accumulator,
        "result": accumulator if acts else str(layer.result_format),
    }
    settings = {"Strategy": target.strategy, "ReuseFactor": target.reuse_factor, "Trace": not acts}
    yield name, _dense(layer), {"Precision": precision, **settings}
    if acts:
        precision = {"result": str(layer.result_format)}
        yield f"{name}_act", _activation(layer), {"Precision": precision, "Strategy": "latency", "Trace": True}


def _dense(layer: IntegerLayer) -> dict[str, Any]:
    return {
        "class_name": "Dense",
        "n_in": layer.n_in,
        "n_out": layer.n_out,
        "weight_data": layer.weight_format.to_float(layer.weight),
        "bias_data": layer.bias_format.to_float(layer.bias),
        "use_bias": True,
    }


def _activation(layer: IntegerLayer) -> dict[str, Any]:
    if isinstance(layer.activation, StepTable):
        from qap.hardware.hls import steps

        return steps.attributes(layer)
    return {"class_name": "Activation", "activation": layer.activation, "n_in": layer.n_out}


def _import_hls4ml(backend: str) -> Any:
    silence_tensorflow()
    with extra("hls"):
        import hls4ml

        from qap.hardware.hls import extension
    extension.register(backend)
    return hls4ml


def _description(network: IntegerNetwork, folder: Path, name: str, target: TargetRecipe, model: Any) -> HlsProject:
    names = layer_names(network)
    acts = ["_act" if isinstance(each, IntegerLayer) and each.activation != "linear" else "" for each in network.layers]
    factors = {layer.name: int(layer.get_attr("reuse_factor", 1)) for layer in model.get_layers()}
    return HlsProject(
        folder=folder,
        name=name,
        network_digest=network.digest,
        traces=tuple(f"{cpp_name}{act}" for cpp_name, act in zip(names, acts, strict=True)),
        reuse_factors=tuple(factors[cpp_name] for cpp_name in names),
        target=target,
        **of_network(network),
    )


def _make_reproducible(folder: Path, model: Any, network: IntegerNetwork) -> None:
    """Take the random stamp and the temporary folder out of the files."""
    stamp = model.config.config["Stamp"]
    for path in (folder / "build_lib.sh", folder / "hls4ml_config.yml"):
        text = path.read_text(encoding="utf-8").replace(str(folder), ".")
        text = text.replace(f"'{stamp}'", stamp)  # YAML quotes a stamp that is a number
        path.write_text(text.replace(stamp, network.digest[:8]), encoding="utf-8")


_ARRAY = re.compile(r"^(?P<type>\w+) (?P<name>\w+)\[(?P<size>\d+)\] = \{(?P<values>[^}]*)\};$", re.MULTILINE)
_QUICK_ARRAY = """\
#define {macro} {values}
#ifdef __SYNTHESIS__
{type} {name}[{size}] = {{{macro}}};
#else
{type} {name}[{size}];
static const double {name}_values[{size}] = {{{macro}}};
static const bool {name}_loaded = []() {{
    for (unsigned i = 0; i < {size}; i++)
        {name}[i] = {name}_values[i];
    return true;
}}();
#endif"""


def _quick_to_compile(header: str) -> str:
    """A weight header whose numbers the C simulation converts when it starts.

    g++ needs about 10 ms for each `ap_fixed` constant, minutes for a layer. Synthesis and simulation still read
    the same list, so that a wrong number in it is seen by both.
    """
    changed, count = _ARRAY.subn(
        lambda match: _QUICK_ARRAY.format(macro=f"{match['name'].upper()}_VALUES", **match.groupdict()), header
    )
    if count != 1:
        raise ToolFailed(f"hls4ml wrote a weight header that qap does not know: {header.splitlines()[0]!r}")
    return changed


def _write_test_bench(network: IntegerNetwork, folder: Path, project: HlsProject, x_int: npt.NDArray[Any]) -> None:
    rows = np.ascontiguousarray(x_int)
    for name, values in (("inputs", rows), ("golden", network.forward(rows))):
        lines = (" ".join(map(str, row)) for row in values.tolist())
        (folder / "tb_data" / f"{name}.dat").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / f"{project.name}_test.cpp").write_text(
        render("testbench.cpp.j2", project, samples=len(rows)), encoding="utf-8"
    )
    (folder / "csim.sh").write_text(render("csim.sh.j2", project), encoding="utf-8")


def readme(network: IntegerNetwork, project: HlsProject, origin: str = "") -> str:
    """The page of a project, in Markdown: what it computes, what its files are, how to run them.

    Args:
        network: what it computes.
        project: its description.
        origin: a paragraph on where it comes from.
    """
    unknown = find_part(project.target.part).unknown_share
    return render("readme.md.j2", project, network=network, origin=origin, unknown_share=unknown)


def render(template: str, project: HlsProject, **more: Any) -> str:
    """A text from one of the templates of this package.

    Args:
        template: the file name.
        project: fills it.
        more: what else it names.
    """
    return fill(
        "qap.hardware.hls",
        template,
        of_extra="hls",
        project=project,
        name=project.name,
        n_in=project.n_in,
        n_out=project.widths[-1],
        input_fractional=FixedPoint.parse(project.formats[0]).fractional,
        output_fractional=FixedPoint.parse(project.formats[-1]).fractional,
        traces=list(zip(project.traces, project.widths, strict=True)),
        **more,
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """hls4ml prints its progress; what matters of it stands in `HlsProject`."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
