"""Text on a terminal: widths of Chinese, tables that fit, wrapping; all texts and the table of commands in both languages."""

import re
from pathlib import Path

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from appliance.console.command import ARGUMENTS_MOST, Argument, Command, Report, Table, given, number, words_of
from appliance.console.commands import TABLE
from appliance.console.commands.channels import target
from appliance.console.errors import UsageError
from appliance.console.table import facts, table
from appliance.console.width import columns_of, cut, padded, printable, wrapped
from appliance.console.words import LANGUAGES, say, texts, word
from appliance.control.messages import LineTarget
from appliance.store.rights import ROLES, Right

CONSOLE = Path(__file__).parents[2] / "appliance/console"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PLACES = re.compile(r"{(\w+)")
ANY_TEXT = st.text("aBz 9-,.é\u0301状态正常，（ｗ", max_size=60)


@pytest.mark.parametrize(("text", "columns"), [("status", 6), ("状态", 4), ("é", 1), ("e\u0301", 1), ("ｗ", 2), ("\u200b", 0)])
def test_columns(text: str, columns: int) -> None:
    assert columns_of(text) == columns


def test_padding_and_cutting_chinese() -> None:
    assert padded("状态", 6) == "状态  "
    assert padded("状态", 6, right=True) == "  状态"
    assert cut("状态正常", 5) == "状态…"
    assert columns_of(padded("状态正常", 4)) == 4


