"""Whether the hardware has the layers of the model, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qap.errors import CheckFailed
from qap.explore.diagnosis.hardware import Block
from qap.explore.diagnosis.simulation import widths
from qap.explore.diagnosis.source import HlsSource
from qap.network import IntegerNetwork


def refuse_other_structure(source: HlsSource, blocks: Sequence[Block], network: IntegerNetwork) -> list[Block]:
    """The blocks that belong to the layers of the network.

    Raises:
        CheckFailed: a layer is missing or stands in another order; the message names both rows of layers.
    """
    kept = list(blocks)
    if len(kept) == len(network.layers) + 1 and kept[0].dense is None:
        first = kept.pop(0)
        kept[0] = Block((*first.calls, *kept[0].calls), kept[0].dense)
    sizes = widths(source)
    hardware = [sizes[block.last] for block in kept]
    model = [layer.n_out for layer in network.layers]
    if hardware != model:
        raise CheckFailed(
            f"a layer is missing, or they stand in another order: the model has {_row(network.n_in, model)}, "
            f"the project {source.folder} has {_row(network.n_in, hardware)} "
            f"({', '.join(call.name for call in source.calls)})"
        )
    return [
        replace(block, folded=layer.is_per_neuron and not _scales(source, block))
        for block, layer in zip(kept, network.only_weighted("qap diagnose"), strict=True)
    ]


def _scales(source: HlsSource, block: Block) -> bool:
    """Whether the hardware scales behind the sum, as the model does."""
    return any(source.calls[call].function in ("normalize", "qap_steps") for call in block.calls)


def _row(first: int, sizes: Sequence[int]) -> str:
    return "-".join(map(str, (first, *sizes)))
