"""`qap estimate` and `qap stats`: what a network will take and do, before any synthesis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qap.cli.options import Json
from qap.errors import DataError, QapError

if TYPE_CHECKING:
    from qap.network import IntegerNetwork
    from qap.recipe import TargetRecipe

Network = Annotated[str, typer.Argument(metavar="RUN|network.npz|model.keras", help="A run, a network, or a model.")]
InputFormat = Annotated[str, typer.Option(help="Format of the inputs of a model.keras.")]


def estimate(
    source: Network,
    part: Annotated[str | None, typer.Option(help="The part; the run's, if not given.")] = None,
    clock_ns: Annotated[float | None, typer.Option(help="The clock period, 5 if not given.")] = None,
    strategy: Annotated[
        Literal["latency", "resource", "distributed_arithmetic"] | None, typer.Option(help="Strategy of all layers.")
    ] = None,
    reuse_factor: Annotated[int | None, typer.Option(help="Multiplications that share a multiplier.")] = None,
    backend: Annotated[Literal["Vitis", "Vivado"] | None, typer.Option(help="HLS tool of the project.")] = None,
    estimator: Annotated[str, typer.Option(help="hls4ml, rtl, ebops or counts.")] = "hls4ml",
    input_format: InputFormat = "ap_ufixed<8,0>",
    as_json: Json = False,
) -> None:
    """Estimate what the HLS project of a network takes, with the interval in which 80 % of measured designs fell."""
    from qap.cli.console import print_json
    from qap.cli.estimate_tables import print_estimate
    from qap.hardware.estimate import ESTIMATORS

    if estimator not in ESTIMATORS:
        raise QapError(f"no estimator {estimator!r}; there are: {', '.join(ESTIMATORS)}")
    network, target = _load(source, input_format)
    asked = {"part": part, "clock_ns": clock_ns, "strategy": strategy, "reuse_factor": reuse_factor, "backend": backend}
    target = _changed(target, {key: value for key, value in asked.items() if value is not None})
    found = ESTIMATORS[estimator](network, target)
    if as_json:
        print_json({"target": target.model_dump(), **found.to_dict()})
    else:
        print_estimate(found, target)


def stats(source: Network, input_format: InputFormat = "ap_ufixed<8,0>", as_json: Json = False) -> None:
    """Count operations, bits and energy of each layer, as QKeras' print_qstats and QTools do."""
    from dataclasses import asdict

    from qap.cli.console import print_json
    from qap.cli.estimate_tables import print_stats
    from qap.hardware.estimate.stats import network_stats

    found = network_stats(_load(source, input_format)[0])
    if as_json:
        print_json({"layers": [asdict(layer) for layer in found]})
    else:
        print_stats(found)


def _changed(target: TargetRecipe, changes: dict[str, object]) -> TargetRecipe:
    """The target with what the options say, checked as a recipe's.

    Raises:
        RecipeError: a value is not possible, or there is no such part.
    """
    from qap.recipe import parse_target

    return parse_target({**target.model_dump(), **changes}, "target")


def _load(source: str, input_format: str) -> tuple[IntegerNetwork, TargetRecipe]:
    """The network of a run, of a file, or of a model, and the target of the run.

    Raises:
        DataError: there is none.
    """
    from qap.network import load_network
    from qap.recipe import TargetRecipe
    from qap.run import NETWORK, RunDirectory

    path = Path(source)
    if path.is_dir():
        run = RunDirectory.open(source)
        if not run.file(NETWORK).exists():
            raise DataError(f"{source} has no {NETWORK} yet, which qap run and qap freeze make")
        return load_network(run.file(NETWORK)), run.recipe.target
    if path.suffix == ".npz":
        return load_network(path), TargetRecipe()
    if path.suffix in (".keras", ".h5"):
        return _frozen(path, input_format), TargetRecipe()
    raise DataError(f"{source} is neither a run's folder, nor a network (.npz), nor a model (.keras)")


def _frozen(path: Path, input_format: str) -> IntegerNetwork:
    from qap.fixed import FixedPoint
    from qap.freezing import freeze
    from qap.training.networks import load_model

    return freeze(load_model(path), FixedPoint.parse(input_format))
