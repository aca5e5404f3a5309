"""Fixed-point formats against exact arithmetic on fractions, and the table of conventions."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from qap.errors import QapError
from qap.fixed import MAX_WIDTH, FixedPoint, Overflow, Rounding

MODES = [(rounding, overflow) for rounding in Rounding for overflow in Overflow]


@st.composite
def formats(draw, max_width=MAX_WIDTH):
    width = draw(st.integers(1, max_width))
    fractional = draw(st.integers(-MAX_WIDTH, 2 * MAX_WIDTH) | st.integers(-8, 16))
    rounding, overflow = draw(st.sampled_from(MODES))
    return FixedPoint(draw(st.booleans()), width, width - fractional, rounding, overflow)


def exact(value: Fraction, form: FixedPoint) -> int:
    """What the format makes of a number, by the definition of its modes."""
    scaled = value * Fraction(2) ** form.fractional
    below = math.floor(scaled)
    rest = scaled - below
    if form.rounding is Rounding.TRN:
        number = below
    elif form.rounding is Rounding.RND:
        number = below + (rest >= Fraction(1, 2))
    else:
        number = below + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and below % 2 == 1))
    most = 2 ** (form.width - 1) - 1 if form.signed else 2**form.width - 1
    least = -most - 1 if form.signed else 0
    if form.overflow is Overflow.SAT_SYM and form.signed:
        least = -most
    if form.overflow is not Overflow.WRAP:
        return min(max(number, least), most)
    number %= 2**form.width
    return number - 2**form.width if number > most else number


@settings(max_examples=400, deadline=None)
@given(
    form=formats(),
    fractional=st.integers(-70, 140) | st.integers(-4, 20),
    values=st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300), min_size=1, max_size=6),
)
@example(FixedPoint(True, 63, 6, Rounding.RND_CONV, Overflow.SAT), 0, [-(2**63)])
@example(FixedPoint(False, 63, 63, Rounding.RND, Overflow.WRAP), 62, [2**63 - 1, -(2**63)])
@example(FixedPoint(True, 1, 1, Rounding.RND_CONV, Overflow.SAT_SYM), 1, [-3, -1, 1, 3])
def test_requantize_is_exact(form, fractional, values):
    found = form.requantize(np.array(values, np.int64), fractional)
    assert found.dtype == np.int64
    assert found.tolist() == [exact(value * Fraction(2) ** -fractional, form) for value in values]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint64, np.int64, bool])
@pytest.mark.parametrize("fractional", [-57, 0, 3, 61, 62, 63, 64, 126])
@pytest.mark.parametrize("overflow", Overflow)
def test_requantize_takes_the_ends_of_every_integer_type(dtype, fractional, overflow):
    ends = [0, 1] if dtype is bool else [np.iinfo(dtype).min, 0, 1, np.iinfo(dtype).max]
    form = FixedPoint(True, 9, 5, Rounding.RND_CONV, overflow)
    values = np.array(ends, dtype)
    expected = [exact(int(value) * Fraction(2) ** -fractional, form) for value in values]
    assert form.requantize(values, fractional).tolist() == expected
    for value, one in zip(values, expected, strict=True):
        assert form.requantize(np.array([value]), fractional).tolist() == [one]


@settings(max_examples=400, deadline=None)
@given(form=formats(), values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
@example(FixedPoint(True, 4, 5), [-5e-324, 5e-324, -1e-310])
@example(FixedPoint(True, 8, 4, Rounding.RND), [0.49999999999999994 / 16, -0.5 / 16, 1.7976931348623157e308])
@example(FixedPoint(False, 63, -63, Rounding.TRN, Overflow.SAT), [1e300, -1e300, 2.0**-64])
@example(FixedPoint(True, 63, -63, Rounding.TRN, Overflow.WRAP), [2.0**-63, -(2.0**900), 2.0**895 + 2.0**850])
def test_quantize_is_exact(form, values):
    found = form.quantize(np.array(values))
    assert found.dtype == np.int64
    assert found.tolist() == [exact(Fraction(value), form) for value in values]


@settings(max_examples=100, deadline=None)
@given(form=formats(24), ties=st.lists(st.integers(-1000, 1000), min_size=1, max_size=8))
def test_ties_are_broken_as_the_mode_says(form, ties):
    halves = np.ldexp(np.array(ties) + 0.5, -form.fractional)
    assert form.quantize(halves).tolist() == [exact(Fraction(half), form) for half in halves]


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)])
def test_shapes_are_kept(shape):
    form = FixedPoint(True, 4, 2, Rounding.RND, Overflow.SAT)
    assert form.quantize(np.ones(shape)).shape == shape
    assert form.requantize(np.ones(shape, np.int64), 5).shape == shape
    assert form.requantize(np.ones(shape, np.int64), 100).shape == shape
    assert form.to_float(np.ones(shape, np.int64)).shape == shape


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_only_finite_numbers(bad):
    with pytest.raises(QapError, match="only finite numbers") as caught:
        FixedPoint(True, 4, 2).quantize(np.array([0.0, bad, 1.0]))
    assert str(bad) in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(formats())
def test_text_round_trip(form):
    assert FixedPoint.parse(str(form)) == form


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("ap_fixed<8,4>", FixedPoint(True, 8, 4)),
        (" fixed< 8 , -4 > ", FixedPoint(True, 8, -4)),
        ("ufixed<8,0>", FixedPoint(False, 8, 0)),
        ("ap_int<8>", FixedPoint(True, 8, 8)),
        (" ap_uint< 8 >", FixedPoint(False, 8, 8)),
        ("ap_ufixed<8,12,AP_RND,AP_SAT>", FixedPoint(False, 8, 12, Rounding.RND, Overflow.SAT)),
        ("fixed<8,4,RND_CONV>", FixedPoint(True, 8, 4, Rounding.RND_CONV)),
        ("fixed<8,4,RND_CONV,SAT_SYM,0>", FixedPoint(True, 8, 4, Rounding.RND_CONV, Overflow.SAT_SYM)),
    ],
)
def test_the_short_forms(text, form):
    assert FixedPoint.parse(text) == form


@pytest.mark.parametrize(
    "text",
    [
        "", "8", "ap_fixed", "ap_fixed<8>", "ap_fixed<8,4", "ap_fixed<8,4>>", "ap_fixed<-8,4>", "ap_fixed<8.5,4>",
        "ap_fixed<8,4,AP_FOO>", "ap_fixed<8,4,AP_SAT>", "ap_fixed<8,4,AP_RND,AP_RND>", "ap_fixed<8,4,AP_TRN,AP_WRAP,1>",
        "int<8>", "ap_int<8,8>", "ap_int<-8>", "ap_uint<>",
        "ap_fixed<8,4>\nap_fixed<8,4>", "ap_fixed<" + "9" * 5000 + ",1>", "x" * 10_000,
    ],
)  # fmt: skip
def test_what_is_no_format(text):
    with pytest.raises(QapError, match="is not a fixed-point format; write ap_fixed<width,integer>") as caught:
        FixedPoint.parse(text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    assert repr(text[:80]) in message


@pytest.mark.parametrize("width", [0, -1, MAX_WIDTH + 1, 10**30])
def test_impossible_widths(width):
    with pytest.raises(QapError, match=rf"1 <= width <= 63 must hold .* width={width}$"):
        FixedPoint(True, width, 0)


@pytest.mark.parametrize(("width", "integer"), [(1, 65), (63, -64), (8, 10**30), (8, -(10**30))])
def test_impossible_binary_points(width, integer):
    with pytest.raises(QapError, match=rf"width={width}, integer={integer}$"):
        FixedPoint(True, width, integer)


def test_the_table_of_conventions():
    """Signed, 8 bits, 4 after the point: the row of every tool in the docstring of the module."""
    form = FixedPoint.parse("ap_fixed<8,4,AP_RND_CONV,AP_SAT>")
    assert FixedPoint.from_qkeras(8, 3) == form
    assert form.kif == (1, 3, 4)
    assert (form.fractional, form.lsb, form.min_int, form.max_int) == (4, 0.0625, -128, 127)
    unsigned = FixedPoint.parse("ap_ufixed<6,2,AP_RND_CONV,AP_SAT>")
    assert FixedPoint.from_qkeras(6, 2, signed=False) == unsigned
    assert unsigned.kif == (0, 2, 4)
    assert (unsigned.min_int, unsigned.max_int) == (0, 63)
    symmetric = FixedPoint.from_qkeras(4, 0, symmetric=True)
    assert (symmetric.overflow, symmetric.min_int, symmetric.max_int) == (Overflow.SAT_SYM, -7, 7)
    assert FixedPoint.from_qkeras(4, 0, signed=False, symmetric=True).overflow is Overflow.SAT


@settings(max_examples=200, deadline=None)
@given(formats())
def test_conventions_hold_for_every_format(form):
    keep_negative, integer, fractional = form.kif
    assert keep_negative + integer + fractional == form.width
    again = FixedPoint.from_qkeras(form.width, integer, signed=form.signed)
    assert (again.signed, again.width, again.integer) == (form.signed, form.width, form.integer)
    assert Fraction(form.lsb) == Fraction(2) ** -fractional
    least = -(Fraction(2) ** integer) if form.signed else Fraction(0)
    if form.overflow is Overflow.SAT_SYM and form.signed:
        least += Fraction(form.lsb)
    assert form.max_int * Fraction(form.lsb) == Fraction(2) ** integer - Fraction(form.lsb)
    assert form.min_int * Fraction(form.lsb) == least


near_powers = st.builds(
    lambda e, d, s: s * (2**e) + d, st.integers(0, 61), st.integers(-2, 2), st.sampled_from([-1, 1])
)


@settings(max_examples=400, deadline=None)
@given(
    ends=st.tuples(near_powers, near_powers) | st.tuples(near_powers).map(lambda one: one * 2), f=st.integers(-9, 40)
)
@example((-8, -8), 0)
@example((-1, -1), 0)
@example((0, 0), 0)
@example((-8, 7), 3)
@example((-9, 7), 3)
def test_the_smallest_format_is_the_smallest(ends, f):
    low, high = min(ends), max(ends)
    form = FixedPoint.smallest(low, high, f)
    assert form.fractional == f
    assert form.signed == (low < 0)
    assert form.holds(np.array([low, high]))
    if form.width > 1:
        narrower = FixedPoint(form.signed, form.width - 1, form.integer - 1)
        assert not narrower.holds(np.array([low, high]))


def test_no_smallest_format_above_63_bits():
    assert FixedPoint.smallest(-(2**62), 2**62 - 1, 0).width == 63
    with pytest.raises(QapError, match="width=64"):
        FixedPoint.smallest(-(2**62) - 1, 0, 0)
    assert FixedPoint.smallest(0, 2**63 - 1, 0).width == 63
    with pytest.raises(QapError, match="width=64"):
        FixedPoint.smallest(0, 2**63, 0)


@settings(max_examples=200, deadline=None)
@given(form=formats(), value=st.integers(-(2**63), 2**63 - 1))
def test_holds_is_the_range(form, value):
    assert form.holds(np.array([value])) == (form.min_int <= value <= form.max_int)
    assert form.holds(np.array([], np.int64))


@settings(max_examples=200, deadline=None)
@given(form=formats(53), share=st.floats(0, 1))
def test_real_numbers_and_back(form, share):
    value = form.min_int + int(share * (form.max_int - form.min_int))
    assume(form.min_int <= value <= form.max_int)
    real = form.to_float(np.array([value]))
    assert Fraction(real[0]) == value * Fraction(2) ** -form.fractional
    assert form.quantize(real).tolist() == [value]


def test_other_modes_keep_the_bits():
    form = FixedPoint(False, 7, -2).with_modes(Rounding.RND, Overflow.SAT)
    assert form == FixedPoint(False, 7, -2, Rounding.RND, Overflow.SAT)
    assert form.modes == (Rounding.RND, Overflow.SAT)


def test_the_reference_itself_parts_where_a_mode_is_wrong():
    """-1.5 LSB: each rounding has an answer of its own, so the tests above can tell them apart."""
    value, bits = Fraction(-3, 2), (True, 4, 4)
    answers = [exact(value, FixedPoint(*bits, rounding, Overflow.SAT)) for rounding in Rounding]
    assert answers == [-2, -1, -2]
    assert exact(Fraction(1, 2), FixedPoint(*bits, Rounding.RND, Overflow.SAT)) == 1
    assert exact(Fraction(1, 2), FixedPoint(*bits, Rounding.RND_CONV, Overflow.SAT)) == 0
    outside = [exact(Fraction(-9), FixedPoint(*bits, Rounding.TRN, overflow)) for overflow in Overflow]
    assert outside == [7, -8, -7]
