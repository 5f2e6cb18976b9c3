"""The forms of pages as a browser sees them: read from the HTML, found by following links, filled in with what stands in them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from tests.web.conftest import HTML

PAGES_OF_A_KIND = 3
PAGES_MOST = 400
NOT_FOLLOWED = ("/static/", "/feed", ".wav", "download", "/handset/line", "/outline")


@dataclass
class PageForm:
    """`values`: what stands in the fields; of choices the chosen one. `files`: names of file fields. `buttons`: names with the value each
    sends. `page`: the address it was found on, without its query."""

    page: str
    action: str
    values: dict[str, str] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    buttons: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self._form: PageForm | None = None
        self._select = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href", "").startswith("/"):
            self.links.append(given["href"])
        elif tag == "form":
            is_post = given.get("method", "get").lower() == "post"
            self._form = PageForm(self.page, urljoin(self.page, given.get("action") or self.page)) if is_post else None
            self.forms += [self._form] if self._form else []
        elif self._form is not None:
            self._field(self._form, tag, given)

    def _field(self, form: PageForm, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if tag == "select":
            self._select = name
            form.values.setdefault(name, "")
        elif tag == "option" and self._select and ("selected" in given or not form.values[self._select]):
            form.values[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._area = name
            form.values[name] = ""
            form.typed.add(name)
        elif not name or "disabled" in given:
            return
        elif tag == "button":
            form.buttons.setdefault(name, given.get("value", ""))
        elif tag == "input" and kind == "file":
            form.files.add(name)
        elif tag == "input" and kind in ("checkbox", "radio"):
            if "checked" in given or name not in form.values:
                form.values[name] = given.get("value", "on")
        elif tag == "input":
            form.values[name] = given.get("value", "")
            if kind != "hidden":
                form.typed.add(name)

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form.values[self._area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""


def read(page: str, html: str) -> tuple[list[PageForm], list[str]]:
    """The forms that are posted, and the links."""
    reader = _Reader(page)
    reader.feed(html)
    return reader.forms, reader.links


def view_of(app: Flask, address: str) -> tuple[str, str]:
    """Which view answers to the form, and for which kind of thing; empty for none."""
    try:
        endpoint, values = app.url_map.bind("localhost").match(urlsplit(address).path, method="POST")
    except HTTPException:
        return "", ""
    return str(endpoint), str(values.get("subject") or values.get("step") or "")


def endpoint_of(app: Flask, address: str, method: str = "POST") -> str:
    """Which view answers; empty for none."""
    try:
        return str(app.url_map.bind("localhost").match(urlsplit(address).path, method=method)[0])
    except HTTPException:
        return ""


def found(app: Flask, client: FlaskClient, starts: Iterable[str]) -> Iterator[PageForm]:
    """Every form on the pages that can be reached from `starts` by links, a few pages of each kind. Raises: AssertionError for a page that
    fails."""
    waiting, seen, kinds = list(starts), set[str](), Counter[str]()
    while waiting and len(seen) < PAGES_MOST:
        address = waiting.pop(0)
        endpoint = endpoint_of(app, address, "GET")
        if address in seen or not endpoint or kinds[endpoint] >= PAGES_OF_A_KIND or any(part in address for part in NOT_FOLLOWED):
            continue
        seen.add(address)
        kinds[endpoint] += 1
        answer = client.get(address, headers=HTML)
        assert answer.status_code < 500, (address, answer.status_code)
        forms, links = read(address, answer.text)
        answer.close()
        waiting += [link.partition("#")[0] for link in links]
        yield from forms
