"""Text from templates: every file and every page that is filled goes through here."""

from __future__ import annotations

from typing import Any

from qap.extras import extra


def fill(room: str, template: str, /, *, of_extra: str, escape: bool = False, **content: Any) -> str:
    """The text of a template; a variable that it is not given is an error.

    Args:
        room: the package in whose `templates/` it is.
        template: file name.
        of_extra: the extra that brings jinja2 to this package.
        escape: whether text is escaped for HTML.
        content: what it needs.

    Raises:
        ToolMissing: jinja2 is not installed.
    """
    with extra(of_extra):
        from jinja2 import Environment, PackageLoader, StrictUndefined
    environment = Environment(
        loader=PackageLoader(room),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**content)
