"""A thousand text messages with a modem that talks in between; the program killed at any moment; the modem unplugged and hung."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from time import sleep

import pytest
from peewee import Database, SqliteDatabase

from appliance.store.database import open_store
from appliance.store.outgoing import OutgoingMessage
from appliance.store.peripheral_tables import SmsPart, SmsReceived
from tests.modem_sim import ModemSim
from tests.sms_network import Submitted, address, chinese_pdu
from tests.unit.hospital_rig import new_store
from tests.unit.sms_rig import US, at_work, config_for, received, sent_texts, states, until, write

MANY = 1_000
KILLS = 8
LIMIT_S = 400.0  # 12 s on a machine with little else to do


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """One that does not wait for the disk: here nobody pulls a plug."""
    opened = new_store(tmp_path / "careline.db")
    assert isinstance(opened, SqliteDatabase)
    opened.pragma("synchronous", 0, permanent=True)
    yield opened
    opened.close()


@pytest.fixture
def sim() -> Iterator[ModemSim]:
    made = ModemSim()
    yield made
    made.close()


def test_a_thousand_messages_both_ways_with_unasked_lines_at_random(database: Database, sim: ModemSim, tmp_path: Path) -> None:
    sim.trouble.noise = 0.3
    write(database, *(f"第{number}条通知" for number in range(MANY)))
    arriving = iter([chinese_pdu(address(US), f"第{number}条回复", second=number) for number in range(MANY)])

    def one_back(_: Submitted) -> None:
        sim.arrive(next(arriving))

    sim.when_sent(one_back)
    with at_work(database, config_for(sim.device), tmp_path):
        assert until(lambda: SmsReceived.select().count() == MANY and delivered() == MANY, LIMIT_S)
    assert Counter(sent_texts(sim)) == Counter({f"第{number}条通知": 1 for number in range(MANY)})
    assert Counter(received()) == Counter({f"第{number}条回复": 1 for number in range(MANY)})
    assert sim.stored == {}


def test_unplugged_hung_and_plugged_elsewhere(database: Database, sim: ModemSim, tmp_path: Path) -> None:
    device = sim.link_at(tmp_path / "modem")
    write(database, "一")
    with at_work(database, config_for(device), tmp_path):
        assert until(lambda: states()["一"] == "delivered")
        sim.close()
        write(database, "二")
        sleep(1.1)  # so that two reports of the same reference are of two seconds
        assert states()["二"] == "waiting"
        other = ModemSim()
        other.link_at(tmp_path / "modem")
        other.trouble.deaf = 2
        assert until(lambda: states()["二"] == "delivered")
    assert (sent_texts(sim), sent_texts(other)) == (["一"], ["二"])
    other.close()


def delivered() -> int:
    count: int = OutgoingMessage.select().where(OutgoingMessage.state == "delivered").count()
    return count


@pytest.fixture
def place(tmp_path: Path, sim: ModemSim) -> Path:
    """careline.toml of a box whose modem is the one in software."""
    sim.link_at(tmp_path / "modem")
    file = tmp_path / "careline.toml"
    file.write_text(
        f'[paths]\nrun_dir = "{tmp_path}"\ndata_dir = "{tmp_path}/data"\n'
        f'[sms]\ndevice = "{tmp_path}/modem"\nper_minute = 60\nper_day = 9999\n'
    )
    return file


def has_moved(sim: ModemSim, seen: int, running: "subprocess.Popen[bytes]") -> bool:
    return len(sim.sent) > seen or running.poll() is not None


def start(place: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "appliance.peripherals", "--config", str(place)], stderr=subprocess.DEVNULL)


def test_killed_at_any_moment_nothing_is_sent_twice_and_nothing_lost(place: Path, sim: ModemSim) -> None:
    database = open_store(place.parent / "data" / "careline.db")
    chance = random.Random(5)
    texts = [f"第{number}条" for number in range(48)]
    write(database, *texts)
    running: list[subprocess.Popen[bytes]] = []

    def die_while_sending(_: Submitted) -> None:
        """The modem has it, the box does not know yet."""
        if len(sim.sent) % 11 == 0:
            os.kill(running[-1].pid, signal.SIGKILL)

    sim.when_sent(die_while_sending)
    for turn in range(KILLS):
        running.append(start(place))
        seen = len(sim.sent)
        until(partial(has_moved, sim, seen, running[-1]), 15.0)
        sim.arrive(chinese_pdu(address(US), f"回复{turn}", second=turn))
        sleep(chance.random() * 0.15)
        running[-1].kill()
        running[-1].wait()
    sim.when_sent(lambda _: None)
    running.append(start(place))
    assert until(lambda: not {"waiting"} & set(states().values()) and SmsReceived.select().count() == KILLS, 40.0)
    until(lambda: not SmsPart.select().where(SmsPart.state == "sent").exists(), 10.0)
    running[-1].terminate()
    assert running[-1].wait(20) in (0, -signal.SIGTERM)  # the last one may have had nothing left to do but to begin
    went = Counter(sent_texts(sim))
    assert set(went.values()) == {1}, "sent twice"
    known = states()
    assert {text for text, state in known.items() if state in ("sent", "delivered")} <= set(went)
    assert {text for text in texts if text not in went} <= {text for text, state in known.items() if state == "unclear"}
    assert OutgoingMessage.select().where(OutgoingMessage.state == "unclear").count() <= KILLS
    assert Counter(received()) == Counter({f"回复{turn}": 1 for turn in range(KILLS)})
    database.close()
