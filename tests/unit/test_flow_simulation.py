"""Flows walked on paper: what would be said, what could be answered, what has been seen."""

import random
from datetime import date

import pytest

from appliance.calendar import CalendarConfig
from appliance.errors import FlowError
from appliance.ivr.flow import FlowSet
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in, read
from appliance.ivr.simulation import Choice, Surroundings, Walk, coverage, simulate

LIBRARY = PromptLibrary()
INNER = """
flow: card
person: to_person
entries: {begin: ask}
places:
  ask:
    kind: ask_digits
    say: [greeting]
    variable: card
    min: 4
    max: 6
    pattern: '6.*'
    exits: {got: ours, too_many: no, silent: no, back: no}
  ours:
    kind: branch
    cases: [{variable: card, test: at_least, value: 650000, exit: large}]
    exits: {large: read, otherwise: no}
  read: {kind: say, say: ["{digits:card}", "{money:fee}", "{text:card}"], exits: {done: got}}
  got: {kind: return, exit: got}
  no: {kind: return, exit: none}
  to_person: {kind: return, exit: person}
"""
OUTER = """
flow: hotline
person: operator
entries: {hotline: number, operator: operator, after_hours: number}
places:
  number: {kind: action, action: caller_number, outputs: {number: mine}, exits: {known: card, withheld: card, failed: operator}}
  card: {kind: sub_flow, flow: card, exits: {got: yes, none: bye, person: operator}}
  yes: {kind: ask_yes_no, say: [main_menu], tries: 2, exits: {"yes": english, "no": bye, too_many: bye, silent: bye}}
  english: {kind: language, exits: {done: bye}}
  operator: {kind: transfer, exits: {ended: bye, busy: bye, no_answer: bye, failed: bye}}
  bye: {kind: hang_up, say: [goodbye]}
"""


def flows(*texts: str) -> FlowSet:
    read_flows = [flow for text in texts if (flow := read(text, "t")[0])]
    return FlowSet({flow.flow: flow for flow in read_flows})


def walk(answers: list[str], of: FlowSet | None = None, **samples: str | int) -> Walk:
    around = Surroundings(LIBRARY.text, CalendarConfig(), date(2026, 3, 8), samples)
    return simulate(of or flows(OUTER, INNER), "hotline", answers, around, variables={"fee": samples["fee"]} if "fee" in samples else {})


def way(found: Walk) -> list[str]:
    return [f"{stop.place}:{stop.exit}" for stop in found.stops]


@pytest.mark.parametrize(
    ("answers", "places", "over"),
    [
        ([], "number:", False),
        (["known"], "number:known card: card/ask:", False),
        (["withheld", "0#"], "number:withheld card: card/ask:person card/to_person:person operator:", False),
        (["known", "0"], "number:known card: card/ask:person card/to_person:person operator:", False),
        (["known", "*"], "number:known card: card/ask:back card/no:none bye:", True),
        (["known", "12", "6", ""], "number:known card: card/ask: card/ask: card/ask:silent card/no:none bye:", True),
        (["known", "6499#"], "number:known card: card/ask:got card/ours:otherwise card/no:none bye:", True),
        (
            ["known", "650001#", "1"],
            "number:known card: card/ask:got card/ours:large card/read:done card/got:got yes:yes english:done bye:",
            True,
        ),
        (
            ["known", "650001", "7", "7"],
            "number:known card: card/ask:got card/ours:large card/read:done card/got:got yes: yes:too_many bye:",
            True,
        ),
        (["failed", "ended"], "number:failed operator:ended bye:", True),
    ],
)
def test_ways(answers: list[str], places: str, over: bool) -> None:
    found = walk(answers)
    assert (" ".join(way(found)), found.is_over) == (places, over)


def test_what_is_said_and_kept() -> None:
    found = walk(["known", "650001#", "1"], fee=305, mine="13800000000")
    said = next(stop.said for stop in found.stops if stop.place == "card/read")
    assert said == ("六五零零零幺", "三元零五分", "650001")
    assert (found.variables["card"], found.variables["mine"], found.language) == ("650001", "13800000000", "en")
    assert found.stops[-1].said == ("Thank you for calling. Goodbye.",)


def test_a_value_nobody_gave_is_shown_as_written() -> None:
    found = walk(["known", "650001#"])
    assert "{money:fee}" in next(stop.said for stop in found.stops if stop.place == "card/read")


def test_a_wrong_answer_is_said_so() -> None:
    assert walk(["known", "12"]).stops[-1].said[0] == LIBRARY.text("invalid_key", "zh")


def test_choices() -> None:
    assert walk(["known", "650001#"]).stops[-1].choices == (
        Choice("1", "yes", "english"),
        Choice("2", "no", "bye"),
        Choice("0", "person", "operator"),
        Choice("", "silent", "bye"),
    )


def test_an_answer_that_makes_no_sense_is_refused() -> None:
    found = walk(["sideways"])
    assert (found.refused, found.is_over, way(found)) == ("sideways", False, ["number:"])


def test_a_sub_flow_by_itself() -> None:
    around = Surroundings(LIBRARY.text, CalendarConfig(), date(2026, 3, 8), {})
    found = simulate(flows(OUTER, INNER), "card/begin", ["*"], around)
    assert (way(found), found.is_over) == (["card/ask:back", "card/no:none"], True)
    with pytest.raises(FlowError):
        simulate(flows(OUTER, INNER), "card/end", [], around)


def test_coverage() -> None:
    seen = coverage(flows(OUTER, INNER), [walk(["known", "650001#", "1"]), walk(["failed", "ended"])], ["hotline"])
    assert (seen.places, seen.exits, seen.unseen_places) == (6, 13, ())
    assert ("number", "withheld") in seen.unseen_exits
    assert ("number", "known") not in seen.unseen_exits


def test_every_flow_of_the_program_can_be_walked_on_paper() -> None:
    """At random, one answer more each time, as the page does."""
    chance = random.Random(1)
    walks = [_wander(chance) for _ in range(60)]
    assert sum(found.is_over for found in walks) > 20
    assert not any(found.refused for found in walks)


def _wander(chance: random.Random) -> Walk:
    answers: list[str] = []
    found = walk(answers, built_in())
    while not found.is_over and len(answers) < 30:
        choices = [choice.answer for choice in found.stops[-1].choices]
        answers.append(chance.choice([*choices, "123456#"] if found.stops[-1].kind == "ask_digits" else choices))
        found = walk(answers, built_in())
    return found
