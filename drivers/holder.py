"""The holder: a tiny process that keeps the line server's descriptors where there is no systemd.

One thread, one socket (`python -m drivers.holder --socket PATH`), and it never looks into what it holds. One
packet is one message (msgpack), descriptors travel beside it. Reached through drivers.fdstore.HolderFdStore.
Source: unix(7), SCM_RIGHTS, SO_PEERCRED, SOCK_SEQPACKET.
"""

import argparse
import contextlib
import fcntl
import math
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

REPLY_S = 5.0
START_S = 10.0
POLL_S = 0.02
LOOK_S = 2.0  # until a socket whose file was deleted is made again
IDLE_S = 60.0  # a holder that holds nothing and serves nobody goes away
ABANDONED_S = 3600.0  # an hour without a line server: let the lines go, or their calls would last for ever
BATCH = 200  # descriptors in one packet; the kernel's limit is SCM_MAX_FD = 253
PACKET_BYTES = 1 << 16


class _Message(msgspec.Struct, frozen=True, tag=True):
    pass


class Store(_Message, frozen=True):
    """Keep the descriptor beside this packet, in place of an earlier one of that name."""

    name: str


class Drop(_Message, frozen=True):
    name: str


class Fetch(_Message, frozen=True):
    """Copies of everything, in packets of BATCH."""


class Kept(_Message, frozen=True):
    """Names in the order of the descriptors beside this packet; `more` of them follow in another."""

    names: tuple[str, ...] = ()
    more: bool = False


class Refusal(_Message, frozen=True):
    """The connection ends after this."""

    what: str


_request = msgspec.msgpack.Decoder(Store | Drop | Fetch)
_reply = msgspec.msgpack.Decoder(Kept | Refusal)


def send(sock: socket.socket, message: msgspec.Struct, fds: list[int]) -> None:
    """One packet with its descriptors. Raises: OSError."""
    socket.send_fds(sock, [msgspec.msgpack.encode(message)], fds)


def receive_reply(sock: socket.socket) -> tuple[Kept | Refusal, list[int]]:
    """One packet from the holder. Raises: OSError, msgspec.MsgspecError."""
    body, fds = _packet(sock)
    return _reply.decode(body), fds


