"""The set-up of lines as a file: what is written is read back the same, the old one is kept, a difference is shown."""

import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import line_setup
from drivers.config import GroupConfig, LinesConfig, LineSetup, load, load_setup, setup_of, usable, with_setup
from drivers.errors import ConfigError
from drivers.io import ChannelSpec, Signalling
from drivers.numbers import GroupNumbers, Rewrite
from drivers.signalling.pri.config import PriConfig
from drivers.signalling.r2 import R2Span
from drivers.span_plans import SpanPlan
from drivers.virtual.config import SpanConfig, SpanKind, VirtualConfig

SETUP = LineSetup(
    spans=(SpanPlan(span=1, fxsks="1-4"), SpanPlan(span=2, bchan="5-19,21-35", dchan="20", crc4=False)),
    groups=(
        GroupConfig(name='内线 "A"', channels="1-2", overflow=("b",), numbers_as=GroupNumbers(access="9w", dialled=Rewrite(strip=1))),
        GroupConfig(name="b", channels="3-4", hunting="down", reserve=1),
    ),
    pri=(PriConfig(span=2, side="network", timers={"T303": 4000}),),
    r2=(R2Span(span=3, variant="itu", ani=False),),
)

names = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)
groups = st.builds(GroupConfig, name=names, channels=st.just("1"), dnis=names, reserve=st.integers(0, 99), overflow=st.tuples(names))


def read_back(setup: LineSetup) -> LineSetup:
    return msgspec.convert(tomllib.loads(line_setup.as_toml(setup)), LineSetup)


def test_what_is_written_is_read_back() -> None:
    assert read_back(SETUP) == SETUP
    assert read_back(LineSetup()) == LineSetup()


@given(st.lists(groups, max_size=3))
def test_any_text_is_read_back(some: list[GroupConfig]) -> None:
    setup = LineSetup(groups=tuple(some))
    assert read_back(setup) == setup


def test_only_what_is_not_the_default_is_written() -> None:
    assert line_setup.as_toml(LineSetup(r2=(R2Span(span=3),))).splitlines()[1:] == ["", "[[r2]]", "span = 3"]


def test_difference_names_the_lines_that_change() -> None:
    after = msgspec.structs.replace(SETUP, r2=())
    assert "-[[r2]]" in line_setup.diff(SETUP, after).splitlines()
    assert line_setup.diff(SETUP, SETUP) == ""


def test_tried_kept_and_the_one_before(tmp_path: Path) -> None:
    line_setup.write_trying(tmp_path, SETUP)
    assert load_setup(tmp_path) is None
    line_setup.keep(tmp_path)
    assert load_setup(tmp_path) == SETUP
    assert not (tmp_path / line_setup.OLD).exists()
    line_setup.write_trying(tmp_path, LineSetup())
    line_setup.keep(tmp_path)
    assert (load_setup(tmp_path), load_setup(tmp_path, line_setup.OLD)) == (LineSetup(), SETUP)
    line_setup.write_trying(tmp_path, SETUP)
    line_setup.forget(tmp_path)
    line_setup.forget(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lines.toml", "lines.toml.old"]


def test_keeping_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"CFG-099.*lines\.toml"):
        line_setup.keep(tmp_path)


def test_set_up_from_the_web_goes_before_the_file(tmp_path: Path) -> None:
    config = tmp_path / "careline.toml"
    config.write_text(f'[paths]\ndata_dir = "{tmp_path}"\n[lines]\ncountry = "us"\n[[lines.groups]]\nname = "old"\nchannels = "1"\n')
    line_setup.write_trying(tmp_path, LineSetup(groups=(GroupConfig(name="new", channels="2"),)))
    assert [group.name for group in load(config).lines.groups] == ["old"]
    line_setup.keep(tmp_path)
    lines = load(config).lines
    assert ([group.name for group in lines.groups], lines.country) == (["new"], "us")
    (tmp_path / "lines.toml").write_text("[[groups]]\nname = 3\n")
    with pytest.raises(ConfigError, match=r"CFG-004.*lines\.toml"):
        load(config)


def test_same_checks_as_for_the_file() -> None:
    twice = LineSetup(groups=(GroupConfig(name="a", channels="1-2"), GroupConfig(name="b", channels="2")))
    with pytest.raises(ConfigError, match="CFG-031"):
        with_setup(LinesConfig(), twice)
    assert setup_of(with_setup(LinesConfig(), LineSetup())) == LineSetup()


@pytest.mark.parametrize("rubbish", [b"", b"[]", b"3", b"\xff", b'{"spans": 1}', b'{"spam": []}', b'{"groups": [{"name": "a"}]}'])
def test_rubbish_is_refused_with_a_code(rubbish: bytes) -> None:
    with pytest.raises(ConfigError, match=r"CFG-0(03|04|98)"):
        line_setup.parse(rubbish)


@pytest.mark.parametrize(
    ("kind", "plan", "code"),
    [
        (SpanKind.FXO, SpanPlan(span=2, fxsks="1-2"), "CFG-095"),
        (SpanKind.FXO, SpanPlan(span=1, fxsks="1-400"), "CFG-095"),
        (SpanKind.PRI, SpanPlan(span=1, bchan="1-14,16-31", dchan="15"), "CFG-096"),
        (SpanKind.CAS, SpanPlan(span=1, cas="1-31"), "CFG-096"),
        (SpanKind.PRI, SpanPlan(span=1, fxsks="1-4"), "CFG-097"),
    ],
)
def test_card_in_software_refuses_what_it_has_not(kind: SpanKind, plan: SpanPlan, code: str) -> None:
    card = VirtualConfig(spans=(SpanConfig(kind=kind),))
    with pytest.raises(ConfigError) as caught:
        with_setup(LinesConfig(virtual=card, spans=(plan,)), None)
    assert caught.value.code == code


def test_what_the_cards_lack_is_left_out_and_told() -> None:
    kinds = (Signalling.BCHAN, Signalling.BCHAN, Signalling.DCHAN)
    specs = tuple(ChannelSpec(number, 1, number, kind, f"C{number}") for number, kind in enumerate(kinds, 1))
    lines = LinesConfig(groups=(GroupConfig(name="a", channels="1-4"), GroupConfig(name="b", channels="5")))
    left, faults = usable(lines, specs)
    assert [(group.name, group.channels) for group in left.groups] == [("a", "1-2")]
    assert [fault.code for fault in faults] == ["CFG-033", "CFG-033"]
    assert "channel 3-4" in faults[0].what
    with pytest.raises(ConfigError, match="CFG-033"):
        usable(lines, ())


def test_forms_can_ask_for_every_plain_key() -> None:
    fields = line_setup.fields()
    kinds = {field.name: field.kind for field in fields["groups"]}
    assert (kinds["hunting"], kinds["reserve"], kinds["overflow"], kinds["dnis"]) == ("choice", "number", "list", "text")
    assert "numbers_as" not in kinds
    switch = next(field for field in fields["pri"] if field.name == "switch")
    assert switch.choices[:2] == ("euroisdn", "euroisdn_t1")
