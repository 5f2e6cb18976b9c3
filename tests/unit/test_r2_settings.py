"""`[[lines.r2]]`: what is refused and how it is told, and which section a channel has."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers import config
from drivers.errors import ConfigError
from drivers.signalling.r2 import R2Span, R2Timers, span_of
from drivers.signalling.r2.settings import check


def refused(*sections: dict[str, Any]) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        check(msgspec.convert(sections, tuple[R2Span, ...]), "careline.toml")
    return raised.value


@pytest.mark.parametrize(
    ("section", "code", "what"),
    [
        ({"dnis_length": 33}, "CFG-034", "lines.r2[0].dnis_length = 33"),
        ({"metering_ms": -2}, "CFG-034", "lines.r2[0].metering_ms = -2"),
        ({"timers": {"pulse_ms": 10}}, "CFG-034", "lines.r2[0].timers.pulse_ms = 10"),
        ({"timers": {"forward_signal_ms": 0}}, "CFG-034", "lines.r2[0].timers.forward_signal_ms = 0"),
        ({"own_category": "payphone"}, "CFG-045", 'own_category = "payphone" does not go with variant = "cn"'),
        ({"group_b": False}, "CFG-045", 'group_b = false does not go with variant = "cn"'),
        ({"variant": "mx", "group_b": False}, "CFG-045", "group_b = false"),
        ({"charge": False}, "CFG-045", "charge = false"),
        ({"ani_after": 2, "ani": False}, "CFG-045", "ani_after = 2"),
        ({"ani_after": 2, "ani_length": 11}, "CFG-045", "ani_after = 2"),
        ({"variant": "itu", "dnis_length": 4, "ani_after": 5}, "CFG-045", "ani_after = 5"),
        ({"channels": "1-x"}, "CFG-030", 'lines.r2[0].channels = "1-x"'),
    ],
)
def test_what_is_refused(section: dict[str, Any], code: str, what: str) -> None:
    error = refused(section)
    assert error.code == code
    assert what in error.what
    assert error.remedy


def test_sections_that_meet() -> None:
    assert "lines.r2[1] names span 1, which lines.r2[0] has" in refused({"span": 1}, {"span": 1}).what
    assert "lines.r2[1] names channel 15, which lines.r2[0] has" in refused({"channels": "1-15"}, {"channels": "15-17"}).what


@pytest.mark.parametrize("variant", ["cn", "itu", "mx", "br", "ar"])
def test_defaults_are_good(variant: str) -> None:
    check((msgspec.convert({"variant": variant}, R2Span),))


def test_which_section_a_channel_has() -> None:
    by_channel, by_span, by_any = R2Span(channels="3-5", dnis_length=3), R2Span(span=2, dnis_length=2), R2Span(dnis_length=1)
    sections = (by_any, by_span, by_channel)
    assert span_of(sections, 4, 2) is by_channel
    assert span_of(sections, 6, 2) is by_span
    assert span_of(sections, 6, 1) is by_any
    assert span_of((by_span,), 6, 1) == R2Span()


def test_metering_is_the_country_s_unless_it_is_said() -> None:
    assert msgspec.convert({"variant": "ar"}, R2Span).charge_pulse_ms == 400
    assert msgspec.convert({"variant": "ar", "metering_ms": 0}, R2Span).charge_pulse_ms == 0


def test_every_timer_is_checked() -> None:
    for name in R2Timers.__struct_fields__:
        assert refused({"timers": {name: 1_000_000}}).code == "CFG-034"


def test_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "careline.toml"
    path.write_text('[[lines.r2]]\nspan = 1\nvariant = "cn"\ndnis_length = 8\n[lines.r2.timers]\nanswer_delay_ms = 300\n')
    (span,) = config.load(path).lines.r2
    assert (span.dnis_length, span.timers.answer_delay_ms) == (8, 300)
    path.write_text('[[lines.r2]]\nvariant = "xx"\n')
    with pytest.raises(ConfigError) as raised:
        config.load(path)
    assert "lines.r2" in raised.value.what
