"""Unix sockets that only the right people reach: file mode and the peer's credentials, both. Used by every process of the box."""

import contextlib
import grp
import os
import pwd
import socket
import struct
from pathlib import Path

from drivers.errors import LineError


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
