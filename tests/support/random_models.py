"""Random Keras models, built in the many ways in which people build them; a kind says whether it has an exact form."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import qkeras
from keras import layers
from qkeras.quantizers import hard_sigmoid

from qap.fixed import FixedPoint
from qap.network import IntegerNetwork
from qap.training.networks import load_model

Rng = np.random.Generator
ENDS = [getattr(keras.activations, name)
        for name in ("softmax", "sigmoid", "tanh", "log_softmax", "softsign", "hard_sigmoid")]  # fmt: skip
INPUT = FixedPoint.parse("ap_fixed<6,3>")
KERNELS = [
    "quantized_bits(4,0,alpha=1)", "quantized_bits(3,1,1,alpha=1)", "quantized_bits(4,0,alpha='auto_po2')",
    "quantized_bits(4,0,alpha=0.5)", "quantized_linear(4,0,alpha=1)", "binary(alpha=1)", "ternary(alpha=1)",
    "quantized_po2(4)",
]  # fmt: skip
ACTIVATIONS = [
    "quantized_relu(4,2)", "quantized_relu(3,1)", "quantized_bits(5,2,alpha=1)", "quantized_bits(4,1,1,alpha=1)",
    "quantized_linear(5,2)", "quantized_linear(4,2,symmetric=0,alpha=0.5)", "quantized_relu(4,1,negative_slope=0.25)",
    "binary(alpha=1)", "ternary(alpha=1)",
]  # fmt: skip


def dense(rng: Rng, units: int, **more: Any) -> Any:
    """A QDense with a random kernel quantizer."""
    bias = rng.random() < 0.8
    return qkeras.QDense(
        units,
        kernel_quantizer=str(rng.choice(KERNELS)),
        bias_quantizer="quantized_bits(6,2,alpha=1)" if bias else None,
        use_bias=bias,
        **more,
    )


def act(rng: Rng) -> Any:
    """A QActivation with a random quantizer."""
    return qkeras.QActivation(str(rng.choice(ACTIVATIONS)))


def units(rng: Rng) -> int:
    """2 to 7."""
    return int(rng.integers(2, 8))


def stack(rng: Rng) -> list[Any]:
    """Two or three dense layers with quantizers between them."""
    parts: list[Any] = []
    for _ in range(int(rng.integers(1, 3))):
        parts += [dense(rng, units(rng)), act(rng)]
    return [*parts, dense(rng, units(rng))]


def listed(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """A Sequential of these layers."""
    return keras.Sequential([keras.Input(shape or (units(rng),)), *parts])


def chained(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """A functional model of these layers."""
    x = y = keras.Input(shape or (units(rng),))
    for part in parts:
        y = part(y)
    return keras.Model(x, y)


def added(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """A Sequential built with `add`, one of its layers taken off again on the way."""
    model = keras.Sequential()
    model.add(keras.Input(shape or (units(rng),)))
    for part in parts:
        model.add(part)
    model.add(layers.Dropout(0.5))
    if rng.random() < 0.5:
        model.pop()
    return model


def saved(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """A model that was written to a file and read again."""
    model = (listed if rng.random() < 0.5 else chained)(rng, parts, shape)
    scatter(rng, model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return load_model(path)


def configured(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """A model made again from its configuration."""
    model = (listed if rng.random() < 0.5 else chained)(rng, parts, shape)
    return type(model).from_config(model.get_config())


def nested(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """A model whose first or last half is a model."""
    shape = shape or (units(rng),)
    cut = int(rng.integers(1, len(parts)))
    inner = (listed if rng.random() < 0.5 else chained)(rng, parts[:cut], shape)
    outer = keras.Sequential(parts[cut:]) if rng.random() < 0.5 else None
    if outer is not None:
        outer.build(inner.output_shape)
        return chained(rng, [inner, outer], shape)
    return listed(rng, [inner, *parts[cut:]], shape)


def reused(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """A second model of layers that another one holds, with what that one drops in between left out."""
    shape = shape or (units(rng),)
    between = [part for layer in parts for part in (layer, layers.Dropout(0.3))]
    chained(rng, between, shape)
    return (listed if rng.random() < 0.5 else chained)(rng, parts, shape)


BUILDERS = [listed, chained, added, saved, configured, nested, reused]


def any_way(rng: Rng, parts: list[Any], shape: tuple[int, ...] | None = None) -> Any:
    """These layers, built in a random way."""
    return BUILDERS[int(rng.integers(len(BUILDERS)))](rng, parts, shape)


def insert(rng: Rng, parts: list[Any], extra: list[Any], first: int = 0) -> list[Any]:
    """The layers with others somewhere between them."""
    at = int(rng.integers(first, len(parts) + 1))
    return [*parts[:at], *extra, *parts[at:]]


def passed_over(rng: Rng) -> Any:
    """Layers that do nothing after the training."""
    parts = stack(rng)
    for make in (layers.Identity, lambda: layers.Dropout(0.4), lambda: layers.GaussianNoise(0.5),
                 lambda: layers.ActivityRegularization(0.1), lambda: layers.Activation("linear")):  # fmt: skip
        parts = insert(rng, parts, [make()])
    return any_way(rng, parts)


def reordered(rng: Rng) -> Any:
    """Images whose numbers change their places."""
    shape = tuple(int(n) for n in rng.integers(2, 4, 3))
    steps = [layers.Permute(tuple(int(n) + 1 for n in rng.permutation(3)))] if rng.random() < 0.5 else []
    order = "channels_first" if rng.random() < 0.6 else "channels_last"
    parts = [*steps, layers.Flatten(data_format=order), *stack(rng)]
    if rng.random() < 0.5:
        parts[-1:-1] = [layers.Reshape((-1, 1)), layers.Flatten(data_format="channels_first")]
    return any_way(rng, parts, shape)


def used_twice(rng: Rng) -> Any:
    """One dense layer, called twice."""
    n = units(rng)
    twice, last = dense(rng, n), dense(rng, units(rng))
    return (chained if rng.random() < 0.5 else reused)(rng, [twice, act(rng), twice, act(rng), last], (n,))


def normalized(rng: Rng) -> Any:
    """BatchNormalization with short binary numbers, anywhere behind the first dense layer or before it."""
    parts = stack(rng)
    model = chained(rng, insert(rng, parts, [layers.BatchNormalization(epsilon=2.0**-10)]))
    scatter(rng, model)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            n = layer.gamma.shape[0]
            variance = 4.0 ** rng.integers(-1, 2, n) - 2.0**-10
            layer.set_weights([rng.choice([0.5, 1, 1.5, -1], n), rng.integers(-8, 8, n) / 4,
                               rng.integers(-8, 8, n) / 4, variance])  # fmt: skip
    return model


def quantized_normalization(rng: Rng) -> Any:
    """QBatchNormalization with a quantized inverse."""
    layer = qkeras.QBatchNormalization(
        inverse_quantizer="quantized_bits(6,2,alpha=1)", gamma_quantizer=None, variance_quantizer=None,
        beta_quantizer="quantized_bits(6,2,alpha=1)", mean_quantizer="quantized_bits(6,2,alpha=1)",
    )  # fmt: skip
    return chained(rng, insert(rng, stack(rng), [layer], 1))


def folded_normalization(rng: Rng) -> Any:
    """QDenseBatchnorm."""
    parts = stack(rng)
    parts[0] = qkeras.QDenseBatchnorm(
        units(rng), kernel_quantizer="quantized_bits(4,1,alpha=1)", bias_quantizer="quantized_bits(6,2,alpha=1)"
    )
    return (chained if rng.random() < 0.5 else listed)(rng, parts)


def trained_normalization(rng: Rng) -> Any:
    """BatchNormalization as training leaves it, with float numbers, and a dense layer or nothing behind it."""
    parts = stack(rng)
    at = len(parts) if rng.random() < 0.5 else 2
    return any_way(rng, [*parts[:at], layers.BatchNormalization(), *parts[at:]])


def normalized_steps(rng: Rng) -> Any:
    """Float numbers between a dense layer and its quantizer: a BatchNormalization, a slope, a scale."""
    parts = stack(rng)
    floats = [
        layers.BatchNormalization(), layers.BatchNormalization(scale=False), layers.BatchNormalization(center=False),
        layers.LeakyReLU(0.3), layers.Rescaling(1 / 255),
    ][int(rng.integers(5))]  # fmt: skip
    before, behind = ([layers.ReLU()] * int(rng.integers(2)) for _ in range(2))
    return any_way(rng, [*parts[:1], *before, floats, layers.Dropout(0.2), *behind, *parts[1:]])


def quantized_inputs(rng: Rng) -> Any:
    """A quantizer before the first dense layer."""
    return any_way(rng, [act(rng), *stack(rng)])


def clipped(rng: Rng) -> Any:
    """ReLUs with a largest value or a slope, with and without a quantizer behind."""
    make: list[Callable[[], Any]] = [
        lambda: layers.ReLU(), lambda: layers.ReLU(6), lambda: layers.ReLU(2.5), lambda: layers.Activation("relu6"),
        lambda: layers.ReLU(negative_slope=0.125), lambda: layers.ReLU(3, 0.25), lambda: layers.LeakyReLU(0.25),
        lambda: layers.LeakyReLU(0.5), lambda: layers.Activation("hard_tanh"), lambda: qkeras.QActivation("hard_tanh"),
        lambda: qkeras.QActivation(hard_sigmoid), lambda: qkeras.QActivation("smooth_sigmoid"),
    ]  # fmt: skip
    choice = int(rng.integers(len(make)))
    one = make[choice]()
    parts = [dense(rng, units(rng)), one, *([act(rng)] if rng.random() < 0.5 else []), dense(rng, units(rng))]
    # a file keeps the names of QKeras' functions only, and Keras has others of these names
    return (chained if choice >= len(make) - 3 else any_way)(rng, parts)


def twice_activated(rng: Rng) -> Any:
    """Two activations, one behind the other."""
    return any_way(rng, insert(rng, stack(rng), [act(rng), act(rng)], 1))


def inside(rng: Rng) -> Any:
    """Activations inside of the dense layers."""
    parts = [dense(rng, units(rng), activation=str(rng.choice([*ACTIVATIONS, "relu"]))) for _ in range(2)]
    return any_way(rng, [*parts, dense(rng, units(rng), activation=str(rng.choice(["linear", "softmax", "tanh"])))])


def ended(rng: Rng) -> Any:
    """A function at the end that keeps the decision."""
    parts, n = stack(rng), units(rng)
    last = rng.choice(["softmax", "sigmoid", "tanh", "log_softmax", "softsign", "layer", "hard_sigmoid"])
    single = last in ("hard_sigmoid", "sigmoid", "tanh") and (last == "hard_sigmoid" or rng.random() < 0.5)
    parts[-1] = dense(rng, 1 if single else n)
    return any_way(rng, [*parts, layers.Softmax() if last == "layer" else layers.Activation(str(last))])


def rescaled(rng: Rng) -> Any:
    """Rescaling by a short binary number."""
    layer = layers.Rescaling(float(rng.choice([0.5, 0.25, 2.0, 1.5])), float(rng.choice([0, 0.5, -1])))
    return any_way(rng, insert(rng, stack(rng), [layer]))


def relu_bound(rng: Rng) -> Any:
    """quantized_relu with an upper bound of its own."""
    bound = qkeras.quantized_relu(4, 2, is_quantized_clip=False, relu_upper_bound=1.5)
    return any_way(rng, [dense(rng, units(rng)), qkeras.QActivation(bound), dense(rng, units(rng))])


def quantized_curves(rng: Rng) -> Any:
    """quantized_tanh and quantized_sigmoid: a staircase of each neuron's own."""
    text = str(rng.choice(["quantized_tanh(4)", "quantized_sigmoid(4)"]))
    return any_way(rng, [dense(rng, units(rng)), qkeras.QActivation(text), dense(rng, units(rng))])


