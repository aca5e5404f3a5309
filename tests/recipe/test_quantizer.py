"""Quantizer expressions: what is read, that it is read back the same, and what is refused before training."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.needs import needs

from qap.errors import QapError
from qap.fixed import FixedPoint, Overflow, Rounding
from qap.recipe.quantizer import MAX_BITS, RELU_BITS, Quantizer

powers = st.integers(-MAX_BITS, MAX_BITS).map(lambda exponent: 2.0**exponent)
alphas = st.none() | powers | st.just("auto_po2")
switches = st.sampled_from([0, 1, True, False])
bits, integers = st.integers(1, MAX_BITS), st.integers(-MAX_BITS, MAX_BITS)

ARGUMENTS = {
    "quantized_bits": {
        "bits": bits, "integer": integers, "symmetric": switches, "keep_negative": switches, "alpha": alphas
    },
    "quantized_relu": {
        "bits": st.integers(1, RELU_BITS), "integer": st.integers(0, RELU_BITS),
        "use_sigmoid": st.sampled_from([0, False]),
        "negative_slope": st.just(0.0) | powers.filter(lambda slope: slope <= 1),
    },
    "binary": {"use_01": switches, "alpha": alphas},
    "ternary": {"alpha": alphas, "threshold": st.floats(0, 100, exclude_min=True)},
    "quantized_po2": {"bits": st.integers(2, MAX_BITS), "max_value": st.none() | st.floats(0, 100, exclude_min=True)},
}  # fmt: skip


@st.composite
def expressions(draw):
    """A text, its role, and the arguments that it must be read as; keywords in any order."""
    name = draw(st.sampled_from(sorted(ARGUMENTS)))
    known = ARGUMENTS[name]
    required = ["bits"] if "bits" in known else []
    positional = draw(st.integers(0, len(known)))
    rest = [key for key in list(known)[positional:] if key in required or draw(st.booleans())]
    keywords = draw(st.permutations(rest))
    given_values = {key: draw(known[key]) for key in [*list(known)[:positional], *rest]}
    parts = [repr(given_values[key]) for key in list(known)[:positional]]
    parts += [f"{key}={given_values[key]!r}" for key in keywords]
    role = {"quantized_relu": "activation", "quantized_po2": "weight"}.get(name) or draw(
        st.sampled_from(["weight", "activation"])
    )
    if role == "activation" and given_values.get("alpha") == "auto_po2":
        role = "weight"
    return f"{name}({', '.join(parts)})", role, name, given_values


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_expressions_round_trip(expression):
    text, role, name, values = expression
    quantizer = Quantizer.parse(text, role)
    assert (quantizer.name, dict(quantizer.arguments)) == (name, values)
    assert Quantizer.parse(str(quantizer), role) == quantizer


@settings(max_examples=100, deadline=None)
@given(
    width=st.integers(1, MAX_BITS), integer=st.integers(-40, 40), signed=st.booleans(), relu=st.booleans(),
    rounding=st.sampled_from(Rounding), overflow=st.sampled_from(Overflow),
)  # fmt: skip
def test_formats_round_trip(width, integer, signed, relu, rounding, overflow):
    form = FixedPoint(signed, width, integer, rounding, overflow)
    quantizer = Quantizer.parse(f" relu({form}) " if relu else f" {form} ", "activation")
    assert quantizer.format == form
    assert quantizer.arguments["relu"] is relu
    assert Quantizer.parse(str(quantizer), "activation") == quantizer


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("quantized_bits(integer=2,bits=4)", "quantized_bits(4,2)"),
        ("quantized_bits(alpha=1,bits=4)", "quantized_bits(4,alpha=1)"),
        ("quantized_bits( 4 , 0 , alpha = 1 )", "quantized_bits(4,0,alpha=1)"),
        ("ternary", "ternary()"),
        ("fixed<4,2,RND>", "ap_fixed<4,2,AP_RND,AP_WRAP>"),
    ],
)
def test_how_it_is_written(text, written):
    """Bits and integer are written without their names, so they must come first whatever the order was."""
    assert str(Quantizer.parse(text, "weight")) == written


@pytest.mark.parametrize(
    ("text", "has_zero"),
    [
        ("quantized_bits(4,0)", True), ("quantized_bits(1,0)", False), ("quantized_bits(1,1,keep_negative=0)", True),
        ("quantized_bits(2,0)", True), ("ternary", True), ("binary", False), ("quantized_po2(4)", False),
        ("ap_fixed<2,1>", True),
    ],
)  # fmt: skip
def test_which_weights_can_be_pruned(text, has_zero):
    assert Quantizer.parse(text, "weight").has_zero is has_zero


@pytest.mark.parametrize(
    ("text", "bits", "width", "has_range", "rectifies"),
    [
        ("quantized_bits(4,0)", 4, 4, True, False), ("quantized_relu(6,2)", 6, 6, True, True),
        ("quantized_relu(6,2,negative_slope=0.5)", 6, 6, True, True), ("ap_fixed<5,1>", 5, 5, True, False),
        ("relu(ap_ufixed<7,1>)", 7, 7, True, True), ("binary", None, 1, False, False),
        ("ternary", None, 2, False, False),
    ],
)  # fmt: skip
def test_what_an_activation_says_of_itself(text, bits, width, has_range, rectifies):
    quantizer = Quantizer.parse(text, "activation")
    assert (quantizer.bits, quantizer.width, quantizer.has_range, quantizer.rectifies) == (
        bits, width, has_range, rectifies,
    )  # fmt: skip


def test_powers_of_two_have_bits_but_no_range():
    quantizer = Quantizer.parse("quantized_po2(4)", "weight")
    assert (quantizer.bits, quantizer.width, quantizer.has_range) == (4, 4, False)


def test_equal_quantizers_are_one_in_a_set():
    spellings = ["quantized_bits(4,0,alpha=1)", "quantized_bits(alpha=1.0,integer=0,bits=4)", "ap_fixed<4,1>"]
    assert len({Quantizer.parse(text, "weight") for text in spellings}) == 2


BAD = [
    (5, "weight", "a quantizer is written as text"),
    (None, "weight", "a quantizer is written as text"),
    ("", "weight", "is not a quantizer; write one as in"),
    ("quantized_bits(4", "weight", "is not a quantizer"),
    ("1+1", "weight", "is not a quantizer"),
    ("a.b(4)", "weight", "is not a quantizer"),
    ("()()", "weight", "is not a quantizer"),
    ("'\\d'", "weight", "is not a quantizer"),
    ("\0", "weight", "is not a quantizer"),
    ("(" * 150, "weight", "is not a quantizer"),
    ("-" * 199 + "1", "weight", "is not a quantizer"),
    ("-" * 100_000 + "1", "weight", "at most 200 characters"),
    ("quantized_bits(4,alpha=1" + "0" * 400 + ")", "weight", "at most 200 characters"),
    ("quantised_bits(4)", "weight", "unknown quantizer 'quantised_bits'.*there are: quantized_bits"),
    ("fixed_point('ap_fixed<4,2>')", "weight", "unknown quantizer|is not a fixed-point format"),
    ("stochastic_ternary()", "weight", "unknown quantizer"),
    ("__import__('os')", "weight", "unknown quantizer"),
    ("quantized_bits()", "weight", "argument 'bits' is missing"),
    ("quantized_bits", "weight", "argument 'bits' is missing"),
    ("quantized_bits(4,0,0,1,1,1)", "weight", "too many arguments; quantized_bits takes bits, integer"),
    ("quantized_bits(4,bits=4)", "weight", "'bits' is not one of .*given twice"),
    ("quantized_bits(4,foo=4)", "weight", "'foo' is not one of bits, integer"),
    ("binary(**{})", "weight", "argument None is not one of"),
    ("binary(*[1])", "weight", "must be plain numbers or text"),
    ("quantized_bits(4,alpha=[].append(1))", "weight", "must be plain numbers or text"),
    ("quantized_bits(4,alpha={[]:1})", "weight", "must be plain numbers or text"),
    ("quantized_bits(0)", "weight", "bits of .* whole number from 1 to 32, but got 0"),
    ("quantized_bits(33)", "weight", "bits of .* whole number from 1 to 32, but got 33"),
    ("quantized_bits(4.0)", "weight", "bits of .* but got 4.0"),
    ("quantized_bits(True)", "weight", "bits of .* but got True"),
    ("quantized_bits(4,33)", "weight", "integer of .* from -32 to 32, but got 33"),
    ("quantized_bits(4,symmetric=2)", "weight", "symmetric of .* must be 0 or 1"),
    ("quantized_bits(4,alpha='auto')", "weight", "float scale, which has no exact integer form"),
    ("quantized_bits(4,alpha='auto_po2')", "activation", "only weights have an 'auto_po2' scale"),
    ("quantized_bits(4,alpha=3)", "weight", "alpha of .* must be a power of two"),
    ("quantized_bits(4,alpha=0)", "weight", "power of two"),
    ("quantized_bits(4,alpha=-2)", "weight", "power of two"),
    ("quantized_bits(4,alpha=1e999)", "weight", "power of two"),
    ("quantized_bits(4,alpha=5e-324)", "weight", "power of two from"),
    ("quantized_bits(4,alpha=True)", "weight", "power of two"),
    ("quantized_bits(4,alpha=1j)", "weight", "power of two"),
    ("quantized_bits(4,alpha='x')", "weight", "power of two"),
    ("quantized_relu(4)", "weight", "is not for weights, only for activations"),
    ("relu(ap_ufixed<4,2>)", "weight", "is not for weights, only for activations"),
    ("quantized_po2(4)", "activation", "is not for activations, only for weights"),
    ("quantized_po2(1)", "weight", "bits of .* from 2 to 32"),
    ("quantized_po2(4,max_value=0)", "weight", "max_value of .* above 0"),
    ("quantized_relu(32,2)", "activation", "from 1 to 31"),
    ("quantized_relu(4,-1)", "activation", r"must not be below 0.*write relu\(ap_ufixed<bits,-1,AP_RND_CONV,AP_SAT>\)"),
    ("quantized_relu(4,use_sigmoid=1)", "activation", "must stay off"),
    ("quantized_relu(4,use_sigmoid=[])", "activation", "must stay off"),
    ("quantized_relu(4,negative_slope=0.3)", "activation", "negative_slope of .* power of two"),
    ("quantized_relu(4,negative_slope=2)", "activation", "must be at most 1"),
    ("quantized_relu(4,negative_slope='')", "activation", "power of two"),
    ("ternary(threshold=0)", "weight", "threshold of .* above 0"),
    ("ternary(threshold=1e999)", "weight", "threshold of .* above 0"),
    ("ternary(threshold=None)", "weight", "threshold of .* above 0"),
    ("ap_fixed<4>", "weight", "is not a fixed-point format"),
    ("ap_fixed<0,0>", "weight", "1 <= width <= 63 must hold"),
    ("ap_fixed<33,1>", "weight", "format of .* has 33 bits, at most 32"),
    ("relu(ap_fixed<4,2>", "activation", "is not a fixed-point format"),
]


@pytest.mark.parametrize(("text", "role", "message"), BAD, ids=[str(bad[0])[:40] for bad in BAD])
def test_what_is_refused(text, role, message):
    with pytest.raises(QapError, match=message) as caught:
        Quantizer.parse(text, role)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"(quantized_bits|ternary|relu|ap_fixed)[(<][-0-9a-z_=,.'()<> ]{0,20}[)>]"))
def test_any_text_is_a_quantizer_or_one_clear_line(text):
    try:
        quantizer = Quantizer.parse(text, "activation")
    except QapError as error:
        assert "\n" not in str(error)
    else:
        assert Quantizer.parse(str(quantizer), "activation") == quantizer


@pytest.mark.parametrize("name", [*ARGUMENTS, "ap_fixed<4,2>"])
def test_every_quantizer_has_its_keras_class(name):
    """The names are those of QKeras; what is parsed is built with its arguments, or with QKeras' own defaults."""
    needs("qkeras")
    import qkeras

    from qap.training.quantization import FixedPointQuantizer, keras_quantizer

    text = name if "<" in name or "bits" not in ARGUMENTS[name] else f"{name}(4)"
    role = "activation" if name == "quantized_relu" else "weight"
    made = keras_quantizer(Quantizer.parse(text, role))
    if "<" in name:
        assert (type(made), str(made.format)) == (FixedPointQuantizer, name)
        return
    alone = getattr(qkeras, name)(*([4] if text.endswith("(4)") else []))
    assert type(made) is type(alone)
    assert made.get_config() == alone.get_config()
