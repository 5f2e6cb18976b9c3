"""Errors in `[lines]`: each names file, key, value and what is allowed."""

from pathlib import Path

import pytest

from drivers.channel_text import channel_numbers, channel_text
from drivers.config import GroupConfig, LinesConfig, check_card, load
from drivers.errors import ConfigError
from drivers.io import ChannelSpec, Signalling
from drivers.signalling.fxs_config import SetPort, SetsConfig


def refused(tmp_path: Path, text: str) -> ConfigError:
    path = tmp_path / "careline.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    return caught.value


PROFILES = '[[lines.profiles]]\nname = "a"\nchannels = "{}"\n[[lines.profiles]]\nname = "b"\nchannels = "{}"\n'
PORTS = '[[lines.sets.ports]]\nchannels = "{}"\n[[lines.sets.ports]]\nchannels = "{}"\n'
GROUPS = '[[lines.groups]]\nname = "a"\nchannels = "{}"\n[[lines.groups]]\nname = "{}"\nchannels = "{}"\n'


@pytest.mark.parametrize(
    ("text", "code", "named", "remedy"),
    [
        ("[lines]\ncard = 'sangoma'\n", "CFG-004", "lines.card", "Allowed here: virtual, dahdi"),
        ("[[lines.groups]]\nname = 'a'\nrole = 'king'\n", "CFG-004", "lines.groups[0].role", "Allowed here: trunk, extension"),
        ("[lines]\ncountri = 'cn'\n", "CFG-003", "lines.countri", "country"),
        ("[lines.analog]\nring_timeout = 1\n", "CFG-003", "lines.analog.ring_timeout", "ring_timeout_ms"),
        ("[lines.analog]\nring_timeout_ms = 'long'\n", "CFG-004", "ring_timeout_ms", ""),
        (GROUPS.format("1-4", "b", "4-6"), "CFG-031", "channel 4 is in group a already", "one group"),
        (GROUPS.format("1-4", "a", "5"), "CFG-032", 'lines.groups[1].name = "a"', "name of its own"),
        (GROUPS.format("1-x", "b", "5"), "CFG-030", 'lines.groups[0].channels = "1-x"', "1-24,26"),
        (GROUPS.format("9-4", "b", "5"), "CFG-030", "9-4", ""),
        (GROUPS.format("0", "b", "5"), "CFG-030", "1-1024", ""),
        ("[[lines.profiles]]\nchannels = '1'\n", "CFG-035", 'lines.profiles[0].name = ""', "name of its own"),
        ("[[lines.groups]]\nname = 'a'\nchannels = '1'\nprofile = 'pbx'\n", "CFG-036", 'profile = "pbx"', "[[lines.profiles]]"),
        (PROFILES.format("1-4", "4"), "CFG-037", "channel 4 has profile a already", "one profile"),
        (PROFILES.format("1-4", "x"), "CFG-030", 'lines.profiles[1].channels = "x"', "1-24,26"),
        ("[[lines.profiles]]\nname = 'a'\nflash_ms = 5\n", "CFG-004", "flash_ms must be 50 to 1200", ""),
        ("[lines.analog.tones]\nbusy = '450/x'\n", "CFG-004", "`450/x` is no tone", ""),
        ("[lines.analog]\nanswer = 'guess'\n", "CFG-004", "lines.analog.answer", "tone, voice, polarity, dialled"),
        ("[lines.sets]\nflash_max_ms = 5000\n", "CFG-034", "lines.sets.flash_max_ms = 5000", "250 to 2000"),
        ("[lines.sets.rings]\ninternal = [400]\n", "CFG-075", "lines.sets.rings.internal = [400]", "in pairs"),
        ("[lines.sets.rings]\nrecall = [400, 20]\n", "CFG-075", "lines.sets.rings.recall", "100 to 10000 ms"),
        ("[[lines.sets.ports]]\nchannels = '5-'\n", "CFG-030", 'lines.sets.ports[0].channels = "5-"', "1-24,26"),
        (PORTS.format("5-6", "6"), "CFG-076", "channel 6 is in lines.sets.ports[0] already", "once"),
        ("[[lines.sets.ports]]\nchannels = '5'\nanswer_key = '12'\n", "CFG-076", "answer_key '12'", "one key"),
        ("[[lines.sets.ports]]\nchannels = '5'\nmode = 'brooch'\n", "CFG-004", "lines.sets.ports[0].mode", "telephone, headset"),
        ("[lines]\nunattended_answer_ms = -1\n", "CFG-034", "lines.unattended_answer_ms = -1", "0 to 600000"),
        ("[lines.engine]\ndigit_low_dbm0 = nan\n", "CFG-034", "digit_low_dbm0 = nan", "-30 to 0"),
        ("[lines.care]\nblock_after_failures = -1\n", "CFG-034", "lines.care.block_after_failures = -1", "0 to 1000"),
        ("[lines.care]\nunblock_after_min = 99999999\n", "CFG-034", "lines.care.unblock_after_min", "0 to 10080"),
        ("[[lines.sets.ports]]\nchannels = '5'\nhotline_after_ms = -4\n", "CFG-034", "ports[0].hotline_after_ms = -4", "0 to 60000"),
        ("[lines.engine]\nevents = 1000\n", "CFG-034", "lines.engine.events = 1000", "powers of two"),
        ("[lines.engine]\nrealtime_priority = 100\n", "CFG-034", "realtime_priority", "0 to 99"),
    ],
)
def test_error_says_what_and_where(tmp_path: Path, text: str, code: str, named: str, remedy: str) -> None:
    error = refused(tmp_path, text)
    assert error.code == code
    assert named in error.what
    assert "careline.toml" in error.what
    assert remedy in error.remedy


def test_sections_of_others_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "careline.toml"
    path.write_text("[web]\nport = 8080\n[calls.store]\nurl = 'x'\n[paths]\nrun_dir = '/run/x'\n", "utf-8")
    read = load(path)
    assert str(read.paths.lines_socket) == "/run/x/lines.sock"
    assert read.lines == LinesConfig()


def test_missing_card_or_channel_is_named() -> None:
    lines = load_groups("1-3")
    spec = ChannelSpec(1, 1, 1, Signalling.FXSKS, "V/1/1")
    with pytest.raises(ConfigError, match="channels 2-3 are not on the virtual card") as caught:
        check_card(lines, (spec,))
    assert "Channels there are: 1" in caught.value.remedy
    with pytest.raises(ConfigError, match="is the card there"):
        check_card(lines, ())


def test_set_that_is_no_set_is_named() -> None:
    lines = LinesConfig(sets=SetsConfig(ports=(SetPort(channels="1-2"),)))
    specs = (ChannelSpec(1, 1, 1, Signalling.FXOKS, "V/1/1"), ChannelSpec(2, 1, 2, Signalling.FXSKS, "V/1/2"))
    with pytest.raises(ConfigError, match="channel 2 is no port for a telephone set") as caught:
        check_card(lines, specs)
    assert (caught.value.code, "Such ports are: 1" in caught.value.remedy) == ("CFG-077", True)


def load_groups(channels: str) -> LinesConfig:
    return LinesConfig(groups=(GroupConfig(name="t", channels=channels),))


@pytest.mark.parametrize("text", ["1", "1-24,26", "1-3,5-7,9"])
def test_channel_text_and_numbers_agree(text: str) -> None:
    assert channel_text(list(channel_numbers(text))) == text
