"""Section `[console]` of careline.toml, and which serial ports are consoles. Pure but for reading settings files.

A port that any other part of the box names (modem, call records, uninterruptible power supply) is not one.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import msgspec

from appliance.console.claimed import is_claimed
from drivers import settings

BAUDS = (9600, 19200, 38400, 57600, 115200)


class ConsoleConfig(msgspec.Struct, frozen=True, kw_only=True):
    """ttys: names or patterns of serial ports that are consoles. baud: their speed, 8 data bits, no parity. idle_min: without a key for so
    long one is logged out."""

    ttys: tuple[str, ...] = ("ttyS0", "ttyUSB*")
    baud: Annotated[int, msgspec.Meta(ge=1200, le=921_600)] = 115_200
    idle_min: Annotated[int, msgspec.Meta(ge=1, le=240)] = 15


class First(msgspec.Struct, frozen=True):
    """What is needed before anybody is there; the rest of careline.toml is read, and large parts of the program loaded, after that."""

    paths: settings.Paths = settings.Paths()
    console: ConsoleConfig = ConsoleConfig()
    hospital: dict[str, object] = {}
    calls: dict[str, object] = {}

    @property
    def hospital_name(self) -> str:
        return str(self.hospital.get("name_zh", ""))


def first(file: Path) -> First:
    """A file that cannot be used is told to whoever comes, not here."""
    try:
        return msgspec.toml.decode(file.read_bytes(), type=First)
    except (OSError, ValueError):
        return First()


def is_console(tty: str, config: ConsoleConfig, texts: Iterable[str]) -> bool:
    """Whether that port ("ttyUSB0") is one. `texts`: of all settings files, in which others may name it."""
    if not any(fnmatchcase(tty, pattern) for pattern in config.ttys):
        return False
    return not is_claimed(tty, texts)


def settings_texts(file: Path, data_dir: Path) -> list[str]:
    """What careline.toml says, and those settings changed at run time that this user may read."""
    return [text for path in (file, *sorted((data_dir / "system").glob("**/*.toml"))) if (text := _text(path)) is not None]


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None
