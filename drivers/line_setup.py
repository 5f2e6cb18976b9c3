"""The set-up of lines as a file: written as TOML, compared, tried and kept. Blocking on small files; main thread of the line server.

`lines.toml` in data_dir is in use, `lines.toml.trying` is tried and not yet kept: a process that starts meanwhile knows nothing of it, and
so goes back. `lines.toml.old` is the one before.
"""

import difflib
import json
import logging
import os
import types
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from drivers import settings
from drivers.config import LINE_SETUP_FILE, LINE_SETUP_TRYING, GroupConfig, LineSetup
from drivers.errors import ConfigError
from drivers.protocol import FieldFound
from drivers.signalling.pri.config import PriConfig
from drivers.signalling.r2 import R2Span
from drivers.span_plans import SpanPlan

log = logging.getLogger("careline.lines")

TRYING, OLD = LINE_SETUP_TRYING, f"{LINE_SETUP_FILE}.old"
HEAD = "# The lines as set up from the web pages; these tables go before those of careline.toml.\n"
TABLES: Mapping[str, type[msgspec.Struct]] = {"spans": SpanPlan, "groups": GroupConfig, "pri": PriConfig, "r2": R2Span}


def parse(setup: bytes) -> LineSetup:
    """A set-up as JSON. Raises: ConfigError CFG-003 an unknown key, CFG-004 a wrong value, CFG-098 no table at all."""
    try:
        table = msgspec.json.decode(setup, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigError("CFG-098", f"the set-up cannot be read: {error}", "Send a JSON object") from error
    return settings.convert(Path("set-up"), table, LineSetup)


def as_toml(setup: LineSetup) -> str:
    """Only what differs from the defaults."""
    return HEAD + "".join(text for name in TABLES for table in getattr(setup, name) for text in _table(f"[[{name}]]", table))


def diff(before: LineSetup, after: LineSetup) -> str:
    """Unified, empty when nothing changes."""
    old, new = as_toml(before).splitlines(), as_toml(after).splitlines()
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=2))[2:])


def write_trying(data_dir: Path, setup: LineSetup) -> None:
    """So that a power cut leaves all of it or nothing. Raises: ConfigError CFG-099."""
    path = data_dir / TRYING
    fresh = path.with_suffix(".new")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with fresh.open("w", encoding="utf-8") as file:
            file.write(as_toml(setup))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def keep(data_dir: Path) -> None:
    """The set-up that was tried is the one in use; the one before is kept beside it. Raises: ConfigError CFG-099."""
    path = data_dir / LINE_SETUP_FILE
    try:
        if path.exists():
            (data_dir / OLD).unlink(missing_ok=True)
            os.link(path, data_dir / OLD)
        (data_dir / TRYING).replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error


def forget(data_dir: Path) -> None:
    """The set-up that was tried is no more."""
    try:
        (data_dir / TRYING).unlink(missing_ok=True)
    except OSError as error:
        log.error("%s", _cannot_write(data_dir / TRYING, error))


def fields() -> dict[str, tuple[FieldFound, ...]]:
    """Keys of the tables that a form can ask for: those with one word or number each."""
    return {name: tuple(_fields(struct)) for name, struct in TABLES.items()}


def _fields(struct: type[msgspec.Struct]) -> Iterator[FieldFound]:
    for field in msgspec.structs.fields(struct):
        kind, choices = _kind(field.type)
        if kind:
            default = "" if field.default is msgspec.NODEFAULT or kind == "list" else str(_plain(field.default))
            yield FieldFound(name=field.name, kind=kind, choices=choices, default=default.lower() if kind == "flag" else default)


def _kind(kind: Any) -> tuple[str, tuple[str, ...]]:
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is tuple and get_args(kind)[:1] == (str,):
        return "list", ()
    if get_origin(kind) is Literal:
        return "choice", tuple(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "choice", tuple(str(member.value) for member in kind)
    return {bool: "flag", int: "number", float: "number", str: "text"}.get(kind, ""), ()


def _table(head: str, struct: msgspec.Struct) -> Iterator[str]:
    yield f"\n{head}\n"
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.required or value != (field.default if field.default is not msgspec.NODEFAULT else field.default_factory()):
            yield f"{field.name} = {_value(value)}\n"


def _value(value: Any) -> str:
    """A TOML value in one line. A basic string of TOML is written as one of JSON. Source: toml.io, v1.0.0."""
    value = _plain(value)
    if isinstance(value, msgspec.Struct):
        inner = {field.name: getattr(value, field.name) for field in msgspec.structs.fields(value)}
        return _value({name: each for name, each in inner.items() if each is not None})
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple | list | frozenset):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _cannot_write(path: Path, error: OSError) -> ConfigError:
    return ConfigError("CFG-099", f"cannot write {path}: {error.strerror}", "Check the folder's rights and free space")
