"""Regenerate the embedded digits 1 and 9: python scripts/embed_mnist.py FOLDER_OF_MNIST_IDX_FILES [OUTPUT.npz].

Equal IDX files give an equal file, byte for byte (with the same version of zlib).
"""

import io
import sys
from pathlib import Path

import numpy as np

from qap.data.images import EMBEDDED, read_folder
from qap.errors import QapError
from qap.files import write_with

DIGITS = (1, 9)  # the label is the position: 0 for the digit 1, 1 for the digit 9


def embed(folder: Path, output: Path) -> None:
    arrays = {}
    for suffix, (images, labels) in zip(("", "_test"), read_folder(folder), strict=True):
        chosen = np.isin(labels, DIGITS)
        arrays[f"x{suffix}"] = images[chosen].reshape(int(chosen.sum()), -1)
        arrays[f"y{suffix}"] = np.searchsorted(DIGITS, labels[chosen]).astype(np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)  # numpy dates every member 1980-01-01
    write_with(output, lambda temporary: temporary.write_bytes(buffer.getvalue()))


def main(arguments: list[str]) -> int:
    if len(arguments) not in (1, 2):
        print(__doc__, file=sys.stderr)
        return 2
    output = Path(arguments[1]) if len(arguments) == 2 else EMBEDDED / "mnist_1v9.npz"
    try:
        embed(Path(arguments[0]), output)
    except QapError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{output}: {output.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
