"""A user's hls4ml configuration is read as data."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.needs import needs

from qap.errors import DataError
from qap.hardware.hls.configured import read_configuration, write_configured

needs("hls4ml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("HLSConfig: [", "is not plain YAML"),
        ("HLSConfig: !!python/object/apply:os.getcwd []", "is not plain YAML"),
        ("Backend: Vitis", "has no HLSConfig"),
        ("- 1", "has no HLSConfig"),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "hls4ml.yml"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_configuration(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_configuration(tmp_path / "none.yml")


def test_another_backend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only Vivado and Vitis can be diagnosed"):
        write_configured({"Backend": "Quartus", "HLSConfig": {}}, [], tmp_path / "hls", "hls4ml.yml")
