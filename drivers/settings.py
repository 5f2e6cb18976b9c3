"""Reading a TOML file into typed structs with errors a person can act on. Pure; used by the line server and the call agent."""

import os
import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from drivers.errors import ConfigError

S = TypeVar("S", bound=msgspec.Struct)

SOCKET_PATH_BYTES = 107  # sun_path has 108, the last one is 0. Source: unix(7)


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Where the processes meet (`[paths]`): sockets in `run_dir`, what must last in `data_dir`. `database`: the address of a database on
    a PostgreSQL server, instead of the one in data_dir; `database_password_file`: the password in its first line."""

    run_dir: str = "/run/careline"
    data_dir: str = "/var/lib/careline"
    database_url: str = msgspec.field(default="", name="database")
    database_password_file: str = ""

    @property
    def lines_socket(self) -> Path:
        return Path(self.run_dir) / "lines.sock"

    @property
    def handset_socket(self) -> Path:
        return Path(self.run_dir) / "handset.sock"

    @property
    def control_socket(self) -> Path:
        return Path(self.run_dir) / "control.sock"

    @property
    def holder_socket(self) -> Path:
        return Path(self.run_dir) / "holder.sock"

    @property
    def system_socket(self) -> Path:
        return Path(self.run_dir) / "system.sock"

    @property
    def sockets(self) -> tuple[Path, ...]:
        """All of them."""
        return self.lines_socket, self.handset_socket, self.control_socket, self.holder_socket, self.system_socket

    @property
    def database(self) -> Path:
        """The file of the store, where `database_url` names no other."""
        return Path(self.data_dir) / "careline.db"

    @property
    def line_setup(self) -> Path:
        """The tables of `[lines]` that were set up from the web; they go before those of careline.toml."""
        return Path(self.data_dir) / "lines.toml"

    @property
    def recordings_dir(self) -> Path:
        return Path(self.data_dir) / "recordings"


def check_ranges(where: str, limits: Iterable[tuple[str, float, float, float]], code: str = "CFG-034") -> None:
    """`limits`: key (after `where`), number, lowest and highest allowed. Raises: ConfigError for the first that is out of range."""
    for key, number, lowest, highest in limits:
        if not lowest <= number <= highest:
            raise ConfigError(code, f"{where}{key} = {number}", f"Allowed are {lowest} to {highest}")


def load(path: Path, shape: type[S]) -> S:
    """Read the whole of `path` as a `shape`: one file, careline.toml, serves all processes.

    A section that belongs to another process is a `dict[str, Any]` in this one's shape. An unknown key, a wrong type or a value out of
    range is an error that names file, key and what is allowed.

    Raises: ConfigError CFG-001 unreadable, CFG-002 not TOML, CFG-003 unknown key, CFG-004 wrong value, CFG-005 run_dir too long, CFG-006 no
    path.
    """
    read = convert(path, _read(path), shape)
    if isinstance(paths := getattr(read, "paths", None), Paths):
        _check_characters(path, paths)
        _check_sockets(path, paths)
    return read


def load_paths(path: Path) -> Paths:
    """`[paths]` alone, for a program that must work whatever the other sections say. Raises: ConfigError as `load`."""
    paths = convert(path, {"paths": _read(path).get("paths", {})}, _PathsAlone).paths
    _check_characters(path, paths)
    return paths


class _PathsAlone(msgspec.Struct, frozen=True):
    paths: Paths = Paths()


def convert(path: Path, table: dict[str, Any], shape: type[S]) -> S:
    """`table`, which stands in `path`, as a `shape`. Raises: ConfigError CFG-003, CFG-004."""
    _refuse_unknown(path, table, shape, "")
    try:
        return msgspec.convert(table, shape)
    except msgspec.ValidationError as error:
        raise ConfigError("CFG-004", f"{path}: {error}", _allowed_at(shape, str(error))) from error


def _check_characters(path: Path, paths: Paths) -> None:
    """The kernel takes a 0 for the end of the path. Source: path_resolution(7)."""
    for key, folder in (("run_dir", paths.run_dir), ("data_dir", paths.data_dir)):
        if "\0" in folder:
            raise ConfigError(
                "CFG-006", f"{path}: paths.{key} = {folder!r}: it has a character 0", 'Write the path, as "/var/lib/careline"'
            )


def _check_sockets(path: Path, paths: Paths) -> None:
    """A longer one cannot be bound, and the kernel's error does not say why."""
    longest = max(len(os.fsencode(socket.absolute())) for socket in paths.sockets)
    if longest > SOCKET_PATH_BYTES:
        what = f"{path}: paths.run_dir = \"{paths.run_dir}\": its sockets' paths have {longest} bytes, a unix socket's may have"
        too_much = longest - SOCKET_PATH_BYTES
        raise ConfigError("CFG-005", f"{what} {SOCKET_PATH_BYTES}", f"Use a run_dir at least {too_much} bytes shorter, as /run/careline")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError("CFG-001", f"cannot read {path}: {error.strerror}", "Create it, or name another with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("CFG-002", f"{path} is not TOML: {error}", "Correct that line") from error


def _refuse_unknown(path: Path, table: dict[str, Any], shape: Any, prefix: str) -> None:
    allowed = {field.encode_name: field.type for field in msgspec.structs.fields(shape)}
    for key, value in table.items():
        if key not in allowed:
            raise ConfigError("CFG-003", f"{path}: unknown key `{prefix}{key}`", _suggest(key, list(allowed)))
        for part, inner in _structs_below(value, allowed[key]):
            _refuse_unknown(path, part, inner, f"{prefix}{key}.")


def _structs_below(value: Any, kind: Any) -> list[tuple[dict[str, Any], Any]]:
    """The tables below a value that are themselves structs: directly, in a list, or in a table of tables."""
    inner = _struct_in(kind)
    if inner is None:
        return []
    if isinstance(value, dict) and isinstance(kind, type):
        return [(value, inner)]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [(part, inner) for part in parts if isinstance(part, dict)]


def _struct_in(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for found in map(_struct_in, getattr(kind, "__args__", ())) if found), None)


def _allowed_at(shape: Any, fault: str) -> str:
    """The remedy for a wrong value: the words allowed where a fixed set of them is."""
    where = re.search(r"at `\$\.([^`]+)`", fault)
    kind = shape
    for name in re.findall(r"\w+(?=[.\[]|$)", where[1]) if where else ():
        struct = _struct_in(kind)
        kind = next((field.type for field in msgspec.structs.fields(struct) if field.encode_name == name), kind) if struct else kind
    words = _words_of(kind)
    return f"Allowed here: {', '.join(words)}" if words else "Correct the value"


def _words_of(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(word) or '""' for word in get_args(kind)]
    return [str(member.value) for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else []


def _suggest(key: str, allowed: list[str]) -> str:
    near = get_close_matches(key, allowed, 1)
    hint = f"Did you mean `{near[0]}`? " if near else ""
    return f"{hint}Allowed here: {', '.join(sorted(allowed))}"
