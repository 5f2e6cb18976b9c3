"""The flow checker finds every way to lose a caller; the flows a box comes with have none."""

import pytest

from appliance.ivr.checking import faults
from appliance.ivr.flow import FlowSet
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in, read

PROMPTS = frozenset({"hello", "menu", "bye", "invalid_key", "no_input", "still_there", "please_hold", "transferring"})

GOOD = """
flow: hotline
person: operator
entries: {hotline: hello, operator: operator, after_hours: hello}
places:
  hello: {kind: say, say: [hello], exits: {done: menu}}
  menu:
    kind: menu
    say: [menu]
    keys: {1: hello, "#": end}
    exits: {hello: hello, end: bye, too_many: bye, silent: bye}
  operator: {kind: transfer, exits: {ended: bye, busy: bye, no_answer: bye, failed: bye}}
  bye: {kind: hang_up, say: [bye]}
"""

INNER = """
flow: inner
person: to_person
entries: {begin: ask}
places:
  ask: {kind: ask_digits, say: [menu], variable: card, max: 4, exits: {got: back, too_many: away, silent: away}}
  back: {kind: return, exit: got}
  away: {kind: return, exit: none}
  to_person: {kind: return, exit: person}
"""


def wrong(*changes: tuple[str, str], more: tuple[str, ...] = ()) -> list[str]:
    text = GOOD
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    flows = {}
    for each in (text, *more):
        flow, unread = read(each, "t")
        assert flow, unread
        flows[flow.flow] = flow
    return [
        f"{fault.code} {fault.place}: {fault.what}" if fault.place else f"{fault.code}: {fault.what}"
        for fault in faults(FlowSet(flows), lambda lang: PROMPTS, ("zh", "en"))
    ]


def instead(node: str) -> tuple[str, str]:
    """Another node at the place hello."""
    return "{kind: say, say: [hello], exits: {done: menu}}", node


def test_a_good_flow() -> None:
    assert wrong() == []


def test_the_flows_of_the_program_are_good() -> None:
    assert faults(built_in(), PromptLibrary().ids, ("zh", "en")) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (instead("{kind: say, say: [hello]}"), "APP-132 hello: exit done leads nowhere"),
        (instead("{kind: say, say: [hello], exits: {done: x}}"), "APP-132 hello: exit done leads to 'x', which does not exist"),
        (instead("{kind: say, say: [hello], exits: {done: menu, x: bye}}"), "APP-132 hello: exit x is never taken"),
        (instead("{kind: say, say: [gone], exits: {done: menu}}"), "APP-134 hello: there is no prompt 'gone' in language en"),
        (instead("{kind: say, say: ['{sum:x}'], exits: {done: menu}}"), "APP-138 hello: '{sum:x}' is no value"),
        (instead("{kind: say, say: ['{digits:x}'], exits: {done: menu}}"), "APP-138 hello: x may have no value here"),
        (instead("{kind: say, say: [hello], exits: {done: hello}}"), "APP-136 hello: no way leads to an end from here"),
        (instead("{kind: action, action: x, exits: {done: menu}}"), "APP-139 hello: there is no action 'x'"),
        (
            instead("{kind: action, action: caller_number, exits: {known: menu, withheld: menu}}"),
            "APP-132 hello: exit failed leads nowhere",
        ),
        (
            instead("{kind: action, action: caller_number, inputs: {a: 1}, exits: {known: menu, withheld: menu, failed: menu}}"),
            "APP-139 hello: action caller_number takes no 'a'",
        ),
        (
            instead("{kind: action, action: caller_number, outputs: {a: b}, exits: {known: menu, withheld: menu, failed: menu}}"),
            "APP-139 hello: action caller_number gives no 'a'",
        ),
        (instead("{kind: sub_flow, flow: x, exits: {}}"), "APP-140 hello: there is no flow 'x'"),
        (instead("{kind: ask_digits, say: [menu], variable: ani, max: 3, exits: {}}"), "APP-138 hello: ani is the call's own"),
        (instead("{kind: ask_digits, say: [menu], variable: x, min: 4, max: 3, exits: {}}"), "APP-131 hello: min = 4, max = 3"),
        (instead("{kind: ask_digits, say: [menu], variable: x, max: 3, pattern: '(', exits: {}}"), "APP-131 hello: pattern = '('"),
        (instead("{kind: ask_digits, say: [menu], variable: x, secret: true, max: 3, exits: {}}"), "APP-138 hello: what is secret"),
        (instead("{kind: ask_yes_no, say: [menu], no: 1, exits: {}}"), "APP-133 hello: key 1 is used twice"),
        (instead("{kind: send, channel: sms, to: '1', text: {zh: 好}, exits: {queued: menu, failed: menu}}"), "APP-134 hello: there is no"),
        (instead("{kind: branch, cases: [{variable: ani, test: is_empty, exit: hello}], exits: {hello: hello, otherwise: menu}}"),
         "APP-136 hello: it comes back here without waiting"),
        (instead("{kind: queue, pause_s: 1, exits: {}}"), "APP-131 hello: pause_s = 1"),
        (instead("{kind: queue, limit_s: 9999, exits: {}}"), "APP-131 hello: limit_s = 9999"),
        (instead("{kind: record, variable: x, max_s: 1, exits: {}}"), "APP-131 hello: max_s = 1"),
        (("keys: {1: hello", "tries: 99\n    keys: {1: hello"), "APP-131 menu: tries = 99"),
        (("entries: {hotline: hello", "entries: {hotline: x"), "APP-132: hotline begins at 'x', which does not exist"),
        (("entries: {hotline: hello, ", "entries: {"), "APP-141: no flow has the service 'hotline'"),
        (("person: operator\n", ""), "APP-137 menu: 0 leads to nobody"),
        (("person: operator\n", "person: bye\n"), "APP-137 menu: 0 leads to bye, and from there to no person"),
        (("person: operator\n", "person: x\n"), "APP-137: 0 leads to 'x', which does not exist"),
        (("  bye:", "  alone: {kind: say, say: [hello], exits: {done: bye}}\n  bye:"), "APP-135 alone: no caller can get here"),
        (("keys: {1: hello", "keys: {0: hello"), "APP-137 menu: 0 leads to hello, and from there to no person"),
        (("  bye: {kind", "  Bye: {kind"), "APP-132: 'Bye' is no name"),
    ],
)  # fmt: skip
def test_faults(change: tuple[str, str], what: str) -> None:
    assert any(found.startswith(what) for found in wrong(change)), wrong(change)


