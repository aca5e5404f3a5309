"""Complete the projects of hls_projects/: put in place what git ignores, the files of hls4ml and of the vendor.

    python scripts/complete_hls_projects.py                   all of them
    python scripts/complete_hls_projects.py FOLDER [FOLDER]   these, each with its recipe.toml and network.npz

They come from the installed hls4ml. Files that are there are left alone; the exit code is 1 when one of them is not
what qap and hls4ml write today, and 2 when a folder is no reference project.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

from regenerate_hls_projects import RECIPES, ROOT, regenerate

from qap.errors import QapError
from qap.files import write_with
from qap.network import load_network
from qap.recipe import load_recipe
from qap.run import NETWORK, RECIPE


def complete(folder: Path) -> tuple[list[str], list[str]]:
    """Put the missing files of a project in place.

    Args:
        folder: the project.

    Returns:
        The files that were missing, and those that are there but differ from what is written today.

    Raises:
        QapError: its recipe or its network is missing or damaged, or hls4ml is not installed.
    """
    missing, different = [], []
    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary) / "project"
        regenerate(whole, load_recipe(str(folder / RECIPE)), load_network(folder / NETWORK))
        for source in sorted(path for path in whole.rglob("*") if path.is_file()):
            name = str(source.relative_to(whole))
            target = folder / name
            if not target.exists():
                write_with(target, partial(shutil.copyfile, source))
                missing.append(name)
            elif target.read_bytes() != source.read_bytes():
                different.append(name)
    return missing, different


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, default=[ROOT / name for name in RECIPES], metavar="FOLDER")
    code = 0
    for folder in parser.parse_args().folders:
        try:
            missing, different = complete(folder)
        except QapError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        print(f"{folder}: {len(missing)} files put in place" if missing else f"{folder}: nothing was missing")
        for name in different:
            print(f"error: {folder / name} is not what is written today, but left alone; delete it", file=sys.stderr)
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
