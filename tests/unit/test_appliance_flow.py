"""The flow checker finds every way to lose a caller; the flow a box comes with has none."""

import msgspec
import pytest

from appliance.ivr.first_flow import FIRST_FLOW
from appliance.ivr.flow import AnyNode, Flow, HangUp, Menu, Say, faults
from appliance.ivr.prompts.library import PromptLibrary

IDS = frozenset({"hello", "menu", "bye", "invalid_key", "no_input", "still_there"})


def good() -> dict[str, AnyNode]:
    return {
        "hello": Say(prompts=("hello",), exits={"done": "menu"}),
        "menu": Menu(
            prompts=("menu",),
            keys=(("1", "hello"), ("#", "end")),
            exits={"hello": "hello", "end": "bye", "too_many": "bye", "silent": "bye"},
        ),
        "bye": HangUp(prompts=("bye",)),
    }


def wrong(**places: AnyNode) -> list[str]:
    flow = Flow(name="t", entries={"hotline": "hello"}, places={**good(), **places})
    return [fault.what for fault in faults(flow, lambda lang: IDS, ("zh", "en"))]


def test_a_good_flow() -> None:
    assert wrong() == []


def test_the_first_flow_is_good() -> None:
    assert faults(FIRST_FLOW, PromptLibrary().ids, ("zh", "en")) == []


@pytest.mark.parametrize(
    ("place", "node", "what"),
    [
        ("hello", Say(prompts=("hello",)), "at hello: exit done leads nowhere"),
        ("hello", Say(prompts=("hello",), exits={"done": "nowhere"}), "at hello: exit done leads to 'nowhere', which does not exist"),
        ("hello", Say(prompts=("hello",), exits={"done": "menu", "x": "bye"}), "at hello: exit x is never taken"),
        ("hello", Say(prompts=("gone",), exits={"done": "menu"}), "at hello: there is no prompt 'gone' in language en"),
        ("alone", Say(prompts=("hello",), exits={"done": "bye"}), "no caller can get to alone"),
        ("hello", Say(prompts=("hello",), exits={"done": "hello"}), "from hello no way leads to an end"),
    ],
)
def test_faults(place: str, node: AnyNode, what: str) -> None:
    assert f"flow t: {what}" in wrong(**{place: node})


def test_keys() -> None:
    exits = {"a": "bye", "too_many": "bye", "silent": "bye"}
    twice = Menu(prompts=("menu",), keys=(("1", "a"), ("1", "a"), ("12", "a")), exits=exits)
    assert wrong(menu=twice)[:2] == ["flow t: at menu: '12' is no key", "flow t: at menu: key 1 is used twice"]


def test_entry_must_exist() -> None:
    flow = Flow(name="t", entries={"hotline": "x"}, places={})
    assert faults(flow, lambda lang: IDS, ("zh",))[0].code == "APP-010"


def test_flows_can_be_written_down() -> None:
    written = msgspec.json.encode(FIRST_FLOW)
    assert msgspec.json.decode(written, type=Flow) == FIRST_FLOW
