"""The notebooks run from the first cell to the last, offline, and are committed with what they show.

After a change, run them anew: jupyter execute --inplace notebooks/*.ipynb
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.needs import needing, needs

needs("nbclient", "nbformat")

import nbclient
import nbformat

from qap.recipe import load_recipe

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MAX_BYTES = 1_500_000
MACHINE_PATH = re.compile(r"(?<![\w.:/<])/\w[\w.-]*/[\w.~-]+|\b[A-Z]:\\+Users\b")
WARNING = re.compile(r"\bWARNING\b|\w*Warning:")

needs_packages = needing("ipykernel", "matplotlib", "tensorflow", "qkeras", "hls4ml")


def problems(notebook: Any) -> list[str]:
    """What must not be in a notebook that was run from top to bottom, one line each."""
    found = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("the cells were not run once, in order")
    for number, cell in enumerate(code, 1):
        if not cell.outputs:
            found.append(f"code cell {number} has no output")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"code cell {number} failed: {output.ename}: {output.evalue}")
            elif output.get("name") == "stderr":
                found.append(f"code cell {number} wrote to stderr: {output.text}")
    for where, text in _texts(notebook):
        if path := MACHINE_PATH.search(text):
            found.append(f"{where} names the path {path[0]}")
        if warning := WARNING.search(text):
            found.append(f"{where} shows a warning: {text[warning.start() :].splitlines()[0]}")
    return found


def _texts(notebook: Any) -> Iterator[tuple[str, str]]:
    """Every text of a notebook and where it stands; pictures are left out."""
    yield "the metadata", str(notebook.metadata)
    for index, cell in enumerate(notebook.cells):
        yield f"cell {index}", cell.source
        yield f"the metadata of cell {index}", str(cell.metadata)
        for output in cell.get("outputs", []):
            kinds = output.get("data", {})
            shown = [str(kinds[kind]) for kind in kinds if not kind.startswith("image/")]
            yield f"an output of cell {index}", "\n".join([str(output.get("text", "")), *shown])


def outputs(notebook: Any) -> str:
    """All text that the cells have shown."""
    return "\n".join(text for where, text in _texts(notebook) if where.startswith("an output"))


def execute(notebook: Any, tmp_path: Path) -> Any:
    """The notebook run with few epochs, in an empty folder in which it must leave nothing."""
    folder = tmp_path / "run"
    temporary = tmp_path / "temporary"  # a kernel that is slow to stop is killed and leaves its files
    folder.mkdir()
    temporary.mkdir()
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}, record_timing=False
    )
    client.execute(env={**os.environ, "QAP_NOTEBOOK_FAST": "1", "TMPDIR": str(temporary)})
    assert list(folder.iterdir()) == []
    return notebook


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def test_there_are_notebooks() -> None:
    names = [path.name for path in NOTEBOOKS]
    assert names[:2] == ["01_mnist_qap_demo.ipynb", "02_resources_across_bit_widths.ipynb"]


@needs_packages
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs(path: Path, tmp_path: Path) -> None:
    executed = execute(read(path), tmp_path)
    assert problems(executed) == []
    assert "fast mode" in outputs(executed)


@needs_packages
@pytest.mark.slow
def test_the_notebook_runs_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    executed = execute(read(FOLDER / "01_mnist_qap_demo.ipynb"), tmp_path)
    assert problems(executed) == []
    shown = outputs(executed)
    assert "g++ is not installed" in shown and "keras == emulator" in shown and "emulator == csim" not in shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_committed_notebook_shows_its_outputs(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert problems(notebook) == []
    assert "fast mode" not in outputs(notebook)
    assert path.stat().st_size < MAX_BYTES


def test_the_demo_shows_the_recipe_of_today() -> None:
    shown = outputs(read(FOLDER / "01_mnist_qap_demo.ipynb"))
    recipe = load_recipe("mnist-1v9")
    layers = (
        f"| {layer.units} | `{layer.weight}` | `{layer.bias}` | `{layer.activation}` |"
        for layer in recipe.student.layers
    )
    stale = [
        text
        for text in (str(recipe.data.input_format), *layers, f"asked for: {recipe.prune.sparsity:.1%}")
        if text not in shown
    ]
    assert stale == []


def small_notebook() -> Any:
    """One that has no problem."""
    text = nbformat.v4.new_output("stream", name="stdout", text="3 mismatches")
    picture = nbformat.v4.new_output("display_data", data={"image/png": "aaaa /tmp/in/a/picture", "text/plain": "fig"})
    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Title, with [a link](../README.md)"),
            nbformat.v4.new_code_cell("1", execution_count=1, outputs=[text]),
            nbformat.v4.new_code_cell("2", execution_count=2, outputs=[picture]),
        ]
    )


def _no_output(notebook: Any) -> None:
    notebook.cells[1].outputs = []


def _error(notebook: Any) -> None:
    notebook.cells[1].outputs = [nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])]


def _stderr(notebook: Any) -> None:
    notebook.cells[1].outputs[0].name = "stderr"


def _warning(notebook: Any) -> None:
    notebook.cells[1].outputs[0].text = "fine\nWARNING:tensorflow: retracing\nfine"


def _python_warning(notebook: Any) -> None:
    notebook.cells[2].outputs[0].data["text/plain"] = "a.py:3: UserWarning: it is late"


def _path(notebook: Any) -> None:
    notebook.cells[1].outputs[0].text = "wrote '/tmp/x1/hls'"


def _path_in_source(notebook: Any) -> None:
    notebook.cells[2].source = 'open("/home/me/file")'


def _path_in_metadata(notebook: Any) -> None:
    notebook.metadata["papermill"] = {"input": "/root/a.ipynb"}


def _disorder(notebook: Any) -> None:
    notebook.cells[1].execution_count = 7


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (_no_output, "code cell 1 has no output"),
        (_error, "code cell 1 failed: ValueError: no"),
        (_stderr, "code cell 1 wrote to stderr: 3 mismatches"),
        (_warning, "an output of cell 1 shows a warning: WARNING:tensorflow: retracing"),
        (_python_warning, "an output of cell 2 shows a warning: UserWarning: it is late"),
        (_path, "an output of cell 1 names the path /tmp/x1"),
        (_path_in_source, "cell 2 names the path /home/me"),
        (_path_in_metadata, "the metadata names the path /root/a.ipynb"),
        (_disorder, "the cells were not run once, in order"),
    ],
)
def test_the_checker_sees_what_must_not_be_there(spoil: Callable[[Any], None], expected: str) -> None:
    notebook = small_notebook()
    assert problems(notebook) == []
    spoiled = copy.deepcopy(notebook)
    spoil(spoiled)
    assert problems(spoiled) == [expected]


def test_a_cell_that_fails_is_not_overlooked(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("assert 1 == 2, 'they differ'")])
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="they differ"):
        execute(notebook, tmp_path)
