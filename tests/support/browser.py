"""Pages in a real browser: a headless Chromium opens them and answers one question."""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from support.needs import chromium

FRAME = """<!DOCTYPE html><meta charset="utf-8">
<iframe src="{uri}" width="1200" height="900"></iframe><pre></pre>
<script>
onload = () => {{
  const view = frames[0], page = view.document;
  document.querySelector("pre").textContent = JSON.stringify((() => {{ {question} }})());
}};
</script>
"""
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--allow-file-access-from-files", "--dump-dom",
)  # fmt: skip


def ask(path: Path, question: str, folder: Path) -> Any:
    """What JavaScript returns that sees a page from outside, so that the page's own policy stays in force.

    Args:
        path: the HTML file.
        question: statements with a `return`; `page` is the document and `view` its window.
        folder: an empty place to work in.
    """
    program = chromium()
    assert program is not None
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(uri=path.resolve().as_uri(), question=question), encoding="utf-8")
    command = [program, *FLAGS, f"--user-data-dir={folder / 'profile'}", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    answer = re.search(r"<pre>(.+?)</pre>", done.stdout, re.DOTALL)
    assert answer, f"the page gave no answer: {done.stderr}"
    return json.loads(html.unescape(answer[1]))
