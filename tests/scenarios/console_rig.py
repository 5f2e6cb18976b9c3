"""A technician at a serial line: a pseudo terminal whose far end the console opens as its port, and a whole box behind it.

The box is the real one (line server on the card in software, call agent, box service); of the operating system's own programs (systemctl,
journalctl, date …) small ones stand in on PATH, which write down how they were called.
"""

import codecs
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from appliance.cli.demo import write_config
from appliance.store import accounts
from appliance.store.database import connect, open_store
from appliance.store.models import Account, Alarm
from tests.daemons import daemon
from tests.terminals import terminal_pair

PASSWORD = "correct horse 9"
START_LIMIT_S = 30.0
ANSWER_LIMIT_S = 30.0
END_LIMIT_S = 15.0
QUESTION = "(?:: |：)"
MORE = "\0more"
MOVES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
UNITS = """\
Id=careline-web.service
ActiveState=active
SubState=running
ActiveEnterTimestamp=@1772935200
NRestarts=2
MemoryCurrent=52428800
LoadState=loaded

Id=chrony.service
ActiveState=failed
SubState=failed
ActiveEnterTimestamp=
NRestarts=0
MemoryCurrent=18446744073709551615
LoadState=loaded
"""
LOG = """\
2026-03-08T02:00:00+0000 box careline-web[77]: the pages are up
2026-03-08T02:00:01+0000 box careline-calls[78]: call from 13812345678, 王小明, patient P0012345
-- cursor: s=1;i=2
"""
PROGRAMS = {
    "systemctl": f"case $1 in show) cat <<'END'\n{UNITS}END\n;; esac",
    "journalctl": f"cat <<'END'\n{LOG}END",
    "chronyc": "case $* in *tracking) echo C0A80101,192.168.1.1,3,1772935200.1,-0.000012,0;; *) echo '^,*,192.168.1.1,3';; esac",
    "date": "exit 0",
    "hwclock": "exit 0",
    "lspci": "echo 00:00.0",
    "lsusb": "exit 0",
}


