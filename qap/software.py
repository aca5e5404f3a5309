"""The integer network as software: one C99 file that needs nothing but the standard library, with its test vectors.

It computes what the hardware computes, for the emulation of a trigger or for a microcontroller:

    void NAME_logits(const int32_t x[NAME_INPUTS], int64_t logits[NAME_OUTPUTS]);
    int NAME_class(const int32_t x[NAME_INPUTS]);

Compiled with QAP_TEST defined, it is a program that compares itself with the vectors and exits with 1 if one differs.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qap.errors import NotExact
from qap.files import write_text
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.network import IntegerLayer, IntegerNetwork, StepTable, TableLayer, ThresholdLayer

LARGEST = 2**62  # what a sum may reach, so that rounding it stays inside of int64
TYPES = ("int8_t", "int16_t", "int32_t", "int64_t")

DOWN = """
/* v / 2^n, rounded down: a shift of a negative number would be the compiler's choice */
static int64_t down(int64_t v, int n)
{
    return v < 0 ? ~(~v >> n) : v >> n;
}
"""


def write_c(network: IntegerNetwork, path: str | Path, *, name: str, x_int: npt.NDArray[Any]) -> Path:
    """Write a network as one C file, whole or not at all.

    Args:
        network: the network.
        path: of the file.
        name: any text; functions begin with `qap_` and its letters and digits.
        x_int: (n, n_in) inputs of the test vectors, in LSBs.

    Raises:
        NotExact: a number is too wide for 64-bit arithmetic.
        DataError: the file cannot be written.
    """
    path = Path(path)
    write_text(path, c_source(network, name=name, x_int=x_int))
    return path


def c_source(network: IntegerNetwork, *, name: str, x_int: npt.NDArray[Any]) -> str:
    """The text of the C file; arguments as of `write_c`."""
    prefix = "qap_" + re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").lower()
    layers = "\n".join(text for index in range(len(network.layers)) for text in _layer(network, index))
    body = [_head(network, prefix), DOWN if "down(" in layers else "", layers, _functions(network, prefix)]
    return "\n".join([*body, _test(network, prefix, x_int)])


def _head(network: IntegerNetwork, prefix: str) -> str:
    upper = prefix.upper()
    names = ", ".join(_string(name) for name in network.class_names)
    return f"""\
/* Written by qap; do not edit. C99, nothing but the standard library.
 *
 * Network {network.digest}
 * {network.n_in} inputs, integers in LSBs of {network.input_format}: {_range(network.input_format)}
 * {network.n_out} logits, integers in LSBs of {network.output_format}: 2^{-network.output_format.fractional} each
 *
 * cc -std=c99 -DQAP_TEST FILE.c && ./a.out compares it with its test vectors.
 */
#include <stdint.h>

#define {upper}_INPUTS {network.n_in}
#define {upper}_OUTPUTS {network.n_out}

