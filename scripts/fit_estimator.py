"""Fit the constants of the HLS estimator to a calibration set and write them into the package.

    python scripts/fit_estimator.py ../shared/data/synthesis/calibration

The constants are in qap/hardware/estimate/constants.json. The intervals come from a cross-validation in which every
design is estimated without its source. It takes a few minutes and gives the same file every time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from qap.files import write_text
from qap.hardware.estimate.constants import FILE
from qap.hardware.estimate.fitting.calibration import read_designs
from qap.hardware.estimate.fitting.fit import fit_constants
from qap.hardware.estimate.fitting.validation import cross_validate, with_spreads

TARGET = Path(__file__).parents[1] / "qap" / "hardware" / "estimate" / FILE


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python scripts/fit_estimator.py CALIBRATION_DIR")
    designs = read_designs(Path(sys.argv[1]))
    fitted = fit_constants(designs)
    predictions = cross_validate(designs, lambda source: print(f"without {source}", flush=True))
    content = {
        "comment": "written by scripts/fit_estimator.py: fitted to HLS reports of published designs, which are not "
        "part of this project; see docs/estimates.md",
        **with_spreads(fitted, predictions).to_json(),
    }
    write_text(TARGET, json.dumps(content, indent=1) + "\n")
    print(f"{TARGET}: fitted to {len(designs)} designs")


if __name__ == "__main__":
    main()
