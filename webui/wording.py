"""Every text of the pages in both languages, read once from webui/texts/*.toml. Pure after loading; used by every thread.

A key is "group.name"; a text has named places: "{count} calls". A key that does not exist is a KeyError, found by a test of each page.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("zh", "en")
DEFAULT_LANGUAGE = "zh"
TEXTS_DIR = Path(__file__).parent / "texts"


class Wording:
    """Texts by key and language."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]]) -> None:
        self._texts = texts

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(self._texts)

    def has(self, key: str) -> bool:
        return key in self._texts

    def say(self, language: str, key: str, /, **values: object) -> str:
        """The text of `key` with its places filled in. Raises: KeyError for an unknown key or a place without value."""
        text = self._texts[key][language]
        return text.format(**values) if values else text

    def of(self, key: str) -> Mapping[str, str]:
        return self._texts[key]


def load_wording(folder: Path = TEXTS_DIR) -> Wording:
    """All texts of `folder`."""
    texts: dict[str, Mapping[str, str]] = {}
    for file in sorted(folder.glob("*.toml")):
        for group, names in tomllib.loads(file.read_text("utf-8")).items():
            texts.update({f"{group}.{name}": spoken for name, spoken in names.items()})
    return Wording(texts)


def language_for(wish: str | None) -> str | None:
    """The language of ours that a cookie or an account names, if it is one."""
    return wish if wish in LANGUAGES else None
