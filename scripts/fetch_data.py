"""Download images once, for use offline: python scripts/fetch_data.py FOLDER [mnist] [fashion-mnist] [cifar-10].

Without names MNIST and Fashion-MNIST. Keras downloads them (`pip install 'qap-fpga[train]'`); FOLDER/mnist and so on
then hold IDX files for `--data-dir FOLDER` or QAP_DATA_DIR=FOLDER.
"""

import sys
from pathlib import Path

from qap.data.idx import write_idx
from qap.data.images import KERAS_MODULES, PARTS, download
from qap.errors import QapError

DEFAULT = ["mnist", "fashion-mnist"]


def fetch(name: str, folder: Path) -> None:
    for part, (images, labels) in zip(PARTS, download(name), strict=True):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)


def main(arguments: list[str]) -> int:
    names = arguments[1:] or DEFAULT
    if not arguments or arguments[0].startswith("-") or not set(names) <= set(KERAS_MODULES):
        print(__doc__, file=sys.stderr)
        return 2
    for name in names:
        folder = Path(arguments[0]) / name
        try:
            fetch(name, folder)
        except QapError as error:
            print(error, file=sys.stderr)
            return 2
        print(f"{folder}: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
