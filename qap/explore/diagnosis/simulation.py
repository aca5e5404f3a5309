"""The C simulation of a project, compiled in a private folder and run there on samples, with a trace of every layer.

Nothing of the user's folder is written or run in place. `simulate` compiles his own files as they are, but for a line
behind every call that records what it gave; `simulate_variants` compiles several versions of them in one translation
unit, which reads hls4ml's headers once.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qap.errors import DataError, ToolFailed
from qap.explore.diagnosis.source import TRACE, HlsSource
from qap.hardware.tools import compiler, run_tool
from qap.templates import fill

FLAGS = ("-O1", "-std=c++17", "-w", "-pthread", '-DWEIGHTS_DIR="firmware/weights"')
SEARCHED = ("-I.", "-Ifirmware", "-Ifirmware/ap_types")
BUILD_TIMEOUT_S, RUN_TIMEOUT_S = 900.0, 900.0
FloatArray = npt.NDArray[np.float64]
INCLUDE = re.compile(r"^[ \t]*#include\s+[<\"]([^>\"]+)[>\"].*$", re.M)
_TRACED = re.compile(rf"^[ \t]*nnet::{TRACE}<[^;]*;[ \t]*$", re.M)


class VariantText(NamedTuple):
    """The C++ of one version: its text, and the namespace that it stands in, as in `v3::`."""

    text: str
    scope: str


class SharedArray(NamedTuple):
    """Numbers that all versions read."""

    name: str
    numbers: str


def widths(source: HlsSource) -> list[int]:
    """How many numbers each call of a project gives.

    Raises:
        DataError: the project does not say it.
    """
    sizes = {source.inputs.name: source.inputs.size or _first_size(source)}
    found = []
    for call in source.calls:
        size = source.constant(call, "n_out") if call.function.startswith("dense") else sizes.get(call.arguments[0])
        if not size:
            raise DataError(f"{source.firmware}: the layer {call.name!r} does not say how many numbers it gives")
        sizes[call.arguments[1]] = size
        found.append(size)
    return found


def n_in(source: HlsSource) -> int:
    """How many numbers the project reads."""
    return source.inputs.size or _first_size(source)


def simulate(source: HlsSource, x: FloatArray) -> list[FloatArray]:
    """What every call of the project gives for samples.

    Args:
        source: the project.
        x: (n, n_in) real inputs.

    Returns:
        (n, width) for each call.

    Raises:
        ToolFailed: g++ does not build it, or the program fails; the message ends with the tail of the log.
        ToolMissing: there is no C++ compiler.
    """
    with tempfile.TemporaryDirectory(prefix="qap-diagnose-") as temporary:
        folder = Path(temporary)
        _copy(source, folder)
        cpp = folder / "firmware" / f"{source.name}.cpp"
        cpp.write_text(with_traces(source, cpp.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
        prologue = [f'#include "firmware/{source.name}.cpp"', '#include "nnet_utils/nnet_helpers.h"']
        scope = f"{source.namespace}::" if source.namespace else ""
        return _run(source, folder, prologue, [VariantText("", scope)], [], x)[0]


def simulate_variants(
    source: HlsSource, arrays: Sequence[SharedArray], variants: Sequence[VariantText],
    x: FloatArray,
) -> list[list[FloatArray]]:  # fmt: skip
    """What every call of every version gives for samples; arguments and errors as in `simulate`."""
    with tempfile.TemporaryDirectory(prefix="qap-diagnose-") as temporary:
        _copy(source, Path(temporary))
        return _run(source, Path(temporary), list(shared_headers(source)), variants, arrays, x)


def with_traces(source: HlsSource, cpp: str) -> str:
    """The C++ of the top function with a line behind every call that records its result."""
    cpp = _TRACED.sub("", cpp)
    for index, (call, width) in enumerate(zip(source.calls, widths(source), strict=True)):
        line = f'nnet::{TRACE}<{call.result_type}>({call.arguments[1]}, "qap_{index}", {width});'
        cpp = cpp.replace(call.text, f"{call.text}\n    {line}", 1)
    return cpp


def shared_headers(source: HlsSource) -> Iterator[str]:
    """The includes of a project that are not its own files, in their order."""
    names: dict[str, None] = {}
    for file in ("defines.h", f"{source.name}.h", "parameters.h", f"{source.name}.cpp"):
        text = (source.firmware / file).read_text(encoding="utf-8", errors="replace")
        names |= dict.fromkeys(found[1] for found in INCLUDE.finditer(text))
    own = ("defines.h", "parameters.h", f"{source.name}.h")
    for name in names:
        if name not in own and not name.startswith("weights/"):
            local = (source.firmware / name).is_file() or name.startswith(("ap_", "hls_"))
            yield f'#include "{name}"' if local else f"#include <{name}>"
    yield '#include "nnet_utils/nnet_helpers.h"'


def _first_size(source: HlsSource) -> int:
    first = source.calls[0]
    return source.constant(first, "n_in") or 0


def _copy(source: HlsSource, folder: Path) -> None:
    """The C++ alone: no link is followed out of the project, and no library in it is ever loaded."""
    target = folder / "firmware"
    for path in sorted(source.firmware.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix not in (".h", ".cpp", ".txt", ".hpp"):
            continue
        place = target / path.relative_to(source.firmware)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    if not (target / "ap_types").is_dir():
        raise DataError(f"{source.firmware} has no ap_types/, the headers of ap_fixed that hls4ml writes into it")


def _run(
    source: HlsSource, folder: Path, prologue: Sequence[str], variants: Sequence[VariantText],
    arrays: Sequence[SharedArray], x: FloatArray,
) -> list[list[FloatArray]]:  # fmt: skip
    sizes = widths(source)
    offsets = [sum(sizes[:index]) for index in range(len(sizes))]
    content: dict[str, Any] = {
        "name": source.name, "prologue": prologue, "variants": variants, "arrays": arrays, "offsets": offsets,
        "width": sum(sizes), "n_in": n_in(source), "n_out": sizes[-1], "stream": source.inputs.stream,
        "input_type": source.inputs.type, "output_type": source.outputs.type,
        "unused_parameters": source.unused_parameters,
    }  # fmt: skip
    program = fill("qap.explore.diagnosis", "program.cpp.j2", of_extra="hls", **content)
    (folder / "program.cpp").write_text(program, encoding="utf-8")
    try:
        run_tool(
            [compiler(), *FLAGS, *SEARCHED, "program.cpp", "-o", "program"],
            folder, timeout_s=BUILD_TIMEOUT_S,
        )  # fmt: skip
    except ToolFailed as error:
        raise ToolFailed(f"the C simulation of {source.folder} cannot be built: {error}") from error
    np.ascontiguousarray(x, np.float64).tofile(folder / "inputs.bin")
    run_tool([folder / "program"], folder, timeout_s=RUN_TIMEOUT_S)
    results = np.fromfile(folder / "results.bin", np.float64)
    if results.size != len(variants) * len(x) * sum(sizes):
        raise ToolFailed(
            f"the C simulation of {source.folder} gave {results.size} numbers, not those of {len(x)} samples"
        )
    results = results.reshape(len(variants), len(x), sum(sizes))
    return [np.split(each, offsets[1:], axis=1) for each in results]
