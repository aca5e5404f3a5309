"""The C file computes what the emulator computes, for networks of every kind; and its test sees when it does not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.any_network import random_network
from support.made_run import make_run
from support.staircases import stepped_classifier
from support.table_networks import random_table_network

from qap.cli import call
from qap.errors import NotExact
from qap.fixed import FixedPoint
from qap.network import IntegerNetwork, LayerSpec, connect
from qap.software import c_source, write_c
from qap.verification import adversarial_vectors

COMPILER = next(filter(None, map(shutil.which, (os.environ.get("CC", "cc"), "gcc", "clang"))), None)
STRICT = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsanitize=undefined", "-fno-sanitize-recover"]

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed")


def vectors(network: IntegerNetwork, seed: int = 0, count: int = 40) -> np.ndarray:
    """Random inputs and the ends of the format, alone and all together."""
    form = network.input_format
    drawn = np.random.default_rng(seed).integers(form.min_int, form.max_int, (count, network.n_in), endpoint=True)
    return np.concatenate([drawn, adversarial_vectors(form, network.n_in)[:60]])


def outcome(source: str, folder: Path) -> tuple[int, str]:
    """The exit code and the line of the program that the file is with QAP_TEST."""
    (folder / "network.c").write_text(source)
    command = [str(COMPILER), *STRICT, "-DQAP_TEST", "network.c", "-o", "test"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    done = subprocess.run([folder / "test"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


KINDS = {
    **{f"any {seed}": lambda seed=seed: random_network(np.random.default_rng(seed)) for seed in range(8)},
    **{f"tables {seed}": lambda seed=seed: random_table_network(np.random.default_rng(seed)) for seed in range(4)},
    "staircase": lambda: stepped_classifier(1, 15),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_the_emulator_computes(kind: str, tmp_path: Path) -> None:
    network = KINDS[kind]()
    x_int = vectors(network)
    assert outcome(c_source(network, name=kind, x_int=x_int), tmp_path) == (
        0, f"{len(x_int)} vectors, 0 numbers differ\n"
    )  # fmt: skip


@pytest.mark.parametrize("array", ["bias_1", "weight_0", "expected"])
def test_a_number_that_is_changed_is_seen(array: str, tmp_path: Path) -> None:
    network = stepped_classifier(1, 15)
    source = c_source(network, name="changed", x_int=vectors(network))
    changed = re.sub(rf"(\b{array}\[\d+\] = {{\s+)(-?\d+)", lambda m: f"{m[1]}{int(m[2]) ^ 1}", source)
    assert changed != source
    code, line = outcome(changed, tmp_path)
    assert code == 1 and " 0 numbers" not in line


def test_names_are_strings_whatever_they_hold(tmp_path: Path) -> None:
    names = ['a"b', "??/\\n%s", "ü\n*/"]
    spec = LayerSpec(
        "out", np.eye(3, dtype=int), FixedPoint.parse("fixed<2,2>"), np.zeros(3, int), FixedPoint.parse("fixed<2,2>")
    )
    network = connect(FixedPoint.parse("fixed<4,4>"), [spec], names)
    source = c_source(network, name='*/ "x" ü', x_int=vectors(network))
    assert outcome(source, tmp_path)[0] == 0
    assert "void qap_x_logits(const int32_t x[3], int64_t logits[3])" in source
    assert r'"a\042b", "\077\077/\134n%s", "\303\274\012*/"' in source


def test_sums_too_wide_for_64_bits_are_refused() -> None:
    wide, fine = FixedPoint.parse("ap_fixed<30,30>"), FixedPoint.parse("ap_fixed<63,3,AP_TRN,AP_SAT>")
    spec = LayerSpec("wide", np.array([[2**28]]), wide, np.array([0]), wide, "linear", fine)
    network = connect(FixedPoint.parse("ufixed<8,8>"), [spec], ["a", "b"])
    with pytest.raises(NotExact, match="'wide' .* too wide for 64-bit arithmetic"):
        c_source(network, name="wide", x_int=np.zeros((1, 1), int))


def test_the_command_writes_the_file_of_a_run(tmp_path: Path, capsys) -> None:
    run = make_run(tmp_path / "run", until="freeze")
    assert call(["export", str(run.path), "--c", str(tmp_path / "mine.c")]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'mine.c'}\n"
    assert outcome((tmp_path / "mine.c").read_text(), tmp_path) == (0, "64 vectors, 0 numbers differ\n")
    assert write_c(stepped_classifier(1, 3), tmp_path / "b.c", name="b", x_int=np.zeros((1, 6), int)).exists()