SUB = "{kind: sub_flow, flow: inner, exits: {got: read, none: menu, person: operator}}"
READ = ("  menu:", "  read: {kind: say, say: ['{digits:card}'], exits: {done: menu}}\n  menu:")


def test_a_sub_flow_gives_what_it_set() -> None:
    assert wrong(instead(SUB), READ, more=(INNER,)) == []


def test_a_sub_flow_gives_nothing_by_another_exit() -> None:
    found = wrong(instead(SUB.replace("none: menu", "none: read")), READ, more=(INNER,))
    assert found == ["APP-138 read: card may have no value here"]


def test_a_sub_flow_that_wants_something() -> None:
    found = wrong(instead(SUB), READ, more=(INNER.replace("entries:", "needs: [patient]\nentries:"),))
    assert found == ["APP-138 hello: patient may have no value here"]


def test_zero_in_a_sub_flow_leads_to_a_person_outside() -> None:
    found = wrong(instead(SUB.replace("person: operator", "person: bye")), READ, more=(INNER,))
    assert found == ["APP-137 ask: 0 leads to to_person, and from there to no person"]


def test_a_flow_may_not_come_back_into_itself() -> None:
    again = INNER.replace("{kind: return, exit: none}", "{kind: sub_flow, flow: hotline, entry: hotline, exits: {}}")
    found = wrong(instead(SUB), READ, more=(again,))
    assert [fault for fault in found if fault.startswith("APP-140")] == [
        "APP-140 hello: flow inner goes into hotline again, without end",
        "APP-140 away: flow hotline goes into inner again, without end",
    ]


def test_a_service_has_nothing_to_return_to() -> None:
    found = wrong(("{kind: hang_up, say: [bye]}", "{kind: return}"))
    assert found[0] == "APP-140 bye: service hotline gets here, with nothing to return to"


def test_after_a_test_for_being_set() -> None:
    """Either way of asking makes the variable sure."""
    ask = "{kind: ask_digits, say: [menu], variable: card, max: 4, exits: {got: ask, too_many: ask, silent: ask}}"
    first = "ask: {kind: branch, cases: [{variable: card, test: is_set, exit: set}], exits: {set: read, otherwise: menu}}"
    second = "ask: {kind: branch, cases: [{variable: card, test: is_empty, exit: no}], exits: {no: menu, otherwise: read}}"
    for branch in (first, second):
        assert wrong(instead(ask), (READ[0], f"  {branch}\n{READ[1]}")) == []
