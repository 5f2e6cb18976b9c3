"""The modem's work on a store of its own and a modem in software, for tests of text messages."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import msgspec
from peewee import Database

from appliance.peripherals.config import SmsConfig
from appliance.peripherals.sms_work import Rhythm, SmsWork
from appliance.store.outgoing import OutgoingMessage, enqueue
from appliance.store.peripheral_tables import SmsReceived
from appliance.store.transaction import write_transaction
from drivers.clock import RealClock
from tests.modem_sim import ModemSim
from tests.unit.hospital_rig import ZONE

FAST = Rhythm(idle_s=0.02, poll_s=0.5, condition_s=1.0)
LIMIT_S = 60.0
US = "8613800138000"


def config_for(device: str | Path, **more: object) -> SmsConfig:
    """Without a limit of messages a minute, which careline.toml would not allow."""
    return msgspec.structs.replace(SmsConfig(device=str(device), per_day=100_000), **{"per_minute": 1_000_000, **more})


@contextmanager
def at_work(database: Database, config: SmsConfig, data_dir: Path, rhythm: Rhythm = FAST) -> Iterator[SmsWork]:
    """The modem's thread, until the block ends."""
    work = SmsWork(database, config, data_dir, ZONE, RealClock(), lambda: None, rhythm)
    ending = threading.Event()
    thread = threading.Thread(target=work.run, args=(ending,))
    thread.start()
    try:
        yield work
    finally:
        ending.set()
        thread.join(LIMIT_S)
        assert not thread.is_alive()


def until(what: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
    """Whether it came true within the limit."""
    ends_s = monotonic() + limit_s
    while monotonic() < ends_s:
        if what():
            return True
        sleep(0.1)
    return what()


def write(database: Database, *texts: str, to: str = "13800138000", urgent: bool = False) -> None:
    with write_transaction(database):
        for text in texts:
            enqueue("sms", to, text, f"test {to} {text[:40]}", RealClock().now(), urgent=urgent)


def states() -> dict[str, str]:
    """State of each outgoing message by its text."""
    return {row.text: row.state for row in OutgoingMessage.select()}


def received() -> list[str]:
    return [row.text for row in SmsReceived.select().order_by(SmsReceived.id)]


def sent_texts(sim: ModemSim) -> list[str]:
    """What was handed to the network in UCS-2, part by part."""
    return [submitted.ucs2 for submitted in sim.sent]
