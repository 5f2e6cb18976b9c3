"""The console's texts in both languages, read once from texts/*.toml. A key is "group.name"; a text has named places."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
TEXTS_DIR = Path(__file__).parent / "texts"


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """All texts: key to language to text."""
    found: dict[str, Mapping[str, str]] = {}
    for file in sorted(TEXTS_DIR.glob("*.toml")):
        for group, names in tomllib.loads(file.read_text("utf-8")).items():
            found.update({f"{group}.{name}": spoken for name, spoken in names.items()})
    return found


def say(language: Language, key: str, /, **values: object) -> str:
    """Raises: KeyError for a key or a place that is missing."""
    text = texts()[key][language]
    return text.format(**values) if values else text


def word(language: Language, group: str, name: str) -> str:
    """The text of a value such as "ok" or "red" in that group, or the value itself when it is newer than the texts."""
    found = texts().get(f"{group}.{name}")
    return found[language] if found else name


def language_of(name: str) -> Language:
    return "en" if name == "en" else "zh"
