"""The box in the guest: the real daemons on the kernel's card, started once and used by many scenarios, and what they wrote down.

Guest only. 24 lines (channels 1-24) end at the exchange (25-48), 4 sets' ports (49-52) at telephone sets (53-56). No echo canceller: a
running one changes what is received. State is on tmpfs.
"""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan
from drivers.io import Signalling
from drivers.settings import Paths
from tests.lab import cards
from tests.lab.exchange import WRITE_AHEAD
from tests.lab.guest import GUEST_SHARE
from tests.lab.nursery import Nursery

STATE = Path("/tmp/box")
CONFIG = STATE / "careline.toml"
PATHS = Paths(run_dir=str(STATE / "run"), data_dir=str(STATE / "data"))
LINES, EXCHANGE_LINES = range(1, 25), range(25, 49)
SETS, PHONES = range(49, 53), range(53, 57)
EXCHANGE_OFFSET = 24
START_LIMIT_S = 60.0
LOG_TAIL_LINES = 40
MODULES = {"lines": "drivers.server", "calls": "appliance.main"}
READY = {"lines": "ready:", "calls": "connected to the line server"}

HEAD_TEXT = f"""\
[paths]
run_dir = "{PATHS.run_dir}"
data_dir = "{PATHS.data_dir}"

[lines]
card = "dahdi"

[lines.engine]
write_ahead = {WRITE_AHEAD}
"""
GROUPS_TEXT = f"""
[[lines.groups]]
name = "trunk"
channels = "{LINES[0]}-{LINES[-1]}"

[[lines.groups]]
name = "sets"
channels = "{SETS[0]}-{SETS[-1]}"
role = "extension"
"""


def card_setup() -> CardSetup:
    """Box and far side as four loopback spans, A-law, zone cn."""
    return CardSetup(
        dynamic_spans=(
            DynamicSpan("loc", "1:0", len(LINES)),
            DynamicSpan("loc", "1:1", len(EXCHANGE_LINES)),
            DynamicSpan("loc", "2:0", len(SETS)),
            DynamicSpan("loc", "2:1", len(PHONES)),
        ),
        groups=(
            ChannelGroup("1-24", Signalling.FXSKS, law="alaw"),
            ChannelGroup("25-48", Signalling.FXOKS, law="alaw"),
            ChannelGroup("49-52", Signalling.FXOKS, law="alaw"),
            ChannelGroup("53-56", Signalling.FXSKS, law="alaw"),
        ),
    )


class Cdr(NamedTuple):
    """One row of the call records; times in epoch seconds."""

    call_id: str
    channel: int
    started_s: float
    answered_s: float
    ended_s: float
    duration_ms: int
    ended_by: str
    outcome: str
    path: str
    digits: str
    operator_channel: int | None

    @property
    def line(self) -> int:
        """The exchange's end of the line it came on."""
        return self.channel + EXCHANGE_OFFSET


class Box:
    """Card, line server and call agent. `pids` by program ("lines", "calls")."""

    def __init__(self, nursery: Nursery | None) -> None:
        self._nursery = nursery
        self.pids: dict[str, int] = {}
        self.cold_start_s = 0.0

    def start(self, program: str, cold: bool = False) -> float:
        """Start one and wait until it is ready; how long that took. Cold: a Python of its own instead of a fork."""
        began_s, known = time.monotonic(), self.ready_count(program)
        self.launch(program, cold)
        self.wait_ready(program, known)
        return time.monotonic() - began_s

    def launch(self, program: str, cold: bool = False) -> None:
        """Start one; returns at once."""
        log = self.log(program)
        if cold or self._nursery is None:
            with log.open("ab") as output:
                command = [sys.executable, "-m", MODULES[program], "--config", str(CONFIG)]
                process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
            self.pids[program] = process.pid
        else:
            self.pids[program] = self._nursery.start(program, log)
        (STATE / f"{program}.pid").write_text(str(self.pids[program]))

    def wait_ready(self, program: str, known: int) -> None:
        """Until its log says so more often than `known` times. Raises: AssertionError."""
        deadline_s = time.monotonic() + START_LIMIT_S
        while self.ready_count(program) <= known:
            assert is_alive(self.pids[program]), f"{program} ended at its start"
            assert time.monotonic() < deadline_s, f"{program} not ready within {START_LIMIT_S:.0f} s"
            time.sleep(0.05)

    def ready_count(self, program: str) -> int:
        """How often its log says that it is ready."""
        log = self.log(program)
        return log.read_text(errors="replace").count(READY[program]) if log.exists() else 0

    def kill(self, program: str) -> None:
        """SIGKILL, and wait until it is gone."""
        pid = self.pids[program]
        os.kill(pid, signal.SIGKILL)
        while is_alive(pid):
            time.sleep(0.01)

    def cpu_s(self) -> float:
        """CPU seconds of both so far."""
        return sum(cards.cpu_seconds(pid) for pid in self.pids.values())

    @staticmethod
    def log(program: str) -> Path:
        """In the directory of the run (`--keep`), whatever happens to the guest."""
        return GUEST_SHARE / f"{program}.log"

    def legs(self) -> list[str]:
        """Legs the line server keeps; none when no call is there."""
        return sorted(path.stem for path in (STATE / "run" / "legs").glob("*.leg"))