@hypothesis_given(ANY_TEXT, st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, columns: int) -> None:
    lines = list(wrapped(text, columns))
    assert all(columns_of(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@hypothesis_given(st.lists(st.lists(ANY_TEXT, min_size=3, max_size=3), max_size=5), st.integers(30, 100))
def test_tables_fit_the_terminal(rows: list[list[str]], columns: int) -> None:
    lines = table(("名称", "State", "x"), rows, columns)
    assert len(lines) == len(rows) + 2
    assert all(columns_of(line) < columns for line in lines)


def test_a_table_in_chinese() -> None:
    assert table(("号", "状态"), [(3, "空闲"), (12, "因故障停用")], 80) == ["号  状态", "--------------", " 3  空闲", "12  因故障停用"]


def test_facts_are_aligned_and_wrapped() -> None:
    assert facts([("线路", "正常"), ("Disk", "1 GB")], 80) == ["线路  正常", "Disk  1 GB"]
    assert facts([("a", "one two three")], 15) == ["a  one two", "   three"]


def test_what_steers_a_terminal_is_not_shown() -> None:
    assert printable("a\x1b[2Jb\x9b\r") == "a [2Jb  "


# --- texts --------------------------------------------------------------------------------------------------------------


def test_every_text_in_both_languages() -> None:
    for key, spoken in texts().items():
        assert set(spoken) == set(LANGUAGES), key
        assert sorted(PLACES.findall(spoken["zh"])) == sorted(PLACES.findall(spoken["en"])), key
        assert all(text.strip() for text in spoken.values()), key
        if not key.startswith("login.") and key != "shell.hint" and spoken["zh"] != spoken["en"]:
            assert CHINESE.search(spoken["zh"]), key
            assert not CHINESE.search(spoken["en"].replace("zh：中文", "")), key


def test_every_text_asked_for_is_there() -> None:
    sources = "\n".join(file.read_text("utf-8") for file in CONSOLE.rglob("*.py"))
    groups = {key.split(".")[0] for key in texts()}
    asked = {key for key in re.findall(r'"([a-z_]+\.[a-z_0-9]+)"', sources) if key.split(".")[0] in groups}
    asked |= {
        f"{group}.{name}" for group, names in re.findall(r'heads\(\s*"(\w+)", ([^)]*)\)', sources) for name in re.findall(r'"(\w+)"', names)
    }
    assert sorted(asked - set(texts())) == []


def test_every_command_has_its_help_and_a_name_of_its_own_in_both_languages() -> None:
    seen: set[str] = set()
    for command in TABLE.commands:
        for language in LANGUAGES:
            assert command.help(language).strip()
            assert command.usage(language).startswith(command.called(language))
            assert command.called(language) not in seen
            seen.add(command.called(language))
        assert CHINESE.search(command.zh)
        assert TABLE.find(command.name.split(" "))[0] is TABLE.find(command.zh.split(" "))[0] is command


def test_every_command_stands_in_the_manual() -> None:
    manual = (CONSOLE.parents[1] / "docs/console.md").read_text("utf-8")
    for command in TABLE.commands:
        usage = command.usage("en").replace("|", "\\|")
        assert f"| `{usage}` | `{command.zh}` | {command.help('en')} |" in manual


def test_values_newer_than_the_texts_are_shown_as_they_are() -> None:
    assert word("zh", "grade", "brand new") == "brand new"
    assert all(say(language, f"account_role.{role}") for role in ROLES for language in LANGUAGES)
    assert {command.right for command in TABLE.commands} <= set(Right)


# --- the table and its lines --------------------------------------------------------------------------------------------


def did(work: object, values: object) -> Report:
    return Report()


SMALL: Table[None] = Table(
    (
        Command(name="spans list", zh="中继 列表", right=None, act=did),
        Command(
            name="lines test",
            zh="线路 测试",
            right=None,
            act=did,
            arguments=(
                Argument(name="kind", choices=("tone", "echo")),
                Argument(name="channel", read=number(1, 99)),
                Argument(name="seconds", option=True, required=False, default=30, read=number(1, 60)),
                Argument(name="now", flag=True),
            ),
        ),
        Command(name="say", zh="说", right=Right.HANG_UP, act=did, arguments=(Argument(name="what", rest=True),)),
    )
)


def test_a_noun_alone_is_its_first_command() -> None:
    assert SMALL.find(["spans"])[0].name == SMALL.find(["中继"])[0].name == "spans list"
    assert SMALL.find(["spans", "list", "x"])[1] == ["x"]


def test_words_become_arguments() -> None:
    command, rest = SMALL.find(words_of("lines test tone 7 --seconds 5"))
    assert given(command, rest) == {"kind": "tone", "channel": 7, "seconds": 5, "now": False}
    command, rest = SMALL.find(words_of("说 'a b' c"))
    assert given(command, rest) == {"what": ["a b", "c"]}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("nothing", "wrong.command"),
        ("lines test", "wrong.missing"),
        ("lines test loud 7", "wrong.choice"),
        ("lines test tone 700", "wrong.number"),
        ("lines test tone ７", "wrong.number"),
        ("lines test tone 7 8", "wrong.extra"),
        ("lines test tone 7 --seconds", "wrong.missing"),
        ("lines test tone 7 --secs 3", "wrong.option"),
        ("lines test 'tone 7", "wrong.quotes"),
        ("say " + "x " * ARGUMENTS_MOST, "wrong.many"),
    ],
)
def test_what_cannot_be_understood_says_why(line: str, key: str) -> None:
    with pytest.raises(UsageError) as wrong:
        given(*SMALL.find(words_of(line)))
    assert wrong.value.key == key
    assert all(say(language, key, **wrong.value.values) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("", ["lines", "spans", "中继", "线路"]),  # nothing this person may not do
        ("sp", ["spans"]),
        ("lines ", ["test"]),
        ("lines test ", ["--now", "--seconds", "echo", "tone"]),
        ("lines test t", ["tone"]),
        ("线路 ", ["测试"]),
        ("nothing ", []),
    ],
)
def test_completion(before: str, found: list[str]) -> None:
    assert SMALL.completions(before, lambda command: command.right is None)[1] == found


@pytest.mark.parametrize(
    ("written", "meant"), [("3", LineTarget(channel=3)), ("span:2", LineTarget(span=2)), ("group:trunk", LineTarget(group="trunk"))]
)
def test_targets(written: str, meant: LineTarget) -> None:
    assert target(written) == meant


@pytest.mark.parametrize("written", ["", "0", "span:", "span:x", "group:", "trunk", "99999999999999999999"])
def test_targets_that_are_none(written: str) -> None:
    with pytest.raises(UsageError):
        target(written)
