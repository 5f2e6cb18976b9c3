"""Unix sockets that only the right people reach: file mode and the peer's credentials, both. Used by every process of the box.

`PrivateServer` belongs to the event loop that opened it; the functions may be called from anywhere.
"""

import asyncio
import contextlib
import grp
import logging
import os
import pwd
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

from drivers.errors import LineError

LOOK_S = 2.0

log = logging.getLogger("careline.socket")

Serve = Callable[[socket.socket], Awaitable[asyncio.Server]]


def listen(path: Path, group: str | None = None) -> socket.socket:
    """A listening stream socket at `path`, mode 0660 with `group`, else 0600. A socket left by a dead process is replaced.

    Raises: LineError LIN-022 when a live process answers there, LIN-023 when the folder cannot be written.
    """
    if _answers(path):
        raise LineError("LIN-022", f"another process already serves {path}", "Stop it first; `careline doctor` names it")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        old_mask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(old_mask)
        if group:
            os.chown(path, -1, grp.getgrnam(group).gr_gid)
            path.chmod(0o660)
    except (OSError, KeyError) as error:
        listener.close()
        raise LineError("LIN-023", f"cannot make the socket {path}: {error}", "Check [paths] run_dir and who owns it") from error
    listener.listen(64)
    return listener


def _answers(path: Path) -> bool:
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.settimeout(1)
    with contextlib.closing(probe):
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


class PrivateServer:
    """A server on a private socket that stays reachable: when the file is deleted (cleaners of temporary folders do that), it is made
    again within LOOK_S. Connections do not notice. `serve` makes an asyncio server of a listening socket.
    """

    def __init__(self, path: Path, group: str | None, serve: Serve) -> None:
        self._path, self._group, self._serve = path, group, serve
        self._servers: list[asyncio.Server] = []  # the last one has the file; one before it may be accepting yet
        self._file: tuple[int, int] | None = None
        self._fault = ""
        self._next_look: asyncio.TimerHandle | None = None
        self._making: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Raises: LineError LIN-022, LIN-023 (see listen)."""
        await self._make()
        self._look_later()

    def stop_accepting(self) -> None:
        """Whoever connects from now on waits until `close`, and is turned away."""
        self._stop_looking()
        for server in self._servers:
            for listener in server.sockets:
                asyncio.get_running_loop().remove_reader(listener.fileno())

    def close(self) -> None:
        """Stop listening; connections stay as they are."""
        self._stop_looking()
        for server in self._servers:
            server.close()
        if self._servers and file_id(self._path) == self._file:
            self._path.unlink(missing_ok=True)

    async def _make(self) -> None:
        listener = listen(self._path, self._group)
        self._file = file_id(self._path)
        self._servers.append(await self._serve(listener))

    def _look_later(self) -> None:
        self._next_look = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _stop_looking(self) -> None:
        for waiting in (self._next_look, self._making):
            if waiting:
                waiting.cancel()

    def _look(self) -> None:
        while len(self._servers) > 1:  # out of reach since the last look, so nobody is being accepted there
            self._servers.pop(0).close()
        if file_id(self._path) == self._file:
            self._look_later()
        else:
            self._making = asyncio.create_task(self._make_again())

    async def _make_again(self) -> None:
        try:
            await self._make()
            log.warning("LIN-084 the socket %s was deleted and is made again. Keep cleaners of temporary files out of there", self._path)
            self._fault = ""
        except LineError as error:
            if str(error) != self._fault:
                log.error("LIN-084 the socket %s was deleted: %s", self._path, error)
            self._fault = str(error)
        self._look_later()


def file_id(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that took its name; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def peer_ids(connection: socket.socket) -> tuple[int, int, int]:
    """Process, user and group id of the other side. Source: unix(7), SO_PEERCRED."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, gid = struct.unpack("3i", packed)
    return pid, uid, gid


def may_enter(connection: socket.socket, group: str | None = None) -> bool:
    """True for root, our own user, and members of `group`."""
    _, uid, gid = peer_ids(connection)
    if uid in (0, os.geteuid()):
        return True
    return group is not None and _in_group(uid, gid, group)


def _in_group(uid: int, gid: int, group: str) -> bool:
    try:
        entry = grp.getgrnam(group)
        return gid == entry.gr_gid or pwd.getpwuid(uid).pw_name in entry.gr_mem
    except KeyError:
        return False
