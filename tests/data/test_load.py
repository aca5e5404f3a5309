"""load(): names, options and what is said about them; the list of data sets."""

import subprocess
import sys

import numpy as np
import pytest

from qap.data import DATASETS, DESCRIPTIONS, RawData, load
from qap.data.raw import Samples
from qap.errors import DataError, QapError
from qap.fixed import FixedPoint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnist1v9", "no data set 'mnist1v9', did you mean 'mnist-1v9'?"),
        ("fashion", "no data set 'fashion', did you mean 'fashion-mnist'?"),
        ("cvs:file.csv?label=a", "no data set 'cvs:file.csv?label=a', did you mean 'csv'?"),
        (
            "imagenette",
            "(there are: mnist-1v9, mnist, fashion-mnist, cifar-10, digits, iris, wine, csv:FILE?label=COLUMN, "
            "npz:FILE)",
        ),
        ("", "(there are: "),
        ("digits:", "name classes after the colon, as in mnist:6,9"),
        ("mnist-1v9:1", "'mnist-1v9' takes nothing after its name"),
        ("csv", "write csv:FILE?label=COLUMN"),
        ("npz", "npz needs a file: npz:FILE"),
    ],
)
def test_names_that_are_no_data_set(name, message):
    with pytest.raises(DataError) as caught:
        load(name)
    assert message in str(caught.value)


@pytest.mark.parametrize("validation", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_that_leaves_no_part_is_refused(validation):
    with pytest.raises(DataError, match="0 < validation < 1 must hold, but got"):
        load("mnist-1v9", validation=validation)


def test_a_negative_seed_is_refused():
    with pytest.raises(DataError, match="seed >= 0 must hold"):
        load("mnist-1v9", seed=-1)


def test_what_is_no_format_is_refused():
    with pytest.raises(QapError, match="'fixed' is not a fixed-point format"):
        load("mnist-1v9", input_format="fixed")
    with pytest.raises(DataError, match="at most 24 bits"):
        load("mnist-1v9", input_format="ap_ufixed<32,0>")


def test_a_format_may_be_text_or_an_object():
    text = "ap_ufixed<4,0,AP_RND,AP_SAT>"
    assert load("mnist-1v9", input_format=text).digest == load("mnist-1v9", input_format=FixedPoint.parse(text)).digest


def test_the_same_seed_gives_the_same_data_and_another_does_not():
    first, again, other = load("mnist-1v9", seed=1), load("mnist-1v9", seed=1), load("mnist-1v9", seed=2)
    assert first.digest == again.digest != other.digest
    assert (first.test.x == other.test.x).all()


def test_a_data_set_is_added_by_one_entry(monkeypatch):
    def halves(argument, data_dir):
        x = np.linspace(-1, 1, 40)[:, None]
        return RawData("halves", Samples(x, (x[:, 0] > 0).astype(np.int64)), None, ("low", "high"), None)

    monkeypatch.setitem(DATASETS, "halves", halves)
    data = load("halves")
    assert (len(data.train), len(data.validation), len(data.test)) == (29, 3, 8)
    assert ((data.test.x[:, 0] > 0) == data.test.y).all()


def test_every_data_set_is_described_once():
    assert [description.name.partition(":")[0] for description in DESCRIPTIONS] == list(DATASETS)
    for description in DESCRIPTIONS:
        assert all((description.what, description.origin, description.size))


def test_the_described_sizes_are_true():
    data = load("mnist-1v9")
    size = f"{len(data.train) + len(data.validation):,} + {len(data.test):,} images, {data.n_in} inputs"
    assert DESCRIPTIONS[0].size.startswith(size)


def test_importing_loads_no_heavy_package():
    code = (
        "import sys, qap.data; print([m for m in ('keras', 'tensorflow', 'sklearn', 'pydantic') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert printed.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["npz:~nobody-at-all/x.npz", "csv:a\0b?label=x", "csv:~nobody-at-all/x.csv?label=y"])
def test_what_is_no_path_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="is not a path"):
        load(name)
