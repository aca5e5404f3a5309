"""Distorted copies of images: what each amount does, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from qap.data import Distortion, load
from qap.data import augmentation as module
from qap.data.augmentation import distorted
from qap.data.dataset import Split
from qap.errors import DataError

STILL = Distortion(copies=1, rotation=0.0, zoom=0.0, shear=0.0, translation=0.0, elastic=0.0)


def images(count: int = 3, side: int = 9) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side)).astype(np.float32)


def moved(x: np.ndarray, **amounts: float) -> np.ndarray:
    return distorted(x, replace(STILL, **amounts), np.random.default_rng(1))


def test_no_distortion_is_the_image() -> None:
    x = images()
    np.testing.assert_allclose(moved(x), x, atol=1e-3)


@pytest.mark.parametrize("amount", ["rotation", "zoom", "shear", "translation", "elastic"])
def test_every_amount_moves_pixels_and_a_small_one_moves_them_less(amount: str) -> None:
    """Of smooth images: noise would be another image after any movement."""
    x = np.add.outer(np.arange(9.0), 2 * np.arange(9.0))[None].repeat(20, axis=0).astype(np.float32)
    small, large = (
        np.abs(moved(x, **{amount: share * size}) - x)[:, 3:6, 3:6].mean()
        for size in [20.0 if amount == "rotation" else 0.15]
        for share in (0.1, 1.0)
    )
    assert 0 < 3 * small < large


def test_a_half_turn_turns_the_image() -> None:
    """By any angle within half a turn; the centre of an image of odd sides stays."""
    x = images(40)
    turned = moved(x, rotation=180.0)
    np.testing.assert_allclose(turned[:, 4, 4], x[:, 4, 4], atol=1e-2)
    ring = np.zeros((40, 9, 9), np.float32)
    ring[:, 4, 4] = 255
    np.testing.assert_allclose(moved(ring, rotation=180.0)[:, 4, 4], 255, atol=0.1)


def test_what_comes_from_outside_is_0() -> None:
    x = np.full((50, 8, 8), 200, np.float32)
    shifted = moved(x, translation=0.9)
    assert shifted.min() == 0
    assert shifted.max() == pytest.approx(200)


def test_copies_follow_the_images_with_their_labels() -> None:
    data = load("mnist-1v9", distortion=replace(STILL, copies=2), input_format="ap_ufixed<1,0>")
    both = data.augmented()
    n = len(data.train)
    assert (len(both.train), both.train.originals, both.train.copies) == (3 * n, n, 2)
    for part in range(3):
        rows = slice(part * n, (part + 1) * n)
        assert np.array_equal(both.train.x[rows], data.train.x)  # nothing is distorted, and 128 is still half
        assert np.array_equal(both.train.y[rows], data.train.y)
    assert both.validation is data.validation
    assert both.test is data.test


def test_copies_are_distorted_on_the_grid_of_the_data_set() -> None:
    """Not on one bit a pixel, whose edges are nowhere between two pixels."""
    amounts = Distortion(copies=1, seed=4)
    grey, bits = (
        load("mnist-1v9", distortion=amounts, input_format=form).augmented().train for form in (None, "ap_ufixed<1,0>")
    )
    assert np.array_equal(bits.x, grey.x >= 128)
    assert not np.array_equal(grey.x[grey.originals :], grey.x[: grey.originals])


def test_the_seed_decides_the_copies() -> None:
    def made(seed: int) -> np.ndarray:
        data = load("mnist-1v9", distortion=Distortion(copies=1, seed=seed))
        assert data.augmentation is not None
        return data.augmentation.copies(data.input_format)

    assert np.array_equal(made(1), made(1))
    assert not np.array_equal(made(1), made(2))


def test_an_epoch_has_each_sample_once_and_all_copies_in_turn() -> None:
    split = Split(np.arange(12, dtype=np.uint8)[:, None], np.arange(12) % 3, copies=3)
    order = np.random.default_rng(0)
    epochs = [split.epoch(order) for _ in range(60)]
    assert all(sorted(rows % 3) == [0, 1, 2] for rows in epochs)
    assert set(np.concatenate(epochs)) == set(range(12))
    plain = Split(split.x, split.y)
    assert np.array_equal(plain.epoch(np.random.default_rng(5)), np.random.default_rng(5).permutation(12))


def test_the_digest_moves_with_the_copies() -> None:
    digests = {
        load("mnist-1v9", distortion=each).digest for each in (None, STILL, replace(STILL, copies=2), Distortion())
    }
    assert len(digests) == 4


def test_data_without_images_are_refused(tmp_path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b,label\n" + "".join(f"{i},{i * i},{'xy'[i % 2]}\n" for i in range(20)))
    with pytest.raises(DataError, match=r"^data\.augment distorts images, but the samples of 'csv:.*' are none; leave"):
        load(f"csv:{table}?label=label", distortion=STILL)


def test_more_copies_than_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 3 * 11_422 * 784)
    load("mnist-1v9", distortion=replace(STILL, copies=3))
    with pytest.raises(DataError, match=r"^data\.augment\.copies=4: 4 copies of 11,422 images .* at most 3 copies"):
        load("mnist-1v9", distortion=replace(STILL, copies=4))