def connect(path: Path) -> socket.socket:
    """A connection to the holder at `path`. Raises: OSError when there is none."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    sock.settimeout(REPLY_S)
    try:
        sock.connect(str(path))
    except OSError:
        sock.close()
        raise
    return sock


def _packet(sock: socket.socket) -> tuple[bytes, list[int]]:
    body, fds, _, _ = socket.recv_fds(sock, PACKET_BYTES, BATCH)
    for fd in fds:
        os.set_inheritable(fd, False)  # recv_fds of Python 3.11 ignores its flags argument
    if not body:
        raise ConnectionResetError("the other end closed the connection")
    return body, fds


class Holder:
    """A socket, and descriptors by name."""

    def __init__(self, path: Path, idle_s: float = IDLE_S, abandoned_s: float = ABANDONED_S) -> None:
        self._path = path
        self._idle_s = idle_s
        self._abandoned_s = abandoned_s
        self._kept: dict[str, int] = {}
        self._selector = selectors.DefaultSelector()
        self._listener = _listen(path)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until there is nobody to serve and nothing worth keeping."""
        while ready := self._ready():
            for key, _ in ready:
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._answer(key.fileobj)
        self._path.unlink(missing_ok=True)

    def _ready(self) -> list[tuple[selectors.SelectorKey, int]]:
        """Who has something to say; nobody when patience has ended."""
        until = time.monotonic() + self._patience_s()
        while (left_s := until - time.monotonic()) > 0:
            if ready := self._selector.select(min(LOOK_S, left_s)):
                return ready
            self._stay_reachable()
        return []

    def _stay_reachable(self) -> None:
        """A cleaner of temporary folders may have deleted the socket, and the next line server must find what is kept."""
        if self._path.exists():
            return
        with contextlib.suppress(OSError):  # the folder is gone too: at the next look, perhaps
            listener = _listen(self._path)
            self._selector.unregister(self._listener)
            self._listener.close()
            self._listener = listener
            self._selector.register(listener, selectors.EVENT_READ)

    def _patience_s(self) -> float:
        if len(self._selector.get_map()) > 1:
            return math.inf
        return self._abandoned_s if self._kept else self._idle_s

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        if peer_uid(sock) not in (0, os.geteuid()):
            sock.close()
            return
        sock.settimeout(REPLY_S)
        self._selector.register(sock, selectors.EVENT_READ)

    def _answer(self, sock: socket.socket) -> None:
        try:
            body, fds = _packet(sock)
            with _closing(fds):
                for reply in self._carry_out(_request.decode(body), fds):
                    send(sock, reply, [self._kept[name] for name in reply.names])
        except (msgspec.MsgspecError, ValueError) as error:
            with contextlib.suppress(OSError):
                send(sock, Refusal(str(error)), [])
            self._part(sock)
        except OSError:
            self._part(sock)

    def _carry_out(self, request: Store | Drop | Fetch, fds: list[int]) -> Iterator[Kept]:
        if isinstance(request, Fetch):
            yield from _batches(tuple(self._kept))
            return
        if isinstance(request, Store):
            if len(fds) != 1:
                raise ValueError(f"{len(fds)} descriptors came with {request.name!r}, one was expected")
            self._drop(request.name)
            self._kept[request.name] = fds.pop()
        else:
            self._drop(request.name)
        yield Kept()

    def _drop(self, name: str) -> None:
        if name in self._kept:
            os.close(self._kept.pop(name))

    def _part(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        sock.close()


def _batches(names: tuple[str, ...]) -> Iterator[Kept]:
    for start in range(0, max(1, len(names)), BATCH):
        yield Kept(names[start : start + BATCH], start + BATCH < len(names))


@contextlib.contextmanager
def _closing(fds: list[int]) -> Iterator[None]:
    """Close those nobody took out of the list."""
    try:
        yield
    finally:
        for fd in fds:
            os.close(fd)


def peer_uid(sock: socket.socket) -> int:
    """Who is at the other end, as the kernel knows it."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])


def _listen(path: Path) -> socket.socket:
    """The socket, open to our user alone. Called by who has the lock, so a file there is a dead holder's."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    old = os.umask(0o177)
    try:
        sock.bind(str(path))
    finally:
        os.umask(old)
    sock.listen(8)
    return sock


def _lock(path: Path) -> bool:
    """Take the right to be the holder at `path` while this process lives. False: another one serves there."""
    fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(int(START_S / POLL_S)):  # one that is just going still has the lock
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        with contextlib.suppress(OSError):
            connect(path).close()
            return False
        time.sleep(POLL_S)
    raise SystemExit(f"LIN-063: {path} is locked but silent. End the process `fuser {path}.lock` shows")


def _fork_away() -> int:
    """Go on as a child of init in our own session; the starter ends when the returned descriptor is written."""
    starter, ready = os.pipe()
    if os.fork():
        os.close(ready)
        os._exit(0 if os.read(starter, 1) else 1)
    os.close(starter)
    os.setsid()
    return ready


def _release_starter(ready: int) -> None:
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.write(ready, b"!")
    os.close(ready)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="drivers.holder", description=main.__doc__)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--detach", action="store_true", help="go to the background once the socket is there")
    parser.add_argument("--idle-s", type=float, default=IDLE_S)
    parser.add_argument("--abandoned-s", type=float, default=ABANDONED_S)
    return parser.parse_args()


def main() -> int:
    """Hold descriptors until SIGTERM, IDLE_S with nothing to hold, or ABANDONED_S without a line server."""
    options = _options()
    path = options.socket.absolute()
    if not _lock(path):
        return 0
    ready = _fork_away() if options.detach else None
    holder = Holder(path, options.idle_s, options.abandoned_s)
    if ready is not None:
        _release_starter(ready)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is meant for the line server
    holder.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
