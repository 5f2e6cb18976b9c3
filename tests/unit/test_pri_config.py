"""`[[lines.pri]]`: what is refused and how, and which section a D-channel gets."""

from pathlib import Path

import pytest

from drivers.config import load
from drivers.errors import ConfigError
from drivers.io import ChannelSpec, Signalling
from drivers.signalling.pri.config import PriConfig, config_of, numbers_of
from tests.unit.test_lines_config import refused

TWO = '[[lines.pri]]\nspan = 1\nchannels = "{}"\n[[lines.pri]]\nspan = {}\nchannels = "{}"\n'
SPECS = {
    spec.number: spec
    for span in (1, 2)
    for slot in range(1, 32)
    for spec in [ChannelSpec(31 * (span - 1) + slot, span, slot, Signalling.DCHAN if slot == 16 else Signalling.BCHAN, f"T/{span}/{slot}")]
}


@pytest.mark.parametrize(
    ("text", "code", "named", "remedy"),
    [
        ('[[lines.pri]]\nswitch = "siemens"\n', "CFG-004", "lines.pri[0].switch", "euroisdn"),
        ('[[lines.pri]]\nside = "left"\n', "CFG-004", "lines.pri[0].side", "user, network"),
        ("[[lines.pri]]\ndchannel = 16\n", "CFG-003", "lines.pri.dchannel", "d_channel"),
        ('[[lines.pri]]\nchannels = "1-"\n', "CFG-030", 'lines.pri[0].channels = "1-"', "1-15,17-31"),
        ('[[lines.pri]]\nd_channel = 16\nchannels = "1-31"\n', "CFG-060", "channel 16 is the D-channel", "Leave it out"),
        (TWO.format("1-10", 2, "10-15"), "CFG-060", "channel 10 is in lines.pri[0] already", "one span"),
        (TWO.format("1-10", 1, "11-15"), "CFG-061", "lines.pri[1]: span 1", "one section"),
        ("[[lines.pri]]\nkeep_calls_ms = 5\n", "CFG-034", "lines.pri[0].keep_calls_ms = 5", "1000 to 600000"),
        ("[[lines.pri]]\n[lines.pri.timers]\nT999 = 5\n", "CFG-062", "lines.pri[0].timers.T999", "T303"),
        ("[[lines.pri]]\n[lines.pri.timers]\nT303 = -5\n", "CFG-062", "lines.pri[0].timers.T303 = -5", "0 to 600000"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, code: str, named: str, remedy: str) -> None:
    error: ConfigError = refused(tmp_path, text)
    assert error.code == code
    assert named in str(error)
    assert remedy in str(error)


def test_all_of_it(tmp_path: Path) -> None:
    path = tmp_path / "careline.toml"
    path.write_text(
        '[[lines.pri]]\nspan = 1\nd_channel = 16\nchannels = "1-15,17-31"\nswitch = "qsig"\nside = "network"\noverlap_receive = true\n'
        'dnis_digits = 4\ncaller_type = "national"\nkeep_calls_ms = 60000\n[lines.pri.timers]\nT303 = 5000\n'
    )
    (span,) = load(path).lines.pri
    assert (span.switch, span.side, span.timers) == ("qsig", "network", {"T303": 5000})


def test_a_d_channel_gets_the_section_that_names_it() -> None:
    by_channel, by_span, for_all = PriConfig(d_channel=16), PriConfig(span=1), PriConfig(side="network")
    everything = (for_all, by_span, by_channel)
    assert config_of(SPECS[16], everything) is by_channel
    assert config_of(SPECS[16], (for_all, by_span)) is by_span
    assert config_of(SPECS[47], everything) is for_all
    assert config_of(SPECS[47], (by_span, by_channel)) == PriConfig()


def test_a_d_channel_serves_its_span_or_what_is_named() -> None:
    assert numbers_of(PriConfig(), SPECS[47], SPECS) == set(range(32, 63)) - {47}
    assert numbers_of(PriConfig(channels="32-40,1"), SPECS[47], SPECS) == set(range(32, 41))
