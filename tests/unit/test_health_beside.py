"""Peripherals and cards as careline-health sees them: what the store and the box service tell of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from peewee import Database

from appliance.config import Config
from appliance.health.beside import QUIET_S, CardsProbe, PeripheralWatch, faults_of, names_in
from appliance.peripherals import state
from appliance.peripherals.config import RecordSource, SmdiConfig, SmdrConfig, SmsConfig
from appliance.store.database import open_store
from appliance.store.place import place_of
from drivers.clock import VirtualClock
from drivers.errors import CarelineError
from drivers.protocol import Card, CardFault, CardStage
from drivers.settings import Paths

AT = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
GONE = CarelineError("SMS-003", "the modem is gone", "Plug it in")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(paths=Paths(data_dir=str(tmp_path)), sms=SmsConfig(device="/dev/ttyUSB0"))


@pytest.fixture
def store(config: Config) -> Database:
    return open_store(place_of(config.paths))


def passes(clock: VirtualClock, seconds: float) -> None:
    until_s = clock.monotonic_s() + seconds
    while clock.monotonic_s() < until_s:
        clock.advance(None)


def test_only_what_careline_toml_switches_on(config: Config) -> None:
    assert names_in(Config()) == ()
    smdr = SmdrConfig(sources=(RecordSource(name="north", table="generic", connect="10.0.0.9:5100"),))
    assert names_in(Config(smdr=smdr, smdi=SmdiConfig(device="/dev/ttyS1"))) == ("smdr north", "smdi")


def test_what_is_told_of_it(config: Config, store: Database) -> None:
    clock = VirtualClock(AT)
    watch = PeripheralWatch(config, clock)
    assert watch.latest is None
    with store.connection_context():
        state.tell(store, "smdi", clock.now(), GONE)
        state.tell(store, "sms", clock.now())
        watch.read()
        assert watch.latest == {"sms": ""}, "what is not switched on any more is no alarm"
        state.tell(store, "sms", clock.now(), GONE)
        watch.read()
        assert watch.latest == {"sms": "SMS-003 the modem is gone"}


def test_silence_is_a_fault_but_a_clock_that_is_set_is_not(config: Config, store: Database) -> None:
    clock = VirtualClock(AT)
    watch = PeripheralWatch(config, clock)
    with store.connection_context():
        state.tell(store, "sms", clock.now() - timedelta(days=400))
        watch.read()
        assert watch.latest == {"sms": ""}
        passes(clock, QUIET_S + 1)
        watch.read()
        assert watch.latest == {"sms": "careline-peripherals has told nothing for 121 s"}
        state.tell(store, "sms", clock.now())
        watch.read()
        assert watch.latest == {"sms": ""}


def test_a_process_that_never_ran_is_noticed(config: Config, store: Database) -> None:
    clock = VirtualClock(AT)
    watch = PeripheralWatch(config, clock)
    with store.connection_context():
        watch.read()
        assert watch.latest == {"sms": ""}
        passes(clock, QUIET_S + 1)
        watch.read()
        assert watch.latest["sms"].startswith("careline-peripherals has told nothing")


def test_only_faults_that_keep_a_card_from_being_used(tmp_path: Path) -> None:
    blocking = CardFault(code="FRM-011", what="no firmware", remedy="Add it")
    lesser = CardFault(code="FRM-012", what="no echo canceller", remedy="Add it", blocking=False)
    common = {"model": "astribank", "name": "Astribank", "bus": "usb", "ids": "e4e4:1130", "stage": CardStage.BARE, "driver": "xpp_usb"}
    cards = (Card(where="1-1", faults=(lesser, blocking), **common), Card(where="1-2", faults=(lesser,), **common))  # type: ignore[arg-type]  # one dict of several types
    assert faults_of(cards) == {"Astribank 1-1": "FRM-011 no firmware"}
    assert CardsProbe(tmp_path / "system.sock")() is None