class Box:
    """Where the box lies, and what its operating system was asked to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "careline.toml"
        self.data_dir = folder / "data"
        self.run_dir = folder / "run"
        self._journal = folder / "programs.log"

    def ran(self, program: str) -> list[str]:
        """How that program was called, in order."""
        lines = self._journal.read_text().splitlines() if self._journal.exists() else []
        return [line.partition(" ")[2] for line in lines if line.split(" ")[0] == program]

    def forget(self) -> None:
        self._journal.unlink(missing_ok=True)

    def make_programs(self) -> str:
        """Their folder, before the rest of PATH."""
        folder = self.folder / "bin"
        folder.mkdir()
        for name, body in PROGRAMS.items():
            path = folder / name
            path.write_text(f'#!/bin/sh\necho "{name} $*" >> {self._journal}\n{body}\n')
            path.chmod(0o755)
        return f"{folder}:{os.environ['PATH']}"

    def make_store(self) -> None:
        """Empty, as the call agent makes it at its first start."""
        open_store(self.data_dir / "careline.db").close()

    def add_account(self, name: str, role: str, language: str = "en") -> None:
        opened = connect(self.data_dir / "careline.db")
        with opened.bind_ctx((Account,)):
            accounts.create(name, accounts.hashed(PASSWORD), role, language, datetime.now(UTC))
        opened.close()

    def add_alarm(self, rule: str, detail: str) -> int:
        """As careline-health raises one; its number."""
        opened = connect(self.data_dir / "careline.db")
        now = datetime.now(UTC)
        with opened.bind_ctx((Alarm,)):
            made = Alarm.create(
                subject="box", number=0, alarm=rule, began_at=now, rule=rule, severity="critical", detail=detail, raised_at=now
            )
        opened.close()
        return int(made.id)

    def account(self, name: str) -> Account | None:
        opened = connect(self.data_dir / "careline.db", read_only=True)
        try:
            with opened.bind_ctx((Account,)):
                return Account.get_or_none(Account.name == name)
        finally:
            opened.close()


@contextlib.contextmanager
def running_box(folder: Path) -> Iterator[Box]:
    """The whole box, with its lines open."""
    box = Box(folder)
    for part in ("run", "data"):
        (folder / part).mkdir()
    write_config(folder)
    before = os.environ["PATH"]
    os.environ["PATH"] = box.make_programs()
    try:
        with (
            daemon("drivers.server", box.config, box.run_dir / "lines.sock"),
            daemon("appliance.main", box.config, box.run_dir / "control.sock"),
            daemon("appliance.system", box.config, box.run_dir / "system.sock"),
        ):
            yield box
    finally:
        os.environ["PATH"] = before


class Technician:
    """Somebody at the other end of the cable."""

    def __init__(self, box: Box, *, over_ssh: bool = False) -> None:
        """`over_ssh`: the console runs on a terminal, whose end is told by a signal, instead of at a port."""
        self.box = box
        self._master, slave, path = terminal_pair()
        command = [sys.executable, "-m", "appliance.console", "--config", str(box.config)]
        self._log = (box.folder / "console.log").open("ab")
        if over_ssh:
            command = ["setsid", "--ctty", "--wait", *command]
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=self._log)
        else:
            tty.setraw(slave)
            command += ["--tty", path]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self._slave = slave  # kept open until the console has it, or the master would see the end of it
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.heard = ""
        self._read_to = 0

    def send(self, text: str | bytes) -> None:
        """All of it, hearing what comes meanwhile: neither side's buffer is endless."""
        left = text if isinstance(text, bytes) else text.encode()
        until_s = time.monotonic() + ANSWER_LIMIT_S
        while left:
            readable, writable, _ = select.select([self._master], [self._master], [], until_s - time.monotonic())
            if readable:
                self._hear(until_s, "room for more")
            if writable:
                left = left[os.write(self._master, left[:256]) :]

    def expect(self, text: str, limit_s: float = ANSWER_LIMIT_S) -> str:
        """What came until `text`, which must come. Without what moves the cursor."""
        until_s = time.monotonic() + limit_s
        while (at := self.heard.find(text, self._read_to)) < 0:
            self._hear(until_s, text)
        passed = self.heard[self._read_to : at]
        self._read_to = at + len(text)
        return passed

    def _hear(self, until_s: float, text: str) -> None:
        """Raises: AssertionError when it is too late."""
        left_s = until_s - time.monotonic()
        assert left_s > 0, f"no {text!r} in {self.heard[self._read_to :]!r}"
        if select.select([self._master], [], [], left_s)[0]:
            self.heard += MOVES.sub("", self._decoder.decode(os.read(self._master, 65536)))

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        self.expect("Enter to log in", START_LIMIT_S)
        self.send("\r")
        self.expect("(login): ", START_LIMIT_S)
        self.sign_in(name, password)
        self.expect(f"{name}> ")

    def sign_in(self, name: str, password: str) -> None:
        self.send(f"{name}\r")
        self.expect("(password): ")
        self.send(f"{password}\r")

    def command(self, line: str, prompt: str = "> ", limit_s: float = ANSWER_LIMIT_S) -> str:
        """What the console says to a command, all pages of it, without its echo."""
        self.send(line + "\r")
        self.expect("\r\n")
        return self.until_prompt(limit_s, prompt)

    def until_prompt(self, limit_s: float = ANSWER_LIMIT_S, prompt: str = "> ") -> str:
        """All pages until the prompt."""
        told = self._until(prompt, limit_s)
        while told.endswith(MORE):
            self.send(" ")
            told = told.removesuffix(MORE) + self._until(prompt, limit_s)
        return told

    def expect_question(self, limit_s: float = ANSWER_LIMIT_S) -> str:
        """What is told up to a question and with it."""
        return self._until(QUESTION, limit_s)

    def _until(self, prompt: str, limit_s: float) -> str:
        """Until the prompt at the begin of a line, or until there is more to see."""
        until_s = time.monotonic() + limit_s
        while not (found := re.compile(rf"-- (?:more|还有)[^\r\n]*--\Z|\r[^\r\n]*{prompt}\Z").search(self.heard, self._read_to)):
            self._hear(until_s, prompt)
        passed = self.heard[self._read_to : found.start()]
        self._read_to = found.end()
        return passed + (MORE if found[0].startswith("-- ") else "")

    def pull(self) -> None:
        """The cable is out."""
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def wait(self) -> int:
        return self.process.wait(END_LIMIT_S)

    def leave(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_LIMIT_S)
        self.process.kill()
        self.process.wait()
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._log.close()


@contextlib.contextmanager
def technician(box: Box, *, over_ssh: bool = False) -> Iterator[Technician]:
    here = Technician(box, over_ssh=over_ssh)
    try:
        yield here
    finally:
        here.leave()
