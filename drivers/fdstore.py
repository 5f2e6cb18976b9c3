"""Keeps the descriptors of open channels alive while the line server is dead, so that its calls are not.

Two back ends with one surface, `FdStore`: the service manager's descriptor store (`SystemdFdStore`), and
where there is no systemd the holder process (`HolderFdStore`, drivers/holder.py). Descriptors are known by
name, never by number: systemd hands them back last stored first.

Called from the line server's event loop; every call is one short local message with a limit of `REPLY_S`.
Source: sd_notify(3) FDSTORE, FDSTOREREMOVE, FDNAME, FDPOLL; sd_listen_fds(3).
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Protocol

import msgspec

from drivers.errors import LineError
from drivers.holder import REPLY_S, START_S, Drop, Fetch, Kept, Store, connect, receive_reply, send

FIRST_LISTEN_FD = 3  # Source: sd_listen_fds(3), SD_LISTEN_FDS_START
NAME_LENGTH = 255  # Source: sd_notify(3), FDNAME


class FdStore(Protocol):
    """Descriptors that outlive this process.

    Raises: LineError LIN-061 (a name that cannot be used) or LIN-062 (the keeper does not answer).
    """

    def store(self, name: str, fd: int) -> None:
        """Keep a copy of `fd` under `name`, in place of an earlier one of that name.

        `fd` stays the caller's, who drops the name before closing it.
        """

    def drop(self, name: str) -> None:
        """Keep it no longer; a name that is not there is no error."""

    def fetch(self) -> dict[str, int]:
        """What an earlier process stored, by name, as descriptors of this one; they stay stored."""


def open_store(path: Path, environ: MutableMapping[str, str] = os.environ) -> FdStore:
    """The service manager's store when it started us, else the holder at `path`, started if need be."""
    if environ.get("NOTIFY_SOCKET"):
        return SystemdFdStore(environ)
    return HolderFdStore(path)


def checked_name(name: str) -> str:
    """A name both back ends take: printable ASCII without a colon. Raises: LineError LIN-061."""
    if name.isascii() and name.isprintable() and ":" not in name and 0 < len(name) <= NAME_LENGTH:
        return name
    raise LineError("LIN-061", f"{name!r} cannot name a stored descriptor", "Use printable ASCII, no colon")


def _no_answer(who: str, why: object) -> LineError:
    return LineError(
        "LIN-062",
        f"{who} does not keep our line descriptors: {why}",
        "Calls go on, but would end if the line server died now; `careline doctor` shows the sockets",
    )


class SystemdFdStore:
    """FDSTORE messages over NOTIFY_SOCKET; what was stored is in LISTEN_FDS. Outlives unit restarts."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._address = environ["NOTIFY_SOCKET"]
        self._inherited = _inherited(environ)

    def store(self, name: str, fd: int) -> None:
        self.drop(name)
        # FDPOLL=0: a hung-up line is our business, not a reason to forget its descriptor.
        self._notify(f"FDSTORE=1\nFDNAME={name}\nFDPOLL=0", [fd])

    def drop(self, name: str) -> None:
        self._notify(f"FDSTOREREMOVE=1\nFDNAME={checked_name(name)}", [])

    def fetch(self) -> dict[str, int]:
        found, self._inherited = self._inherited, {}
        return found

    def _notify(self, message: str, fds: list[int]) -> None:
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.settimeout(REPLY_S)
                sock.connect(address)  # send_fds of Python 3.11 ignores its address argument
                socket.send_fds(sock, [message.encode()], fds)
        except OSError as error:
            raise _no_answer(f"the service manager at {self._address}", error) from error


def _inherited(environ: MutableMapping[str, str]) -> dict[str, int]:
    """Descriptors meant for this very process; the variables go, so that no child takes them for its own."""
    pid, count, names = (environ.pop(key, "") for key in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"))
    if pid != str(os.getpid()) or not int(count or 0):
        return {}
    numbers = range(FIRST_LISTEN_FD, FIRST_LISTEN_FD + int(count))
    for number in numbers:
        os.set_inheritable(number, False)
    return dict(zip(names.split(":"), numbers, strict=True))


class HolderFdStore:
    """The holder process behind the unix socket `path`; started when nobody answers there.

    Should the holder die, the next call starts another and hands it everything again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ours: dict[str, int] = {}
        self._sock = _reach(path)

    def store(self, name: str, fd: int) -> None:
        self._ask(Store(checked_name(name)), [fd])
        self._ours[name] = fd

    def drop(self, name: str) -> None:
        self._ours.pop(name, None)
        self._ask(Drop(checked_name(name)), [])

    def fetch(self) -> dict[str, int]:
        kept = self._ask(Fetch(), [])
        self._ours.update(kept)
        return kept

    def close(self) -> None:
        """Leave; what is kept stays kept."""
        self._sock.close()

    def _ask(self, request: Store | Drop | Fetch, fds: list[int]) -> dict[str, int]:
        try:
            with contextlib.suppress(OSError):
                return self._exchange(request, fds)
            self._start_again()
            return self._exchange(request, fds)
        except (OSError, msgspec.MsgspecError) as error:
            raise _no_answer(f"the holder at {self._path}", error) from error

    def _start_again(self) -> None:
        self._sock.close()
        self._sock = _reach(self._path)
        for name, fd in self._ours.items():
            self._exchange(Store(name), [fd])

    def _exchange(self, request: Store | Drop | Fetch, fds: list[int]) -> dict[str, int]:
        send(self._sock, request, fds)
        kept: dict[str, int] = {}
        while True:
            reply, received = receive_reply(self._sock)
            if not isinstance(reply, Kept):
                raise _no_answer(f"the holder at {self._path}", reply.what)
            kept.update(zip(reply.names, received, strict=True))
            if not reply.more:
                return kept


def _reach(path: Path) -> socket.socket:
    """A connection to the holder; starts one when there is none. Raises: LineError LIN-062."""
    with contextlib.suppress(OSError):
        return connect(path)
    _start_holder(path)
    try:
        return connect(path)
    except OSError as error:
        raise _no_answer(f"the holder at {path}", error) from error


def _start_holder(path: Path) -> None:
    """Start the holder as nobody's child; returns when it listens. Raises: LineError LIN-062."""
    command = [sys.executable, "-m", "drivers.holder", "--socket", str(path), "--detach"]
    try:
        subprocess.run(command, stdin=subprocess.DEVNULL, timeout=START_S, check=True)
    except subprocess.SubprocessError as error:
        raise _no_answer(f"the holder at {path}", error) from error