@keras.saving.register_keras_serializable(package="models")
class Doubled(qkeras.QDense):
    """A user's QDense that computes something else."""

    def call(self, inputs: Any) -> Any:
        """Twice the answer."""
        return 2.0 * super().call(inputs)


@keras.saving.register_keras_serializable(package="models")
class Same(qkeras.QDense):
    """A user's QDense that computes the same, which nobody can know."""


def named(name: str) -> Any:
    """A user's class with the name of one of Keras, which adds a half."""
    return type(name, (layers.Layer,), {"call": lambda self, x: x + 0.5})()


def foreign(rng: Rng) -> Any:
    """Classes that the user wrote."""
    quantizers = {"kernel_quantizer": "quantized_bits(4,0,alpha=1)", "bias_quantizer": "quantized_bits(6,2,alpha=1)"}
    choice = rng.integers(4)
    extra = [Doubled(units(rng), **quantizers), Same(units(rng), **quantizers), named("Identity"), named("Dropout")]
    return chained(rng, insert(rng, stack(rng), [extra[choice]]))


def drawn(rng: Rng) -> Any:
    """Random numbers at inference."""
    parts = stack(rng)
    choice = rng.integers(4)
    if choice == 0:
        return chained(rng, insert(rng, parts, [lambda x: layers.Dropout(0.4)(x, training=True)]))
    kernel = ["bernoulli(alpha=1)", "stochastic_ternary(alpha=1)", "stochastic_binary(alpha=1)"][choice - 1]
    parts[0] = qkeras.QDense(units(rng), kernel_quantizer=kernel, bias_quantizer="quantized_bits(6,2,alpha=1)")
    return listed(rng, parts)


