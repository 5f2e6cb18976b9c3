"""The technician's console over the serial line of the booted image: the first administrator, commands in both languages, a network change
that nobody confirms, the cable pulled on the way, and back to the factory's state.

Needs nothing but the console: no network, no test shell.
"""

import re
import time
from collections.abc import Iterator

import pytest

from tests.image.vm import Machine

PASSWORD = "correct horse 9"
BOOT_LIMIT_S = 600.0
LOOK_EVERY_S = 2.0
LIMIT_S = 300.0  # on a machine that does much else


class Console:
    """Somebody at the cable."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def send(self, text: str) -> None:
        self._machine.console.send(text.encode())

    def expect(self, pattern: str, limit_s: float = LIMIT_S) -> re.Match[bytes]:
        found = self._machine.console.find(pattern.encode(), limit_s)
        if found is None:
            raise self._machine.failure(f"the console did not say {pattern!r}")
        return found

    def answer(self, *steps: tuple[str, str]) -> None:
        """Each: what is written, and what is then asked."""
        for written, asked in steps:
            self.send(written + "\r")
            self.expect(asked)

    def command(self, line: str) -> str:
        """What the console says, all pages of it."""
        self.send(line + "\r")
        told = b""
        while True:
            found = self.expect(r"(?s)(.*?)(?:\rfirst> [^\r\n]*\x1b\[K$|-- (?:more|还有)[^\r\n]*--$)")
            told += found[1]
            if not found[0].endswith(b"--"):
                return told.decode("utf-8", "replace")
            self.send(" ")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with Machine(tmp_path_factory.mktemp("console"), extra="") as started:
        started.power_on()
        yield started


@pytest.fixture
def console(machine: Machine) -> Console:
    return Console(machine)


def test_the_first_administrator_is_made_over_the_serial_line(console: Console) -> None:
    console.expect("Enter to log in", BOOT_LIMIT_S)
    console.send("\r")
    while console.expect(r"\[zh\]: |按回车以技术员身份进入").group()[-2:] != b": ":
        console.answer(("", "nobody> "), ("exit", "Enter to log in"))  # the call agent has not made the store yet
        console.send("\r")
    console.answer(("en", "administrator: "), ("first", "New password: "), (PASSWORD, "Once more: "), (PASSWORD, "first> "))


def wait_for_web(console: Console) -> None:
    """It is the last to be there."""
    until_s = time.monotonic() + BOOT_LIMIT_S
    while not re.search(r"web +active", told := console.command("services list")):
        assert time.monotonic() < until_s, told
        time.sleep(LOOK_EVERY_S)


def test_commands_in_both_languages(console: Console) -> None:
    console.command("language en")
    wait_for_web(console)
    for line, wanted in (
        ("status", "Line server"),
        ("language zh", "中文"),
        ("状态", "线路程序"),
        ("服务 列表", r"web +运行"),
        ("language en", "English"),
        ("services list", r"console@ttyS0 +active"),
        ("network show", r"lan1 +up"),
        ("time show", "Synchronised"),
        ("users list", "first +administrator"),
        ("logs show --lines 10", "careline"),
        ("update status", "Version"),
        ("backup status", "Nightly"),
        ("support bundle", "Blotted out"),
    ):
        assert re.search(wanted, console.command(line)), line


def test_a_network_change_that_nobody_confirms_returns(console: Console) -> None:
    console.command("language en")
    assert "network confirm" in console.command("network host box7")
    assert re.search(r"Host name +box7", console.command("network show"))
    assert "taken back" in console.command("network undo")
    assert "SYS-036" in console.command("network confirm")
    assert not re.search(r"Host name +box7", console.command("network show"))


def test_noise_and_interrupts_leave_the_prompt(console: Console, machine: Machine) -> None:
    console.command("language en")
    machine.console.send(bytes(byte for byte in range(256) if byte not in (4, 10, 13)))
    console.send("\x03\x15marked\r")
    console.expect("no command 'marked'")
    console.send("channels block 1\x1a")
    console.expect(r"\^C")
    assert "first" in console.command("users list")


def test_back_to_the_factorys_state_in_two_steps(console: Console, machine: Machine) -> None:
    console.command("language en")
    console.send("factory-reset all\r")
    code = console.expect(r"Code (\d{6})")[1].decode()
    console.expect("give up")
    console.send(code + "\r")
    console.expect("The box restarts")
    console.expect("Enter to log in", BOOT_LIMIT_S)
    console.send("\r")
    console.expect(r"\[zh\]: |按回车以技术员身份进入")  # nobody has an account
