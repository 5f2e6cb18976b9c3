"""The box of a storm: line server and call agent as programs of their own on a virtual card with lines on primary rate, the hospital in its
store, and a supervisor that starts the call agent again whenever it was killed. Runs in the test's event loop.
"""

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance.hospital.booking import clinics, rules
from appliance.hospital.booking.clinics import ClinicEntry
from appliance.hospital.registry import card_password
from appliance.hospital.registry.field_fault import Refused
from appliance.store.database import open_store
from appliance.store.hospital_tables import Department
from appliance.store.models import database
from drivers.settings import Paths
from tests import booking_load
from tests.daemons import daemon

NUMBER = "96120"
PASSWORD = "135246"
DEPARTMENT = "12"
E1_CHANNELS = 30
DAYS_AHEAD = 3
FIRST_CARD = 60_000_000
RESTART_AFTER_S = 0.2  # as a service manager: RestartSec
START_LIMIT_S = 60.0


@dataclass(frozen=True)
class Site:
    """Where everything of one storm lies. `lines` is a multiple of 30."""

    paths: Paths
    config: Path
    lines: int

    def write(self) -> None:
        """Its careline.toml."""
        spans = self.lines // E1_CHANNELS
        slots = [slot + 31 * span for span in range(spans) for slot in range(1, 32) if slot != 16]
        text = [
            f'[paths]\nrun_dir = "{self.paths.run_dir}"\ndata_dir = "{self.paths.data_dir}"\n[lines]\ncard = "virtual"',
            f'[[lines.groups]]\nname = "trunk"\nchannels = "{",".join(map(str, slots))}"',
            *['[[lines.virtual.spans]]\nkind = "pri"\nexchange = true'] * spans,
            f'[[lines.virtual.numbers]]\nnumber = "{NUMBER}"\nspans = {list(range(1, spans + 1))}\n',
        ]
        self.config.write_text("\n".join(text))


def site(folder: Path, lines: int) -> Site:
    made = Site(Paths(run_dir=f"{folder}/run", data_dir=f"{folder}/data"), folder / "careline.toml", lines)
    made.write()
    return made


def card_number(patient: int) -> str:
    return str(FIRST_CARD + patient)


def fill(at: Site, people: int, places: int, hold_s: int) -> None:
    """So many patients, each with a card that has money and the same password; one clinic with so many places, all of which are left."""
    at.paths.database.parent.mkdir(parents=True, exist_ok=True)
    opened = open_store(at.paths.database)
    with database.atomic():
        booking_load.crowd(people, card_number, card_password.hashed(PASSWORD))
        Department.create(code=DEPARTMENT, name_zh="内科", name_en="Internal medicine")
        now = datetime.now(UTC)
        day = now.astimezone(booking_load.ZONE).date() + timedelta(days=DAYS_AHEAD)
        entry = ClinicEntry(department=1, day=day, starts="08:00", ends="18:00", places=places, fee_fen=booking_load.FEE_FEN)
        assert not isinstance(clinics.make(entry, booking_load.ZONE), Refused)
        rules.save(rules.Rules(hold_s=hold_s), None, "boss", now)
    opened.close()


@dataclass
class Box:
    """The programs. `lives`: of the call agent so far; `peak_kb`: its memory at most, by life; `gone_s`: from each kill until its successor
    answered its socket."""

    site: Site
    lives: int = 0
    peak_kb: list[int] = field(default_factory=list)
    gone_s: list[float] = field(default_factory=list)
    _agent: "subprocess.Popen[bytes] | None" = None
    _stopping: bool = False

    async def run_lines(self, stack: ExitStack) -> None:
        await asyncio.to_thread(stack.enter_context, daemon("drivers.server", self.site.config, self.site.paths.lines_socket))

    async def supervise(self) -> None:
        """Start the call agent, and again whenever it has died, until `stop`."""
        while not self._stopping:
            self.lives += 1
            self._agent = self._begun()
            self.peak_kb.append(0)
            while self._agent.poll() is None:
                self._watch_memory(self._agent.pid)
                await asyncio.sleep(0.2)
            await asyncio.sleep(RESTART_AFTER_S)

    def _begun(self) -> "subprocess.Popen[bytes]":
        with (self.site.config.parent / "appliance.main.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", "appliance.main", "--config", str(self.site.config)], stdout=log, stderr=log)

    def _watch_memory(self, pid: int) -> None:
        """Source: proc(5), VmHWM in kB; of a process that has just died there is none."""
        try:
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            return
        self.peak_kb[-1] = max([self.peak_kb[-1], *(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))])

    async def answers(self) -> None:
        """Wait until the call agent takes connections. Raises: TimeoutError."""
        async with asyncio.timeout(START_LIMIT_S):
            while not await self._connects():  # noqa: ASYNC110  # another program, which knows no asyncio.Event
                await asyncio.sleep(0.05)

    async def _connects(self) -> bool:
        try:
            _, writer = await asyncio.open_unix_connection(str(self.site.paths.control_socket))
        except OSError:
            return False
        writer.close()
        return True

    async def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does; returns when its successor is there."""
        assert self._agent is not None
        began_s = time.monotonic()
        self._agent.send_signal(signal.SIGKILL)
        await asyncio.to_thread(self._agent.wait)
        await self.answers()
        self.gone_s.append(time.monotonic() - began_s)

    async def stop(self) -> None:
        self._stopping = True
        if self._agent is not None:
            self._agent.terminate()
            await asyncio.to_thread(self._agent.wait, START_LIMIT_S)
