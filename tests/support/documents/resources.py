"""What a page of the site loads from elsewhere: it should load nothing, so that it can be read without a network."""

from __future__ import annotations

from html.parser import HTMLParser

LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src"}
NAMES_ONLY = ("canonical", "prev", "next")
"""Links in the head that no browser loads."""


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the address of what is loaded from elsewhere."""
        given = dict(attrs)
        address = given.get(LOADS.get(tag, "")) or ""
        if address.startswith(("http:", "https:", "//")) and given.get("rel") not in NAMES_ONLY:
            self.remote.append(address)


def remote_resources(html: str) -> list[str]:
    """The addresses elsewhere that a page loads from.

    Args:
        html: the page.
    """
    parser = _Loads()
    parser.feed(html)
    return parser.remote
