"""Reuse factors that hls4ml can build, by the rules of its backends."""

from __future__ import annotations

from bisect import bisect_left

from qap.errors import RecipeError
from qap.hardware.estimate.description import HLS_ESTIMATOR
from qap.network import IntegerNetwork
from qap.recipe import TargetRecipe


def built_reuse_factors(network: IntegerNetwork, target: TargetRecipe) -> tuple[int, ...]:
    """For each layer the reuse factor that hls4ml builds.

    The latency strategy takes any. The resource strategy takes the nearest factor that the layer's shape allows.

    Raises:
        QapError: a layer has no weights.
        RecipeError: the strategy and the factor do not go together, or no layer can be built with it.
    """
    factor = target.reuse_factor
    if target.strategy == "distributed_arithmetic" and factor != 1:
        raise RecipeError(
            f"reuse factor {factor}: the distributed_arithmetic strategy is fully parallel, only 1 is possible"
        )
    layers = network.only_weighted(HLS_ESTIMATOR)
    if target.strategy != "resource":
        return (factor,) * len(layers)
    legal = [legal_reuse_factors(layer.n_in, layer.n_out) for layer in layers]
    if not any(factor in each for each in legal):
        largest = max(range(len(legal)), key=lambda index: layers[index].weight.size)
        layer, at = layers[largest], bisect_left(legal[largest], factor)
        near = legal[largest][max(0, at - 2) : at + 2]
        raise RecipeError(
            f"reuse factor {factor} divides no layer; the nearest that hls4ml builds for layer {layer.name!r} "
            f"({layer.n_in} x {layer.n_out}): {', '.join(map(str, near))}"
        )
    return tuple(_nearest(each, factor) for each in legal)


def legal_reuse_factors(n_in: int, n_out: int) -> list[int]:
    """The factors of the resource strategy, rising: divisors of n_in * n_out that split inputs or outputs evenly.

    Args:
        n_in: inputs.
        n_out: outputs.
    """
    size = n_in * n_out
    divisors = {each for small in range(1, int(size**0.5) + 1) if size % small == 0 for each in (small, size // small)}
    return sorted(each for each in divisors if _legal(n_in, n_out, each))


def _legal(n_in: int, n_out: int, factor: int) -> bool:
    if factor >= n_in:
        return factor % n_in == 0
    return -(-n_in * n_out // factor) % n_out == 0


def _nearest(legal: list[int], factor: int) -> int:
    """The nearest, the smaller one of two that are equally near."""
    return min(legal, key=lambda each: (abs(each - factor), each))