def float_parts(rng: Rng) -> Any:
    """Floats somewhere: a Dense, a gelu or a softmax between layers."""
    extra = [
        layers.Dense(units(rng)), layers.Activation("gelu"), layers.Softmax(), layers.LayerNormalization(),
        layers.Lambda(lambda x: 2 * x),
    ][int(rng.integers(5))]  # fmt: skip
    parts = stack(rng)
    return chained(rng, [*parts[:1], extra, *parts[1:]])


def branched(rng: Rng) -> Any:
    """Branches, several outputs, a softmax over the batch."""
    n = units(rng)
    x = keras.Input((n,))
    a, b = dense(rng, n)(x), dense(rng, n)(x)
    ends = [layers.Add()([a, b]), layers.Concatenate()([a, x]), [a, b], layers.Softmax(axis=0)(a), a + 1.0]
    return keras.Model(x, ends[int(rng.integers(len(ends)))])


class Subclassed(keras.Model):
    """A model of the user's own code."""

    def __init__(self, parts: list[Any]) -> None:
        super().__init__()
        self.parts = parts

    def call(self, x: Any) -> Any:
        """One layer after the other."""
        for part in self.parts:
            x = part(x)
        return x


def no_graph(rng: Rng) -> Any:
    """Models that were not built, or are code."""
    if rng.random() < 0.5:
        return keras.Sequential(stack(rng))
    model = Subclassed(stack(rng))
    model(np.zeros((1, 4), np.float32))
    return model


