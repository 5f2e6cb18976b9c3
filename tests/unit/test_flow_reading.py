"""Flows as text: what is read is what is written, and what is wrong is told with its line, all of it."""

import pytest

from appliance.ivr.nodes import AskDigits, Branch
from appliance.ivr.reading import built_in, read, write

TEXT = """flow: t
entries: {hotline: a}
places:
  a: {kind: say, say: [hello], exits: {done: b}}
  b: {kind: hang_up}
"""


def test_the_flows_of_the_program_can_be_written_down() -> None:
    for flow in built_in().flows.values():
        assert read(write(flow), "t") == (flow, [])


def test_keys_and_texts_stay_what_they_are() -> None:
    node = "{kind: branch, cases: [{variable: x, value: 0123, exit: yes}], exits: {yes: a, otherwise: a}, at: [1, 2]}"
    flow, _ = read(TEXT.replace("{kind: hang_up}", node), "t")
    assert flow
    branch = flow.places["b"]
    assert isinstance(branch, Branch)
    assert (branch.exits, branch.cases[0].value, branch.at) == ({"yes": "a", "otherwise": "a"}, "0123", (1, 2))
    assert read(write(flow), "t")[0] == flow


def test_numbers_and_truths_where_they_are_asked_for() -> None:
    node = "{kind: ask_digits, say: [x], secret: true, max: 6, exits: {}}"
    flow, _ = read(TEXT.replace("{kind: hang_up}", node), "t")
    assert flow
    assert flow.places["b"] == AskDigits(say=("x",), secret=True, max=6)
    assert read(write(flow), "t")[0] == flow


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1", [("APP-130", 1, "", "it is no YAML: expected ',' or ']', but got '<stream end>'")]),
        ("a: \x00", [("APP-130", 1, "", "it is no YAML: unacceptable character #x0000: special characters are not allowed")]),
        ("- 1", [("APP-130", 1, "", "it is no table of keys and values")]),
        ("", [("APP-130", 1, "", "it is no table of keys and values")]),
        (f"{TEXT}x: 1", [("APP-131", 1, "", "Object contains unknown field `x`")]),
        (f"{TEXT}flow: u", [("APP-130", 6, "", "the key flow is there twice")]),
        (TEXT.replace("kind: say", "kind: sing"), [("APP-131", 4, "a", "kind = 'sing' is no kind of node")]),
        (TEXT.replace("say: [hello]", "say: hello"), [("APP-131", 4, "a", "say: Expected `array`, got `str`")]),
        (TEXT.replace("hang_up", "hang_up, up: 1"), [("APP-131", 5, "b", "Object contains unknown field `up`")]),
        (
            TEXT.replace("kind: say", "kind: sing").replace("hang_up", "hang_up, up: 1"),
            [("APP-131", 4, "a", "kind = 'sing' is no kind of node"), ("APP-131", 5, "b", "Object contains unknown field `up`")],
        ),
        ("x: " + "[" * 2000, [("APP-130", 1, "", "")]),
    ],
)
def test_faults(text: str, told: list[tuple[str, int, str, str]]) -> None:
    flow, faults = read(text, "t")
    assert flow is None
    assert [(fault.code, fault.line, fault.place) for fault in faults] == [(code, line, place) for code, line, place, _ in told]
    assert all(fault.what.startswith(what) for fault, (*_, what) in zip(faults, told, strict=True)), faults


def test_aliases_of_aliases_are_no_way_to_fill_the_memory() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    flow, faults = read(bomb, "t")
    assert flow is None
    assert "more than" in faults[0].what


def test_a_very_long_text_is_refused() -> None:
    assert "longer than" in read("#" * 1_000_001, "t")[1][0].what
