"""`qap import`: a run of a model that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qap.cli.options import DataDir, Force, Json, Out, Seed, default_folder
from qap.errors import RecipeError

if TYPE_CHECKING:
    from qap.network import IntegerNetwork
    from qap.recipe import Recipe
    from qap.run import RunDirectory, StageRecord

PRECISION = "write --precision ap_fixed<16,6>, 16,6 for the same, or 8 for 8 bits whose ranges --data chooses"


def import_model(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A .keras, .h5, .json, .onnx or .npz file.")],
    weights: Annotated[Path | None, typer.Option("--weights", metavar="W.h5", help="The weights of a JSON.")] = None,
    data: Annotated[
        str | None, typer.Option("--data", metavar="SOURCE", help="A data set, as qap datasets lists them.")
    ] = None,
    input_format: Annotated[
        str | None, typer.Option(metavar="F", help="The format of an input, as ap_ufixed<8,0>.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Of the run; the name of the file if not given.")] = None,
    out: Out = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="P", help="Of float layers: ap_fixed<16,6>, 16,6 or 8 (bits whose ranges the data choose)."
        ),
    ] = None,
    output_bits: Annotated[
        int | None, typer.Option(min=2, max=32, help="Quantize float logits to so many bits; a change that is named.")
    ] = None,
    seed: Seed = None,
    data_dir: DataDir = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Import a trained model: read it, freeze it, and say what it is; every other command takes the run it makes."""
    from qap.cli.console import print_json, print_line, progress_bars
    from qap.files import user_path
    from qap.flow import run_flow
    from qap.network import load_network
    from qap.run import NETWORK, RunDirectory

    source = user_path(model)
    content: dict[str, Any] = {"file": str(source), **_precision(precision), "output_bits": output_bits}
    content["weights"] = str(user_path(weights)) if weights else None
    recipe = _recipe(content, name or source.stem, data, input_format, seed or 0)
    run = RunDirectory.create(out or default_folder(recipe, plain=True), recipe, data_dir, force=force)
    with progress_bars() as progress:
        records = run_flow(run, ["data", "student", "freeze"], force=force, progress=progress)
    network = load_network(run.file(NETWORK))
    if as_json:
        layers = [
            {"name": row["layer"], "inputs": row["inputs"], "neurons": row["outputs"]}
            | {key: row[key] for key in ("weight", "bias", "accumulator", "result")}
            for row in (layer.row() for layer in network.layers)
        ]
        found = {stage: dict(record.result) for stage, record in records.items()}
        print_json({"run": str(run.path), "input": str(network.input_format), "layers": layers, **found})
        return
    for line in (*_layers(network), *_said(run, records)):
        print_line(line)
    print_line(f"{run.path}: qap verify, hls, rtl, estimate and the others take it; qap run does all of it")


def _recipe(content: dict[str, Any], name: str, data: str | None, input_format: str | None, seed: int) -> Recipe:
    """The recipe of an import; without data it has random vectors as wide as the model's input."""
    from qap.recipe import ModelRecipe, parse_recipe
    from qap.recipe.reading import checked

    content = {key: value for key, value in content.items() if value is not None}
    model = checked(ModelRecipe, content, "qap import")
    part: dict[str, Any] = {"name": data or ""}
    if model.is_network:
        from qap.network import load_network

        network = load_network(model.files[0])
        part["input_format"] = input_format or str(network.input_format)
        part["name"] = data or f"random:{network.n_in}"
    else:
        if input_format is not None:
            part["input_format"] = input_format
        if data is None:
            part["name"] = f"random:{_inputs(model)}"
    return parse_recipe({"name": name, "seed": seed, "data": part, "model": content}, "qap import")


def _inputs(model: Any) -> int:
    """The numbers that a model reads."""
    from math import prod

    from qap.extras import load_tensorflow

    load_tensorflow()
    from qap.importing import read_model

    return prod(read_model(*model.files).input_shape[1:])


def _precision(text: str | None) -> dict[str, Any]:
    """What `--precision` says, as keys of the recipe."""
    if text is None:
        return {}
    width, comma, integer = (part.strip() for part in text.partition(","))
    if "<" in text:
        return {"precision": text}
    if not width.isdecimal() or (comma and not integer.lstrip("-").isdecimal()):
        raise RecipeError(f"--precision {text!r} is not a format; {PRECISION}")
    return {"precision": f"ap_fixed<{width},{integer}>"} if comma else {"bits": int(width)}


def _layers(network: IntegerNetwork) -> Iterator[str]:
    """What was found, a line for the inputs and one for each layer."""
    from qap.network import IntegerLayer, StepTable

    yield f"{network.n_in:,} inputs of {network.input_format}"
    for each in network.layers:
        if not isinstance(each, IntegerLayer):
            yield f"{each.name}: {each.n_in}-{each.n_out}, {each.kind} -> {each.result_format}"
            continue
        kind = f"{each.activation.values.size} steps" if isinstance(each.activation, StepTable) else each.activation
        yield (
            f"{each.name}: {each.n_in}-{each.n_out}, weights {each.weight_format}, biases {each.bias_format}, "
            f"accumulator {each.accum_format}, {kind} -> {each.result_format}"
        )


def _said(run: RunDirectory, records: dict[str, StageRecord]) -> Iterator[str]:
    """Accuracy, and what quantization cost, a line each."""
    student, frozen, data = records["student"].result, records["freeze"].result, run.dataset
    if cost := student.get("float_accuracy"):
        yield (f"accuracy of the float model: {cost['test']:.2%} of {len(data.test):,} test samples")
    if accuracy := frozen.get("accuracy"):
        yield (f"accuracy of the integer network: {accuracy['test']:.2%} of {len(data.test):,} test samples")
    if "same_class" in student:
        yield (f"float layers were quantized: {student['same_class']:.2%} of the test vectors keep their class")
        yield from _proposed(run, student["same_class"])
    for note in frozen.get("notes", ()):
        yield f"note: {note}"
    if not data.has_labels:
        yield (
            f"no labels, so no accuracy: verification takes random and adversarial vectors of {data.input_format}; "
            "--data brings samples, --input-format another grid"
        )


def _proposed(run: RunDirectory, same_class: float) -> Iterator[str]:
    """Modes of a format that lost something, as a format to try."""
    from qap.fixed import Overflow, Rounding

    form = run.recipe.model.precision if run.recipe.model else None
    if form is not None and form.overflow is Overflow.WRAP and same_class < 1:
        saturating = form.with_modes(Rounding.RND, Overflow.SAT)
        yield f"note: {form} wraps around, as types of hls4ml do by default; --precision '{saturating}' saturates"
