"""What the virtual card can be configured to be, and what is refused with which words."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers import settings
from drivers.errors import ConfigError, LineError
from drivers.io import Signalling
from drivers.virtual.config import NumberConfig, SpanConfig, SpanKind, VirtualConfig
from drivers.virtual.ringing import CADENCES_MS, cadence_ms

FXO4 = {"kind": "fxo", "channels": 4}
FXS2 = {"kind": "fxs", "channels": 2}
E1 = {"kind": "e1"}

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("no channels", {"spans": [{"kind": "fxo", "channels": 0}]}, "1 to 120"),
    ("too many channels", {"spans": [{"kind": "fxo", "channels": 121}]}, "1 to 120"),
    ("too many spans", {"spans": [E1] * 16}, "at most 480"),
    ("unknown kind", {"spans": [{"kind": "isdn"}]}, "isdn"),
    ("unknown span", {"spans": [FXO4], "numbers": [{"number": "1", "spans": [2]}]}, "span that does not exist"),
    ("span 0", {"spans": [FXO4], "numbers": [{"number": "1", "spans": [0]}]}, "span that does not exist"),
    ("number to a set", {"spans": [FXO4, FXS2], "numbers": [{"number": "1", "channels": [5]}]}, "channel 5"),
    ("number to timeslot 16", {"spans": [E1], "numbers": [{"number": "1", "channels": [16]}]}, "channel 16"),
    ("number to nothing", {"spans": [FXO4], "numbers": [{"number": "1"}]}, "no span and no channel"),
    ("number twice", {"spans": [FXO4], "numbers": [{"number": "1", "spans": [1]}, {"number": "1", "spans": [1]}]}, "1 is given twice"),
    ("telephone twice", {"spans": [FXO4], "numbers": [], "telephones": [{"number": "7"}, {"number": "7"}]}, "7 is given twice"),
    ("letters", {"spans": [FXO4], "numbers": [{"number": "12a", "spans": [1]}]}, "12a"),
    ("empty number", {"spans": [FXO4], "telephones": [{"number": ""}]}, "no telephone number"),
    ("set on a trunk", {"spans": [FXO4], "sets": [{"channel": 1}]}, "channel 1"),
    ("busy set", {"spans": [FXO4, FXS2], "sets": [{"channel": 5, "answering": "busy"}]}, "busy"),
    ("unknown answering", {"spans": [FXO4], "telephones": [{"number": "7", "answering": "maybe"}]}, "maybe"),
]


@pytest.mark.parametrize(("name", "table", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_configuration(name: str, table: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert(table, VirtualConfig)


def test_wrong_configuration_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "careline.toml"
    file.write_text("[[spans]]\nkind = 'fxo'\nchannels = 500\n")
    with pytest.raises(ConfigError, match=r"CFG-004.*careline\.toml.*1 to 120"):
        settings.load(file, VirtualConfig)


def test_unknown_key_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "careline.toml"
    file.write_text("[[spans]]\nkind = 'fxo'\nchanels = 4\n")
    with pytest.raises(ConfigError, match=r"chanels.*Did you mean `channels`"):
        settings.load(file, VirtualConfig)


CHANNELS: list[tuple[str, list[SpanKind], int, tuple[int, ...]]] = [
    ("fxo first", [SpanKind.FXO], 1, (1, 2, 3, 4)),
    ("second span follows", [SpanKind.FXO, SpanKind.FXS], 2, (5, 6, 7, 8)),
    ("e1 leaves out slot 16", [SpanKind.E1], 1, (*range(1, 16), *range(17, 32))),
    ("after an e1 come 32 and up", [SpanKind.E1, SpanKind.FXO], 2, (32, 33, 34, 35)),
    ("two e1", [SpanKind.E1, SpanKind.E1], 2, (*range(32, 47), *range(48, 63))),
]


@pytest.mark.parametrize(("name", "kinds", "span", "channels"), CHANNELS, ids=[row[0] for row in CHANNELS])
def test_channel_numbers(name: str, kinds: list[SpanKind], span: int, channels: tuple[int, ...]) -> None:
    config = VirtualConfig(spans=tuple(SpanConfig(kind=kind) for kind in kinds), numbers=())
    assert config.span_channels(span) == channels


@pytest.mark.parametrize(
    ("kind", "supervised", "signalling"),
    [
        (SpanKind.FXO, True, Signalling.FXSKS),
        (SpanKind.FXO, False, Signalling.FXSLS),
        (SpanKind.E1, True, Signalling.FXSKS),
        (SpanKind.FXS, True, Signalling.FXOKS),
        (SpanKind.FXS, False, Signalling.FXOLS),
    ],
)
def test_signalling_of_a_span(kind: SpanKind, supervised: bool, signalling: Signalling) -> None:
    assert SpanConfig(kind=kind, supervised=supervised).signalling is signalling


def test_number_hunts_each_line_once_in_order() -> None:
    number = NumberConfig(number="1", spans=(2, 1), channels=(1, 3))
    config = VirtualConfig(spans=(SpanConfig(kind=SpanKind.FXO, channels=2), SpanConfig(kind=SpanKind.FXO, channels=2)), numbers=(number,))
    assert config.channels_of(number) == (3, 4, 1, 2)


def test_room_needed_in_the_media_core() -> None:
    config = VirtualConfig(spans=(SpanConfig(kind=SpanKind.E1),), numbers=(), visitors=10)
    assert config.lines_needed() == 41
    assert config.ports_needed() == 82


@pytest.mark.parametrize(("spans", "visitors", "allowed"), [(1, 0, 32), (8, 0, 240), (8, 5, 5)])
def test_visitors_are_enough_for_every_line(spans: int, visitors: int, allowed: int) -> None:
    config = VirtualConfig(spans=(SpanConfig(kind=SpanKind.E1),) * spans, numbers=(), visitors=visitors)
    assert config.visitors_allowed() == allowed


@pytest.mark.parametrize("country", sorted(CADENCES_MS))
def test_cadences_are_pairs_of_on_and_off(country: str) -> None:
    steps = cadence_ms(country)
    assert len(steps) % 2 == 0
    assert all(100 <= step <= 5000 for step in steps)


def test_country_without_cadence() -> None:
    with pytest.raises(LineError, match=r"LIN-076.*'xx'.*cn"):
        cadence_ms("xx")


def test_without_numbers_one_leads_to_every_line() -> None:
    config = VirtualConfig(spans=(SpanConfig(kind=SpanKind.FXS), SpanConfig(kind=SpanKind.FXO)))
    (number,) = config.numbers_of_box()
    assert config.channels_of(number) == (5, 6, 7, 8)


def test_a_card_of_sets_has_no_number() -> None:
    assert VirtualConfig(spans=(SpanConfig(kind=SpanKind.FXS),)).numbers_of_box() == ()
