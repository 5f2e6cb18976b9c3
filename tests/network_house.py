"""A house's network around the box, in network namespaces of its own: real interfaces, real cables (veth), hosts at their far ends.

A test decorated with `in_own_network` runs in a thread that has a network and a host name to itself; programs it starts are in there too.
Needs root, as the tests run everywhere; nothing of the machine's own network is seen or touched.
"""

import ctypes
import functools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pyroute2 import IPRoute

from appliance.system.network.model import Interface, Ipv4, Role, Settings

NEW_NETWORK, NEW_HOST_NAME = 0x40000000, 0x04000000  # Source: linux/sched.h, CLONE_NEWNET, CLONE_NEWUTS
HOST_LIMIT_S = 10.0

Test = TypeVar("Test", bound=Callable[..., Any])


def in_own_network(test: Test) -> Test:
    """The test in a thread with a network and a host name of its own."""

    @functools.wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        failed: list[BaseException] = []

        def body() -> None:
            try:
                _leave(NEW_NETWORK | NEW_HOST_NAME)
                with IPRoute() as ip:
                    ip.link("set", index=1, state="up")
                test(*arguments, **named)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=body, name=f"house of {test.__name__}")
        thread.start()
        thread.join()
        for error in failed:
            raise error

    return run  # type: ignore[return-value]  # the same arguments, by functools.wraps


def _leave(what: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(what):
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)} (these tests run as root)")


def mac(number: int) -> str:
    """Of the box's interface with that number."""
    return f"02:00:00:00:00:{number:02x}"


class House:
    """The box's interfaces card1 … and a host at the far end of each cable, all in one namespace of their own."""

    def __init__(self, cables: int) -> None:
        self._far = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 600"], stdout=subprocess.PIPE)
        assert self._far.stdout is not None
        self._far.stdout.readline()  # it has left
        self.far("ip", "link", "set", "lo", "up")
        for number in range(1, cables + 1):
            self.add_cable(number)

    def add_cable(self, number: int) -> None:
        """A card comes, with a cable in it."""
        with IPRoute() as ip:
            peer = {"ifname": f"far{number}", "net_ns_fd": f"/proc/{self._far.pid}/ns/net"}
            ip.link("add", ifname=f"card{number}", kind="veth", address=mac(number), peer=peer)
        self.far("sysctl", "-q", "-w", f"net.ipv6.conf.far{number}.accept_dad=0")
        self.far("ip", "link", "set", f"far{number}", "up")

    def close(self) -> None:
        self._far.terminate()
        self._far.wait(HOST_LIMIT_S)
        assert self._far.stdout is not None
        self._far.stdout.close()

    def far(self, *command: str, check: bool = True) -> str:
        """Run at the far end; what it says."""
        done = subprocess.run(self.there(*command), capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.stderr or done.stdout}")
        return done.stdout

    def there(self, *command: str) -> list[str]:
        return ["nsenter", f"--net=/proc/{self._far.pid}/ns/net", *command]

    def far_address(self, number: int, *addresses: str) -> None:
        for address in addresses:
            self.far("ip", "address", "add", address, "dev", f"far{number}")

    def pull(self, number: int) -> None:
        """The cable is out."""
        self.far("ip", "link", "set", f"far{number}", "down")

    def plug(self, number: int) -> None:
        self.far("ip", "link", "set", f"far{number}", "up")


@contextmanager
def house(cables: int = 2) -> Iterator[House]:
    made = House(cables)
    try:
        yield made
    finally:
        made.close()


def lan(number: int, *addresses: str, **given: Any) -> Interface:
    """An interface for management, with addresses by hand if there are any."""
    static = {"ipv4": Ipv4.STATIC, "addresses": addresses} if addresses else {}
    return Interface(**{"name": f"lan{number}", "mac": mac(number), "roles": (Role.MANAGEMENT,), **static, **given})


def network(*interfaces: Interface, **given: Any) -> Settings:
    return Settings(interfaces=interfaces, host_name="box-under-test", **given)


def wait_until(true: Callable[[], object], limit_s: float = 10.0) -> None:
    """Raises: AssertionError when it does not come."""
    until = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.02)


@contextmanager
def listeners(ports: Sequence[int], address: str = "::") -> Iterator[None]:
    """TCP sockets of the box that wait on these ports, on IPv4 and IPv6."""
    opened = []
    try:
        for port in ports:
            one = socket.create_server((address, port), family=socket.AF_INET6, dualstack_ipv6=True)
            opened.append(one)
        yield
    finally:
        for each in opened:
            each.close()


def text_of(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