const char *const {prefix}_names[{len(network.class_names)}] = {{{names}}};
"""


def _range(form: FixedPoint) -> str:
    return f"{form.min_int} to {form.max_int}"


def _string(text: str) -> str:
    """A C string; what is not plain ASCII is written as the octal numbers of its bytes."""
    plain = {*range(32, 127)} - {*b'"\\?'}
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'


def _array(name: str, values: npt.NDArray[Any]) -> str:
    """A constant array of the narrowest type that holds all values."""
    numbers = [int(value) for value in values.ravel()]
    if values.dtype == np.uint64:
        kind, shown = "uint64_t", [f"UINT64_C(0x{number:x})" for number in numbers]
    else:
        kind = _type(min(numbers), max(numbers))
        shown = [f"INT64_C({number})" for number in numbers] if kind == "int64_t" else list(map(str, numbers))
    return f"static const {kind} {name}[{len(numbers)}] = {{\n{_filled(shown)}\n}};"


def _filled(numbers: Iterable[str]) -> str:
    """Numbers with commas between, in lines that an editor shows."""
    return textwrap.fill(", ".join(numbers), 116, initial_indent="    ", subsequent_indent="    ")


def _type(low: int, high: int) -> str:
    width = FixedPoint.smallest(min(low, -1), high, 0).width
    return next(kind for kind, bits in zip(TYPES, (8, 16, 32, 64), strict=True) if width <= bits)


def _input_type(network: IntegerNetwork) -> str:
    form = network.input_format
    return "int32_t" if form.min_int >= -(2**31) and form.max_int < 2**31 else "int64_t"


def _layer(network: IntegerNetwork, index: int) -> Iterator[str]:
    """The arrays of a layer and its function."""
    layer = network.layers[index]
    yield f"/* layer {index} of {len(network.layers)}: {layer.n_in} inputs, {layer.n_out} results */"
    if isinstance(layer, IntegerLayer):
        yield from _weighted(network, layer, index)
    elif isinstance(layer, TableLayer):
        yield _array(f"wires_{index}", layer.wires)
        yield _array(f"tables_{index}", layer.tables)
        address = " | ".join(f"x[wires_{index}[6 * j + {pin}]] << {pin}" for pin in range(6))
        yield _loop(index, layer.n_out, [f"y[j] = (int64_t)(tables_{index}[j] >> ({address}) & 1);"])
    else:
        yield from _thresholds(layer, index)


def _thresholds(layer: ThresholdLayer, index: int) -> Iterator[str]:
    yield _array(f"features_{index}", layer.features)
    yield _array(f"thresholds_{index}", layer.thresholds)
    yield _loop(index, layer.n_out, [f"y[j] = x[features_{index}[j]] >= thresholds_{index}[j];"])


def _weighted(network: IntegerNetwork, layer: IntegerLayer, index: int) -> Iterator[str]:
    fractional = network.layers[index - 1].result_format.fractional if index else network.input_format.fractional
    weight, bias = layer.aligned(fractional)
    yield _array(f"weight_{index}", weight.T)
    yield _array(f"bias_{index}", bias)
    steps = layer.activation
    if isinstance(steps, StepTable):
        yield _array(f"thresholds_{index}", steps.thresholds)
        yield _array(f"values_{index}", steps.values)
        count = steps.thresholds.shape[-1]
        row = f"{count} * j + k" if steps.is_per_neuron else "k"
        search = f"while (k < {count} && thresholds_{index}[{row}] <= sum) ++k;"
        ending = ["int k = 0;", search, f"y[j] = values_{index}[k];"]
    else:
        accumulators, _ = network.intervals()[index]
        largest = max(int(np.abs(end).max()) for end in accumulators)
        ending = [*_requantized(layer, largest), "y[j] = sum;"]
    lines = [
        f"int64_t sum = bias_{index}[j];",
        f"for (int i = 0; i < {layer.n_in}; ++i) sum += (int64_t)weight_{index}[{layer.n_in} * j + i] * x[i];",
        *ending,
    ]
    yield _loop(index, layer.n_out, lines)


def _requantized(layer: IntegerLayer, largest: int) -> Iterator[str]:
    """The activation of `sum`, and its way into the format of the result.

    Raises:
        NotExact: a shifted sum would leave int64.
    """
    form = layer.result_format
    if layer.activation == "relu":
        yield "if (sum < 0) sum = 0;"
    if form == layer.accum_format:
        return
    drop = layer.accum_format.fractional - form.fractional
    if drop > 61 or max(largest, 1 << max(drop, 0)) << max(-drop, 0) >= LARGEST:
        raise NotExact(layer.name, f"its sums, shifted by {-drop} bits to {form}, are too wide for 64-bit arithmetic")
    if drop > 0:
        yield _rounded(form.rounding, drop)
    elif drop < 0:
        yield f"sum *= INT64_C({1 << -drop});"
    low, high = f"INT64_C({form.min_int})", f"INT64_C({form.max_int})"
    if form.overflow is Overflow.WRAP:
        low = f"INT64_C({-(1 << (form.width - 1)) if form.signed else 0})"
        yield f"sum = (int64_t)(((uint64_t)sum - (uint64_t){low}) & UINT64_C({(1 << form.width) - 1})) + {low};"
    else:
        yield f"sum = sum < {low} ? {low} : sum > {high} ? {high} : sum;"


def _rounded(rounding: Rounding, drop: int) -> str:
    half = 1 << (drop - 1)
    if rounding is Rounding.TRN:
        return f"sum = down(sum, {drop});"
    if rounding is Rounding.RND:
        return f"sum = down(sum + INT64_C({half}), {drop});"
    return f"sum = down(sum + INT64_C({half - 1}) + (down(sum, {drop}) & 1), {drop});"


def _loop(index: int, count: int, lines: Sequence[str]) -> str:
    body = "\n".join(f"        {line}" for line in lines)
    return f"""
static void layer_{index}(const int64_t *x, int64_t *y)
{{
    for (int j = 0; j < {count}; ++j) {{
{body}
    }}
}}
"""


def _functions(network: IntegerNetwork, prefix: str) -> str:
    """The two functions that the file is for."""
    kind, count = _input_type(network), len(network.layers)
    sizes = [network.n_in, *(layer.n_out for layer in network.layers[:-1])]
    buffers = "\n".join(f"    int64_t results_{index}[{size}];" for index, size in enumerate(sizes))
    calls = "\n".join(
        f"    layer_{index}(results_{index}, {'logits' if index == count - 1 else f'results_{index + 1}'});"
        for index in range(count)
    )
    choice = "    int best = logits[0] > 0;" if network.n_out == 1 else f"""\
    int best = 0;
    for (int j = 1; j < {network.n_out}; ++j) if (logits[j] > logits[best]) best = j;"""  # fmt: skip
    return f"""
void {prefix}_logits(const {kind} x[{network.n_in}], int64_t logits[{network.n_out}])
{{
{buffers}
    for (int i = 0; i < {network.n_in}; ++i) results_0[i] = x[i];
{calls}
}}

/* the class with the largest logit, the first one of equal ones; a single logit decides for the second above 0 */
int {prefix}_class(const {kind} x[{network.n_in}])
{{
    int64_t logits[{network.n_out}];
    {prefix}_logits(x, logits);
{choice}
    return best;
}}
"""


def _test(network: IntegerNetwork, prefix: str, x_int: npt.NDArray[Any]) -> str:
    """The program that compares the functions with vectors."""
    logits = network.forward(x_int)
    inputs = _filled(map(str, x_int.ravel().tolist()))
    return f"""
#ifdef QAP_TEST
#include <stdio.h>

static const {_input_type(network)} stimuli[{x_int.size}] = {{
{inputs}
}};
{_array("expected", logits)}
{_array("expected_class", network.decide(logits))}

int main(void)
{{
    int wrong = 0;
    for (int n = 0; n < {len(x_int)}; ++n) {{
        int64_t logits[{network.n_out}];
        {prefix}_logits(stimuli + {network.n_in} * n, logits);
        for (int j = 0; j < {network.n_out}; ++j) wrong += logits[j] != expected[{network.n_out} * n + j];
        wrong += {prefix}_class(stimuli + {network.n_in} * n) != expected_class[n];
    }}
    printf("{len(x_int)} vectors, %d numbers differ\\n", wrong);
    return wrong != 0;
}}
#endif
"""
