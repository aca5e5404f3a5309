"""A hook of mkdocs: the pages of the site that are not in docs/, and the links that lead out of it.

The first page is the README, so that nothing is said twice; the pages of the API are made from the names that the
packages promise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import qap

CHECKOUT = Path(__file__).resolve().parents[1]
BESIDE = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Pages of the site that are files of the checkout."""
PROGRAM = ("cli", "__main__")
FACE = """\
# The public face

What `import qap` gives, imported when it is first used. The pages beside this one describe it package by package.

| name | what it is |
|---|---|"""
ALONE = """\
::: {}
    options:
      show_root_heading: false
"""
"""What a package promises, below a heading that stands there already."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the patterns of the navigation, and take out pages that do not exist."""
    written = {path.relative_to(config.docs_dir).as_posix() for path in Path(config.docs_dir).rglob("*.md")}
    config.nav = list(existing(config.nav or [], sorted(made_pages().keys() | written)))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    for name, text in made_pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to pages of the site; of what lies outside of it only the name is left."""
    uri = page.file.src_uri
    source = CHECKOUT / BESIDE.get(uri, f"docs/{uri}")
    return LINK.sub(lambda link: site_link(link, source, uri), markdown)


def site_link(link: re.Match[str], source: Path, uri: str) -> str:
    """A link as the site has it.

    Args:
        link: picture mark, text, target, anchor.
        source: the file that the page is made from.
        uri: the page.
    """
    picture, text, target, anchor = link.groups(default="")
    path = (source.parent / target).resolve()
    if not path.exists():
        return link[0]
    pages = {(CHECKOUT / file): name for name, file in BESIDE.items()}
    docs = CHECKOUT / "docs"
    name = pages.get(path) or (path.relative_to(docs).as_posix() if path.is_file() and docs in path.parents else None)
    if name is None:
        return text
    return f"{picture}[{text}]({os.path.relpath(name, Path(uri).parent)}{anchor})"


def existing(nav: list[Any], pages: list[str]) -> Iterator[Any]:
    """The navigation with its patterns filled, without what does not exist.

    Args:
        nav: names of pages, patterns, or a title with one of these or a list of them.
        pages: all that exist, sorted.
    """
    for entry in nav:
        if isinstance(entry, str):
            yield from [page for page in pages if fnmatchcase(page, entry)]
            continue
        [(title, inside)] = entry.items()
        found = list(existing(inside if isinstance(inside, list) else [inside], pages))
        if found:
            yield {title: found[0] if inside in found else found}


def made_pages() -> dict[str, str]:
    """The pages that are not in docs/, by name."""
    beside = {name: CHECKOUT / source for name, source in BESIDE.items()}
    return {name: path.read_text(encoding="utf-8") for name, path in beside.items() if path.exists()} | api_pages()


def api_pages() -> dict[str, str]:
    """The pages of the API: the names that `qap` promises, and what is public in each of its packages."""
    package = griffe.load("qap", search_paths=[CHECKOUT])
    rows = [face_row(package, name, qap._HOME[name]) for name in sorted(qap._HOME, key=str.lower)]
    pages = {"api/index.md": "\n".join([FACE, *rows, ""])}
    for name, module in sorted(package.modules.items()):
        if name not in PROGRAM:
            inner = "".join([*hidden_functions(module), *rooms(module)])
            pages[f"api/{name}.md"] = f"# {module.path}\n\n{ALONE.format(module.path)}{inner}"
    return pages


def rooms(package: griffe.Module) -> Iterator[str]:
    """The packages inside of a package, and the files that `qap` promises a name of."""
    for _, module in sorted(package.modules.items()):
        if module.is_init_module or module.path in qap._HOME.values():
            yield f"\n::: {module.path}\n"
            yield from hidden_functions(module)
            yield from rooms(module)


def hidden_functions(package: griffe.Module) -> Iterator[str]:
    """Functions of a package that are called as their file, `qap.network.simplify`: griffe finds only the file."""
    for name in sorted(package.modules.keys() & set(package.exports or [])):
        yield f"\n::: {package.path}.{name}.{name}\n"


def face_row(package: griffe.Module, name: str, home: str) -> str:
    """A line of the table of public names: the name, which links to its page, and the first line of its docstring."""
    path = f"{home}.{name}"
    found = package[path.removeprefix("qap.")]
    if found.is_module:  # the file has the name of the function
        path, found = f"{path}.{name}", found[name]
    said = found.docstring.value.splitlines()[0] if found.docstring else ""
    return f"| [`qap.{name}`][{path}] | {said} |"
