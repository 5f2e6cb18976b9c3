"""The service manager's descriptor store at the wire: a notify socket of ours, LISTEN_FDS as there."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import LineError
from drivers.fdstore import SystemdFdStore, open_store

# What systemd does: descriptors from 3 on, names in the same order, the pid of the process itself.
CHILD = """
import os, sys
for target, source in enumerate(map(int, sys.argv[2:]), 3):
    os.dup2(source, target)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sys.argv) - 2), LISTEN_FDNAMES=sys.argv[1])
from drivers.fdstore import SystemdFdStore
store = SystemdFdStore({**os.environ, "NOTIFY_SOCKET": "/none"})
for name, fd in sorted(store.fetch().items()):
    print(name, os.read(fd, 10).decode(), os.get_inheritable(fd))
print(store.fetch())
"""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def test_store_sends_the_descriptor_and_its_name(manager: socket.socket) -> None:
    reader, writer = os.pipe()
    store = open_store(Path("/nowhere"), {"NOTIFY_SOCKET": manager.getsockname()})
    store.store("channel-7", writer)
    assert manager.recv(100) == b"FDSTOREREMOVE=1\nFDNAME=channel-7"
    message, fds, _, _ = socket.recv_fds(manager, 100, 2)
    assert message == b"FDSTORE=1\nFDNAME=channel-7\nFDPOLL=0"
    os.write(fds[0], b"it")
    assert os.read(reader, 2) == b"it"
    for fd in (reader, writer, *fds):
        os.close(fd)


def test_drop_names_it(manager: socket.socket) -> None:
    SystemdFdStore({"NOTIFY_SOCKET": manager.getsockname()}).drop("channel-7")
    assert manager.recv(100) == b"FDSTOREREMOVE=1\nFDNAME=channel-7"


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0careline-test-{os.getpid()}")
        sock.settimeout(5)
        SystemdFdStore({"NOTIFY_SOCKET": f"@careline-test-{os.getpid()}"}).drop("x")
        assert sock.recv(100).endswith(b"FDNAME=x")


def test_inherited_descriptors_go_by_name_whatever_their_order() -> None:
    pipes = [os.pipe() for _ in range(2)]
    for (_, writer), said in zip(pipes, (b"two", b"one"), strict=True):
        os.write(writer, said)
    readers = [reader for reader, _ in pipes]
    done = subprocess.run(
        [sys.executable, "-c", CHILD, "channel-2:channel-1", *map(str, readers)],
        pass_fds=readers, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["channel-1 one False", "channel-2 two False", "{}"]
    for fd in (fd for pipe in pipes for fd in pipe):
        os.close(fd)


def test_descriptors_of_another_process_are_not_taken_and_the_variables_go() -> None:
    environ = {"NOTIFY_SOCKET": "/none", "LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"}
    assert SystemdFdStore(environ).fetch() == {}
    assert environ == {"NOTIFY_SOCKET": "/none"}


def test_a_manager_that_is_gone_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LineError, match="LIN-062"):
        SystemdFdStore({"NOTIFY_SOCKET": str(tmp_path / "gone")}).store("channel-1", 0)
