"""system.conf as text: channel ranges, order of lines, what is refused, and dahdi_cfg's complaints made readable. Pure."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dahdi import setup
from drivers.dahdi.places import SpanPlace
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan, SpanLine, channel_numbers, channel_text
from drivers.errors import ConfigError
from drivers.io import Signalling


def a_setup() -> CardSetup:
    return CardSetup(
        spans=(SpanLine(1), SpanLine(2, timing=2, framing="cas", crc4=False)),
        dynamic_spans=(DynamicSpan("loc", "1:0", 4),),
        groups=(
            ChannelGroup("1-15,17-31", Signalling.BCHAN, law="alaw"),
            ChannelGroup("16", Signalling.DCHAN),
            ChannelGroup("32-46", Signalling.CAS, law="alaw"),
            ChannelGroup("63-66", Signalling.FXSKS, law="alaw", echo_canceller="mg2"),
        ),
        zones=("cn", "us"),
    )


@pytest.mark.parametrize(
    "places",
    [
        (SpanPlace("usb:A", 1, 1), SpanPlace("usb:B", 1, 9)),
        (SpanPlace("usb:A", 1, 1), SpanPlace("usb:A", 2, 9)),
        (SpanPlace("usb:A", 1, 9), SpanPlace("usb:B", 2, 1)),
        (SpanPlace("usb:A", 0, 1),),
    ],
)
def test_places_that_cannot_be_are_refused(places: tuple[SpanPlace, ...]) -> None:
    with pytest.raises(ConfigError, match=r"LIN-113.*places"):
        setup.check(CardSetup(places=places))
    setup.check(CardSetup(places=(SpanPlace("usb:A", 1, 1), SpanPlace("usb:A", 3, 9, local=2))))


def test_render() -> None:
    assert setup.render(a_setup()).splitlines()[1:] == [
        "span=1,1,0,ccs,hdb3,crc4",
        "span=2,2,0,cas,hdb3",
        "dynamic=loc,1:0,4,0",
        "bchan=1-15,17-31",
        "dchan=16",
        "cas=32-46:1101",
        "fxsks=63-66",
        "alaw=1-15,17-31",
        "alaw=32-46",
        "alaw=63-66",
        "echocanceller=mg2,63-66",
        "loadzone=cn",
        "loadzone=us",
        "defaultzone=cn",
    ]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (CardSetup(groups=(ChannelGroup("1-4", Signalling.FXSKS), ChannelGroup("4-8", Signalling.FXOKS))), "channel 4"),
        (CardSetup(groups=(ChannelGroup("1", Signalling.CAS, idle_bits="110"),)), "idle_bits"),
        (CardSetup(groups=(ChannelGroup("4-1", Signalling.FXSKS),)), "4-1"),
        (CardSetup(groups=(ChannelGroup("1,x", Signalling.FXSKS),)), "'x'"),
        (CardSetup(groups=(ChannelGroup("1-2000", Signalling.FXSKS),)), "1-2000"),
        (CardSetup(spans=(SpanLine(1), SpanLine(1))), "twice"),
        (CardSetup(zones=()), "zones"),
    ],
)
def test_mistakes_are_named(wrong: CardSetup, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        setup.render(wrong)
    assert caught.value.code == "LIN-113"


@given(st.sets(st.integers(1, 1024), min_size=1))
def test_channel_text_is_read_back(numbers: set[int]) -> None:
    assert channel_numbers(channel_text(numbers)) == tuple(sorted(numbers))


def test_write_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "system.conf"
    path.write_text("old")
    setup.write(a_setup(), path)
    assert path.read_text() == setup.render(a_setup())
    assert [each.name for each in tmp_path.iterdir()] == ["system.conf"]


TEXT = "# head\nfxsks=1-4\nechocanceller=nosuch,1-4\nloadzone=xx\n"


@pytest.mark.parametrize(
    ("messages", "line", "remedy"),
    [
        ("Notice: Configuration file is -\nline 4: No such tone zone known: xx\n\n1 error(s) detected", "loadzone=xx", "cn"),
        ("DAHDI_CHANCONFIG failed on channel 3: Invalid argument (22)", "fxsks=1-4", "signalling"),
        ("DAHDI_ATTACH_ECHOCAN failed on channel 1: Invalid argument (22)", "echocanceller=nosuch,1-4", "module"),
        ("line 0: Unable to open master device '/dev/dahdi/ctl'", None, "root"),
        ("", None, "manual"),
    ],
)
def test_refusal_shows_the_line(messages: str, line: str | None, remedy: str) -> None:
    error = setup.refusal(TEXT, messages)
    assert error.code == "LIN-110"
    assert (f"at '{line}'" in error.what) == (line is not None)
    assert remedy in error.remedy


def a_program(folder: Path, script: str) -> str:
    program = folder / "dahdi_cfg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_apply_leaves_existing_dynamic_spans_alone(tmp_path: Path) -> None:
    path, seen = tmp_path / "system.conf", tmp_path / "seen"
    setup.write(a_setup(), path)
    setup.apply(path, frozenset({"DYN/loc/1:0"}), program=a_program(tmp_path, f"cat >{seen}"))
    lines = seen.read_text().splitlines()
    assert "# dynamic=loc,1:0,4,0" in lines
    assert len(lines) == len(path.read_text().splitlines())


@pytest.mark.parametrize(
    ("script", "code"),
    [("echo 'line 2: Unknown keyword' >&2; exit 1", "LIN-110"), ("exec sleep 20", "LIN-112")],
)
def test_apply_fails_clearly(tmp_path: Path, script: str, code: str) -> None:
    path = tmp_path / "system.conf"
    setup.write(a_setup(), path)
    with pytest.raises(ConfigError) as caught:
        setup.apply(path, program=a_program(tmp_path, script), limit_s=0.3)
    assert caught.value.code == code


def test_apply_without_the_tool(tmp_path: Path) -> None:
    path = tmp_path / "system.conf"
    setup.write(a_setup(), path)
    with pytest.raises(ConfigError, match="install") as caught:
        setup.apply(path, program=str(tmp_path / "absent"))
    assert caught.value.code == "LIN-111"


def test_the_hospitals_own_file_is_kept_and_brought_back(tmp_path: Path) -> None:
    path = tmp_path / "system.conf"
    path.write_text("# ours, by hand\nfxsks=1-4\nloadzone=cn\n")
    setup.keep_own(path)
    setup.write(CardSetup(), path)
    setup.keep_own(path)  # one of Careline's is not
    assert path.read_text().startswith("# Written by Careline")
    setup.bring_back_own(path)
    assert path.read_text().startswith("# ours, by hand")
    setup.bring_back_own(path)
    assert path.read_text().startswith("# ours, by hand")
