"""What the configuration beside a project asked hls4ml for."""

from __future__ import annotations

from typing import Any

from qap.explore.diagnosis.source import HlsSource
from qap.extras import extra

FILE = "hls4ml_config.yml"


def settings_of(source: HlsSource) -> dict[str, Any]:
    """The content of `hls4ml_config.yml`; nothing where there is none, or where it is not plain data."""
    path = source.folder / FILE
    if not path.is_file():
        return {}
    with extra("hls"):
        import yaml
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}  # older versions write Python objects into it, which nobody makes here
    return content if isinstance(content, dict) else {}