def wide(rng: Rng) -> Any:
    """Accumulators beyond the 24 bits of float32."""
    quantizers = {"kernel_quantizer": "quantized_bits(14,1,alpha=1)", "bias_quantizer": "quantized_bits(16,2,alpha=1)"}
    parts = [qkeras.QDense(units(rng), **quantizers), qkeras.QActivation("quantized_bits(14,4,alpha=1)")]
    return any_way(rng, [*parts, qkeras.QDense(units(rng), **quantizers)])


@dataclass(frozen=True)
class Kind:
    """A kind of models.

    Args:
        make: seeded generator -> model.
        exact: whether the models of this kind have an exact integer form.
    """

    make: Callable[[Rng], Any]
    exact: bool = True


def _plain(builder: Callable[..., Any]) -> Callable[[Rng], Any]:
    return lambda rng: builder(rng, stack(rng))


KINDS: dict[str, Kind] = {
    "a list of layers": Kind(_plain(listed)),
    "functional": Kind(_plain(chained)),
    "built with add": Kind(_plain(added)),
    "loaded from a file": Kind(_plain(saved)),
    "from its configuration": Kind(_plain(configured)),
    "a model inside of a model": Kind(_plain(nested)),
    "layers of another model": Kind(_plain(reused)),
    "a layer used twice": Kind(used_twice),
    "layers without effect": Kind(passed_over),
    "reordered inputs": Kind(reordered),
    "activations inside": Kind(inside),
    "two activations": Kind(twice_activated),
    "a quantizer on the inputs": Kind(quantized_inputs),
    "limits and slopes": Kind(clipped),
    "a function at the end": Kind(ended),
    "rescaling": Kind(rescaled),
    "BatchNormalization, short numbers": Kind(normalized),
    "QBatchNormalization": Kind(quantized_normalization),
    "QDenseBatchnorm": Kind(folded_normalization),
    "wide accumulators": Kind(wide),
    "quantized_relu with a bound": Kind(relu_bound),
    "quantized_tanh, quantized_sigmoid": Kind(quantized_curves),
    "floats before a quantizer": Kind(normalized_steps),
    "BatchNormalization, no quantizer behind": Kind(trained_normalization, exact=False),
    "classes of the user": Kind(foreign, exact=False),
    "random numbers": Kind(drawn, exact=False),
    "floats": Kind(float_parts, exact=False),
    "branches": Kind(branched, exact=False),
    "no graph": Kind(no_graph, exact=False),
}


def scatter(rng: Rng, model: Any) -> None:
    """Random numbers for all weights; variances stay above 0."""
    for weight in model.weights:
        if weight.dtype == "float32":
            values = rng.normal(0, 0.7, weight.shape)
            weight.assign(np.abs(values) + 0.1 if "variance" in weight.path else values)


def random_model(kind: str, seed: int) -> Any:
    """A model of a kind with random weights."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = KINDS[kind].make(rng)
    if kind not in ("loaded from a file", "BatchNormalization, short numbers"):
        scatter(rng, model)
    return model


def answers_as(kind: str, seed: int, model: Any, network: IntegerNetwork, x_int: np.ndarray) -> bool:
    """Whether the network's logits, or a function of them, are what the model answers to every vector."""
    wide = max(network.float_bits()) > 24
    if wide:
        model = twin(kind, seed, model)
    dtype = "float64" if wide else "float32"
    x = keras.ops.convert_to_tensor(network.input_format.to_float(x_int).reshape(-1, *model.inputs[0].shape[1:]), dtype)
    z = keras.ops.convert_to_tensor(network.output_format.to_float(network.forward(x_int)), dtype)
    keras.config.set_floatx(dtype)
    try:
        y = np.asarray(model(x, training=False))
        return any(np.array_equal(np.asarray(end(z)), y) for end in (keras.activations.linear, *ENDS))
    finally:
        keras.config.set_floatx("float32")


def twin(kind: str, seed: int, model: Any) -> Any:
    """The same model in float64."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        same = random_model(kind, seed)
        same.set_weights(model.get_weights())
        return same
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