@contextlib.contextmanager
def box(more: str = "") -> Iterator[Box]:
    """The box, running; a failure inside tells the tails of its logs. `more` configuration: such a box is started anew, and ended."""
    found = Box(Nursery(CONFIG))
    try:
        if not _still_running(found) or more:
            _start_all(found, more)
        yield found
        for program in MODULES if more else ():
            found.kill(program)
    except BaseException as error:
        error.add_note(logs() + "\n" + last_records())
        raise


def write_state(config: str) -> None:
    """Folders and configuration of daemons to be started; nothing in their logs."""
    for folder in (PATHS.run_dir, PATHS.data_dir):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for program in MODULES:
        Box.log(program).unlink(missing_ok=True)
    CONFIG.write_text(config)


def logs() -> str:
    """The last lines of both daemons."""
    parts: list[str] = []
    for program in MODULES:
        log = Box.log(program)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        parts += [f"--- {log.name}, last lines", *[line for line in lines if "LIN-068" not in line][-LOG_TAIL_LINES:]]
    return "\n".join(parts)


def last_records() -> str:
    """Path and keys of the last calls."""
    try:
        found = cdrs(time.time() - 600)[-LOG_TAIL_LINES:]
    except sqlite3.Error as error:
        return f"--- records: {error}"
    parts = (f"{call.call_id} {call.path} {call.digits!r} {call.outcome} {call.ended_by}" for call in found)
    return "\n".join(["--- records", *parts])


def is_alive(pid: int) -> bool:
    """False also for one that is dead and not yet buried; files are closed when its last thread is gone. Source: proc(5), stat field 3."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


def _still_running(found: Box) -> bool:
    for program in MODULES:
        file = STATE / f"{program}.pid"
        found.pids[program] = int(file.read_text()) if file.exists() else 0
    return all(pid and is_alive(pid) for pid in found.pids.values())


def _start_all(found: Box, more: str) -> None:
    for pid in found.pids.values():
        if pid and is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    write_state(HEAD_TEXT + GROUPS_TEXT + more)
    cards.install(card_setup())
    began_s = time.monotonic()
    known = {program: found.ready_count(program) for program in MODULES}
    for program in MODULES:
        found.launch(program, cold=True)
    for program in MODULES:
        found.wait_ready(program, known[program])
    found.cold_start_s = time.monotonic() - began_s


# --- what was written down -----------------------------------------------------------------------------------------------


def cdrs(since_s: float) -> list[Cdr]:
    """Records of calls begun since then, in order, finished or not (`ended_s` 0)."""
    rows = _rows(
        "SELECT call_id, channel, started_at, answered_at, ended_at, duration_ms, ended_by, outcome, path, digits, operator_channel "
        "FROM call_record WHERE started_at >= ? ORDER BY started_at",
        _utc(since_s),
    )
    return [Cdr(row[0], row[1], _epoch_s(row[2]), _epoch_s(row[3]), _epoch_s(row[4]), *row[5:]) for row in rows]


def events(since_s: float, kind: str) -> list[tuple[str, float, str]]:
    """Events of that kind since then: call, time, body as JSON."""
    rows = _rows("SELECT call_id, at, body FROM call_event WHERE at >= ? AND kind = ? ORDER BY at", _utc(since_s), kind)
    return [(row[0], _epoch_s(row[1]), row[2]) for row in rows]


def messages(call_id: str) -> list[Path]:
    """Files of the messages left in a call."""
    return [PATHS.recordings_dir / row[0] for row in _rows("SELECT path FROM voice_message WHERE call_id = ?", call_id)]


def recording(call_id: str) -> tuple[Path, int, int, str]:
    """File, samples, lost samples and error of the call's recording."""
    row = _rows("SELECT path, samples, lost_samples, error FROM recording WHERE recording_id = ?", call_id)[0]
    return PATHS.recordings_dir / row[0], row[1], row[2], row[3]


def _rows(query: str, *values: object) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{PATHS.database}?mode=ro", uri=True, timeout=30)) as database:
        return database.execute(query, values).fetchall()


def _utc(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="microseconds")


def _epoch_s(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
