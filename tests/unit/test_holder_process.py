"""The holder and its client: real processes, real sockets, real kill -9."""

import contextlib
import os
import selectors
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.errors import LineError
from drivers.fdstore import HolderFdStore
from drivers.holder import BATCH, connect

LIMIT_S = 20

# A line server in small: stores both ends of a pipe pair under two names, says so, and waits to be killed.
KEEPER = """
import os, socket, sys, time
from pathlib import Path
from drivers.fdstore import HolderFdStore
left, right = socket.socketpair()
store = HolderFdStore(Path(sys.argv[1]))
store.store("channel-2", right.fileno())
store.store("channel-1", left.fileno())
print("stored", flush=True)
time.sleep(60)
"""

NOBODY = 65534

STRANGER = """
import socket, sys
sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sock.settimeout(5)
sock.connect(sys.argv[1])
print(sock.recv(100))
"""


@contextlib.contextmanager
def holder_at(path: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A holder process that listens."""
    process = subprocess.Popen([sys.executable, "-m", "drivers.holder", "--socket", str(path), *options])
    try:
        reached(path)  # one that is told to go soon may be gone already
        yield process
    finally:
        process.kill()
        process.wait(LIMIT_S)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "holder.sock"


def reached(path: Path) -> bool:
    """Whether somebody listens there before LIMIT_S have passed."""
    with selectors.DefaultSelector() as nothing:
        for _ in range(LIMIT_S * 50):
            with contextlib.suppress(OSError):
                connect(path).close()
                return True
            nothing.select(0.02)
    return False


def close_all(fds: dict[str, int]) -> None:
    for fd in fds.values():
        os.close(fd)


def test_deleted_socket_is_made_again_with_all_that_is_kept(path: Path) -> None:
    with holder_at(path), open(os.devnull) as kept, contextlib.closing(HolderFdStore(path)) as store:
        store.store("channel-1", kept.fileno())
        path.unlink()
        assert reached(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with contextlib.closing(HolderFdStore(path)) as next_store:
            found = next_store.fetch()
        close_all(found)
    assert list(found) == ["channel-1"]


def test_descriptors_outlive_a_killed_line_server(path: Path) -> None:
    with holder_at(path):
        keeper = subprocess.Popen([sys.executable, "-c", KEEPER, str(path)], stdout=subprocess.PIPE)
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"stored\n"
        keeper.kill()
        keeper.wait(LIMIT_S)
        keeper.stdout.close()
        store = HolderFdStore(path)
        kept = store.fetch()
        assert sorted(kept) == ["channel-1", "channel-2"]
        os.write(kept["channel-1"], b"still talking")
        assert os.read(kept["channel-2"], 100) == b"still talking"
        assert not os.get_inheritable(kept["channel-1"])
        store.close()
        close_all(kept)


def test_a_dropped_descriptor_is_closed_and_an_unknown_name_is_no_error(path: Path) -> None:
    with holder_at(path):
        store = HolderFdStore(path)
        reader, writer = os.pipe()
        store.store("line", writer)
        os.close(writer)
        store.drop("line")
        store.drop("never stored")
        assert os.read(reader, 1) == b""
        assert store.fetch() == {}
        store.close()
        os.close(reader)


def test_storing_a_name_again_replaces_it(path: Path) -> None:
    with holder_at(path):
        store = HolderFdStore(path)
        first, second = os.open("/dev/null", os.O_RDONLY), os.open("/dev/zero", os.O_RDONLY)
        store.store("line", first)
        store.store("line", second)
        kept = store.fetch()
        assert os.read(kept["line"], 1) == b"\0"
        store.close()
        close_all({"1": first, "2": second, **kept})


def test_more_descriptors_than_one_packet_holds(path: Path) -> None:
    with holder_at(path):
        store = HolderFdStore(path)
        zero = os.open("/dev/zero", os.O_RDONLY)
        names = {f"channel-{number}" for number in range(BATCH * 2 + 5)}
        for name in names:
            store.store(name, zero)
        kept = store.fetch()
        assert set(kept) == names
        store.close()
        close_all({"zero": zero, **kept})


def test_a_killed_holder_is_replaced_and_gets_everything_again(path: Path) -> None:
    with holder_at(path) as first:
        store = HolderFdStore(path)
        zero = os.open("/dev/zero", os.O_RDONLY)
        store.store("one", zero)
        first.kill()
        first.wait(LIMIT_S)
        store.store("two", zero)
        pid = _holder_pid(path)
        try:
            kept = store.fetch()
            assert sorted(kept) == ["one", "two"]
        finally:
            os.kill(pid, signal.SIGTERM)
        store.close()
        close_all({"zero": zero, **kept})


def _holder_pid(path: Path) -> int:
    """Who listens at `path`, as the kernel knows it."""
    with connect(path) as sock:
        return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4), sys.byteorder)


def test_the_socket_is_private(path: Path) -> None:
    with holder_at(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_garbage_is_refused_and_others_are_served_on(path: Path) -> None:
    with holder_at(path):
        store = HolderFdStore(path)
        with connect(path) as stranger:
            stranger.send(b"\xc1 not a message")
            assert b"Refusal" in stranger.recv(1000)
            assert stranger.recv(1000) == b""
        assert store.fetch() == {}
        store.close()


def test_a_store_without_a_descriptor_is_refused(path: Path) -> None:
    with holder_at(path), connect(path) as client:
        client.send(b"\x82\xa4type\xa5Store\xa4name\xa1x")
        assert b"one was expected" in client.recv(1000)


def test_a_second_holder_leaves_the_first_alone(path: Path) -> None:
    with holder_at(path) as first:
        again = [sys.executable, "-m", "drivers.holder", "--socket", str(path)]
        assert subprocess.run(again, timeout=LIMIT_S, check=False).returncode == 0
        assert _holder_pid(path) == first.pid


def test_a_holder_with_nothing_to_hold_goes_away(path: Path) -> None:
    with holder_at(path, "--idle-s", "0.05") as process:
        assert process.wait(LIMIT_S) == 0
        assert not path.exists()


def test_abandoned_descriptors_are_let_go(path: Path) -> None:
    reader, writer = os.pipe()
    with holder_at(path, "--abandoned-s", "0.05") as process:
        store = HolderFdStore(path)
        store.store("line", writer)
        os.close(writer)
        store.close()
        assert process.wait(LIMIT_S) == 0
    assert os.read(reader, 1) == b""
    os.close(reader)


@pytest.mark.parametrize("name", ["", "a:b", "行", "a\nFDSTOREREMOVE=1", "x" * 256])
def test_a_name_that_systemd_would_not_take_is_refused(path: Path, name: str) -> None:
    with holder_at(path):
        store = HolderFdStore(path)
        with pytest.raises(LineError, match="LIN-061"):
            store.store(name, 0)
        store.close()


def test_no_holder_can_be_started_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LineError, match="LIN-062"):
        HolderFdStore(tmp_path / "no such folder" / "holder.sock")


def test_another_user_is_turned_away_even_when_the_file_would_let_him_in() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "holder.sock"
        with holder_at(path):
            Path(folder).chmod(0o755)
            path.chmod(0o666)
            python = os.path.realpath(sys.executable)  # the checkout may lie where he cannot reach
            stranger = [python, "-c", STRANGER, str(path)]
            done = subprocess.run(stranger, user=NOBODY, capture_output=True, timeout=LIMIT_S, check=True)
            assert done.stdout == b"b''\n"
            store = HolderFdStore(path)
            assert store.fetch() == {}
            store.close()
