"""Files only this process may read: the key that signs session cookies, and the one-time code that lets the first administrator in."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from webui.errors import WebError

KEY_BYTES = 32
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
CODE_GROUPS = 4


def secret_key(data_dir: Path) -> bytes:
    """The key kept in `data_dir`, made at the first start. Raises: WebError WEB-006."""
    return bytes.fromhex(_kept(data_dir / "web-secret", lambda: secrets.token_hex(KEY_BYTES)))


def setup_code(data_dir: Path) -> str:
    """The code that must be typed to make the first account, e.g. "K7QM-2XWB-9RTD-HHVA". Raises: WebError WEB-006."""
    return _kept(setup_code_file(data_dir), _new_code)


def setup_code_file(data_dir: Path) -> Path:
    return data_dir / "setup-code"


def forget_setup_code(data_dir: Path) -> None:
    setup_code_file(data_dir).unlink(missing_ok=True)


def same_code(typed: str, code: str) -> bool:
    """Case, blanks and dashes do not matter."""
    return secrets.compare_digest(_plain(typed), _plain(code))


def _plain(code: str) -> bytes:
    return "".join(letter for letter in code.upper() if letter.isalnum()).encode()


def _new_code() -> str:
    return "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(4)) for _ in range(CODE_GROUPS))


def _kept(path: Path, make: Callable[[], str]) -> str:
    try:
        with contextlib.suppress(FileExistsError):
            _write_new(path, make())
        return _read(path)
    except (OSError, ValueError) as error:
        raise WebError("WEB-006", f"cannot keep {path}: {error}", "Check who owns the data folder, or remove that file") from error


def _write_new(path: Path, text: str) -> None:
    """Whole or not at all: written aside, then linked into place, which fails when another was faster."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(aside, path)
    finally:
        aside.unlink()


def _read(path: Path) -> str:
    text = path.read_text().strip()
    if len(text) < CODE_GROUPS * 4:
        raise ValueError("it is empty or cut short")
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return text
