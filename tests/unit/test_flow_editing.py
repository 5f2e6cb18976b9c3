"""Changes to a flow one at a time: what each does, what it refuses, and that whatever is done the flow can be written and read again."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.ivr import editing, editing_lists
from appliance.ivr.checking import faults
from appliance.ivr.editing import Edited, Wrong
from appliance.ivr.flow import Flow, FlowSet
from appliance.ivr.nodes import KINDS
from appliance.ivr.reading import built_in, read, write

OWN = built_in()


def good(edited: Edited) -> Flow:
    assert isinstance(edited, Flow), edited
    return edited


def grown(*kinds: str) -> Flow:
    """Places kind_1, kind_2 … of these kinds."""
    flow = editing.empty("visits")
    for kind in kinds:
        added = editing.add(flow, kind)
        assert isinstance(added, tuple)
        flow = added[0]
    return flow


def again(flow: Flow) -> Flow | None:
    return read(write(flow), flow.flow)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_added_and_is_read_again(kind: str) -> None:
    flow = grown(kind)
    assert list(flow.places) == [f"{kind}_1"]
    assert flow.entries == {"begin": f"{kind}_1"}
    assert again(flow) == flow
    assert isinstance(faults(FlowSet({**OWN.flows, "visits": flow}), lambda _: frozenset(), ("zh", "en")), list)


def test_the_first_person_is_the_one_that_0_leads_to() -> None:
    assert grown("say", "queue", "transfer").person == "queue_1"


def test_the_first_place_of_the_main_flow_is_where_the_hotline_begins() -> None:
    added = editing.add(editing.empty("hotline"), "say")
    assert isinstance(added, tuple)
    assert added[0].entries == {"hotline": "say_1"}


def test_a_place_added_behind_an_exit_is_connected() -> None:
    added = editing.add(grown("say"), "hang_up", "say_1", "done")
    assert isinstance(added, tuple)
    assert added[0].places["say_1"].exits == {"done": "hang_up_1"}


def test_an_exit_leads_elsewhere_and_nowhere() -> None:
    flow = good(editing.connect(grown("say", "hang_up"), "say_1", "done", "hang_up_1"))
    assert flow.places["say_1"].exits == {"done": "hang_up_1"}
    assert good(editing.connect(flow, "say_1", "done", "")).places["say_1"].exits == {}


def test_0_leads_to_the_flows_person_to_another_or_is_a_plain_key() -> None:
    flow = grown("menu", "transfer", "queue")
    assert flow.person_at(flow.places["menu_1"]) == "transfer_1"
    other = good(editing.connect(flow, "menu_1", "person", "queue_1"))
    assert other.person_at(other.places["menu_1"]) == "queue_1"
    plain = good(editing.connect(other, "menu_1", "person", editing.PLAIN_KEY))
    assert plain.person_at(plain.places["menu_1"]) == ""
    assert good(editing.connect(plain, "menu_1", "person", "")) == flow


def test_a_new_name_is_known_everywhere() -> None:
    flow = good(editing.connect(grown("menu", "transfer"), "menu_1", "silent", "transfer_1"))
    flow = good(editing.rename(good(editing.connect(flow, "menu_1", "person", "transfer_1")), "transfer_1", "desk"))
    assert flow.places["menu_1"].exits == {"silent": "desk"}
    assert flow.person == flow.person_at(flow.places["menu_1"]) == "desk"
    assert good(editing.rename(flow, "menu_1", "first")).entries == {"begin": "first"}
    assert editing.rename(flow, "menu_1", "menu_1") is flow


def test_what_led_to_a_place_that_is_gone_leads_nowhere() -> None:
    flow = good(editing.connect(grown("menu", "transfer"), "menu_1", "silent", "transfer_1"))
    flow = good(editing.delete(good(editing.connect(flow, "menu_1", "person", "transfer_1")), "transfer_1"))
    assert (flow.places["menu_1"].exits, flow.person, flow.person_at(flow.places["menu_1"])) == ({}, "", "")
    assert good(editing.delete(flow, "menu_1")).entries == {}


def test_a_copy_has_the_same_exits_under_a_name_of_its_own() -> None:
    flow = good(editing.move(good(editing.connect(grown("say", "hang_up"), "say_1", "done", "hang_up_1")), "say_1", 5, 6))
    copied = editing.copy(flow, "say_1")
    assert isinstance(copied, tuple)
    assert copied[0].places[copied[1]] == msgspec.structs.replace(flow.places["say_1"], at=None)


def test_places_are_moved_and_arranged() -> None:
    flow = good(editing.move(grown("say"), "say_1", 30, 40))
    assert (flow.places["say_1"].at, again(flow)) == ((30, 40), flow)
    assert editing.arrange(flow).places["say_1"].at is None


def test_fields_are_set_as_they_are_typed() -> None:
    flow = grown("ask_digits")
    changes = {"variable": "number", "min": "3", "max": "12", "secret": False, "title": {"zh": "号码", "en": "Number"}, "tries": None}
    node = good(editing.set_fields(flow, "ask_digits_1", changes, OWN)).places["ask_digits_1"]
    assert [getattr(node, name) for name in ("variable", "min", "max", "secret")] == ["number", 3, 12, False]
    assert node.title["en"] == "Number"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"max": "many"}, Wrong("max", "not_understood")),
        ({"max": "9" * 600}, Wrong("max", "too_long")),
        ({"no_such_field": "1"}, Wrong("", "not_understood")),
        ({"title": {"zh": "x" * 61}}, Wrong("title.zh", "too_long")),
        ({"title": {"fr": "x"}}, Wrong("title.fr", "not_understood")),
        ({"note": "a\0b"}, Wrong("note", "control")),
        ({"note": "\u202eevil"}, Wrong("note", "control")),
        ({"note": "\ud800"}, Wrong("note", "control")),
        ({"say": [["a"]]}, Wrong("say[0]", "not_understood")),
        ({"exits": {"x" * 41: "a"}}, None),
    ],
)
def test_what_will_not_do_is_told_at_its_field(changes: dict[str, Any], wrong: Wrong | None) -> None:
    found = editing.set_fields(grown("ask_digits"), "ask_digits_1", changes, OWN)
    assert isinstance(found, Wrong)
    assert wrong is None or (found.why == wrong.why and found.field.startswith(wrong.field.split("[")[0].split(".")[0])), found


def test_scripts_and_emoji_are_plain_text() -> None:
    changes = {"title": {"zh": "挂号😀", "en": "<script>alert(1)</script>"}, "note": "👩\u200d⚕️ 'quoted' \"x\" # : {a} [b] &c *d !e"}
    flow = good(editing.set_fields(grown("say"), "say_1", changes, OWN))
    assert again(flow) == flow


def test_another_action_has_other_exits() -> None:
    flow = good(editing.set_fields(grown("action", "hang_up"), "action_1", {"action": "find_drug", "inputs": {"number": "{ani}"}}, OWN))
    for name in ("found", "failed"):
        flow = good(editing.connect(flow, "action_1", name, "hang_up_1"))
    other = good(editing.set_fields(flow, "action_1", {"action": "recognise"}, OWN)).places["action_1"]
    assert (other.exits, getattr(other, "inputs", None)) == ({"failed": "hang_up_1"}, {})


def test_the_flows_own_fields_and_entries() -> None:
    flow = grown("say", "transfer")
    flow = good(editing.set_flow(flow, {"title": {"zh": "探视", "en": "Visits"}, "needs": ["patient"], "person": "transfer_1"}))
    flow = good(editing.set_entry(flow, "evening", "say_1"))
    assert (flow.entries, flow.needs, again(flow)) == ({"begin": "say_1", "evening": "say_1"}, ("patient",), flow)
    assert good(editing.set_entry(flow, "evening", "")).entries == {"begin": "say_1"}


@pytest.mark.parametrize(
    "edited",
    [
        editing.add(grown("say"), "none"),
        editing.add(grown("say"), "say", "nowhere", "done"),
        editing.add(grown("say"), "say", "say_1", ""),
        editing.copy(grown("say"), "none"),
        editing.delete(grown("say"), "none"),
        editing.rename(grown("say"), "none", "a"),
        editing.rename(grown("say"), "say_1", "Ü"),
        editing.rename(grown("say"), "say_1", "a" * 41),
        editing.rename(grown("say", "menu"), "say_1", "menu_1"),
        editing.connect(grown("say"), "none", "done", "say_1"),
        editing.connect(grown("say"), "say_1", "done", "none"),
        editing.connect(grown("say"), "say_1", "done", "-"),
        editing.connect(grown("say"), "say_1", "\n", "say_1"),
        editing.connect(grown("say"), "say_1", "x" * 41, "say_1"),
        editing.set_entry(grown("say"), "No", "say_1"),
        editing.set_entry(grown("say"), "yes", "none"),
        editing.set_flow(grown("say"), {"person": "none"}),
        editing.set_flow(grown("say"), {"needs": ["A"]}),
        editing.set_flow(grown("say"), {"note": "x" * 501}),
        editing.set_fields(grown("say"), "none", {}, OWN),
        editing.move(grown("say"), "none", 1, 1),
        editing.move(grown("say"), "say_1", -1, 1),
        editing.move(grown("say"), "say_1", 1, 10**9),
        editing_lists.say_more(grown("say"), "say_1", "say", "{money}"),
        editing_lists.say_more(grown("say"), "say_1", "say", "<script>"),
        editing_lists.say_more(grown("say"), "say_1", "say", ""),
        editing_lists.say_more(grown("say"), "say_1", "exits", "greeting"),
        editing_lists.say_more(grown("say"), "none", "say", "greeting"),
        editing_lists.say_less(grown("say"), "say_1", "say", 0),
        editing_lists.say_sooner(grown("say"), "say_1", "say", 0),
        editing_lists.add_key(grown("say"), "say_1"),
        editing_lists.add_key(grown("menu"), "menu_1", "A"),
        editing_lists.add_key(grown("menu"), "menu_1", "1", "<b>"),
        editing_lists.take_key(grown("menu"), "menu_1", "1"),
        editing_lists.change_key(grown("menu"), "menu_1", "1", "2"),
        editing_lists.key_sooner(grown("menu"), "menu_1", "1"),
        editing_lists.name_key(grown("menu"), "menu_1", "1", "a"),
        editing_lists.add_case(grown("say"), "say_1"),
        editing_lists.take_case(grown("branch"), "branch_1", 0),
        editing_lists.case_sooner(grown("branch"), "branch_1", 0),
    ],
)
def test_what_makes_no_sense_changes_nothing(edited: object) -> None:
    assert isinstance(edited, Wrong)


def test_what_is_said_is_listed_ordered_and_taken_away() -> None:
    flow = grown("say")
    for written in ("greeting", "{money:balance_fen}", "{opening_hours}"):
        flow = good(editing_lists.say_more(flow, "say_1", "say", written))
    flow = good(editing_lists.say_sooner(flow, "say_1", "say", 1))
    flow = good(editing_lists.say_less(flow, "say_1", "say", 2))
    assert flow.places["say_1"].says() == ("{money:balance_fen}", "greeting")
    for _ in range(editing_lists.SAID_MOST - 2):
        flow = good(editing_lists.say_more(flow, "say_1", "say", "greeting"))
    assert editing_lists.say_more(flow, "say_1", "say", "greeting") == Wrong("say", "too_many")


def keys_of(flow: Flow) -> dict[str, str]:
    return dict(getattr(flow.places["menu_1"], "keys", {}))


def test_keys_are_added_exchanged_reordered_named_and_taken() -> None:
    flow = grown("menu", "hang_up")
    for _ in range(3):
        flow = good(editing_lists.add_key(flow, "menu_1"))
    flow = good(editing.connect(flow, "menu_1", "key_1", "hang_up_1"))
    flow = good(editing_lists.name_key(flow, "menu_1", "1", "visits"))
    assert flow.places["menu_1"].exits == {"visits": "hang_up_1"}
    assert keys_of(flow) == {"1": "visits", "2": "key_2", "3": "key_3"}
    flow = good(editing_lists.key_sooner(flow, "menu_1", "2"))
    assert keys_of(flow) == {"1": "key_2", "2": "visits", "3": "key_3"}
    flow = good(editing_lists.change_key(flow, "menu_1", "2", "*"))
    assert keys_of(flow) == {"1": "key_2", "*": "visits", "3": "key_3"}
    flow = good(editing_lists.change_key(flow, "menu_1", "*", "3"))
    assert keys_of(flow) == {"1": "key_2", "3": "visits", "*": "key_3"}
    flow = good(editing_lists.take_key(flow, "menu_1", "3"))
    assert (keys_of(flow), flow.places["menu_1"].exits) == ({"1": "key_2", "*": "key_3"}, {})
    assert again(flow) == flow


def test_a_menu_has_twelve_keys_at_most() -> None:
    flow = grown("menu")
    for _ in range(11):
        flow = good(editing_lists.add_key(flow, "menu_1"))
    assert editing_lists.add_key(flow, "menu_1") == Wrong("keys", "too_many")
    assert len(keys_of(good(editing_lists.add_key(flow, "menu_1", "0", "person_here")))) == 12


def test_an_exit_of_two_keys_stays_with_the_other() -> None:
    flow = good(editing_lists.add_key(good(editing_lists.add_key(grown("menu"), "menu_1", "1", "a")), "menu_1", "2", "a"))
    flow = good(editing_lists.take_key(good(editing.connect(flow, "menu_1", "a", "menu_1")), "menu_1", "2"))
    assert flow.places["menu_1"].exits == {"a": "menu_1"}


def test_rows_of_a_branch() -> None:
    flow = good(editing_lists.add_case(good(editing_lists.add_case(grown("branch"), "branch_1")), "branch_1"))
    flow = good(editing_lists.case_sooner(flow, "branch_1", 1))
    assert flow.places["branch_1"].needs() == ("case_2", "case_1", "otherwise")
    flow = good(editing_lists.take_case(good(editing.connect(flow, "branch_1", "case_2", "branch_1")), "branch_1", 0))
    assert (flow.places["branch_1"].needs(), flow.places["branch_1"].exits) == (("case_1", "otherwise"), {})


def test_there_are_not_too_many_places() -> None:
    flow = editing.empty("large")
    node = grown("hang_up").places["hang_up_1"]
    flow = msgspec.structs.replace(flow, places={f"p{number}": node for number in range(editing.PLACES_MOST)})
    assert editing.add(flow, "say") == Wrong("kind", "too_many")
    assert editing.copy(flow, "p1") == Wrong("place", "too_many")


PLACES = st.sampled_from(["say_1", "menu_1", "menu_2", "ask_digits_1", "action_1", "branch_1", "transfer_1", "x", "<b>"])
TYPED = st.sampled_from(["done", "key_1", "person", "-", "", "1", "*", "😀", "{money:x}", "greeting"])
WORDS = st.one_of(PLACES, TYPED, st.text(max_size=50))
KIND = st.sampled_from([*KINDS, "none"])
WISHES = st.one_of(
    st.tuples(st.just("add"), KIND, WORDS, WORDS),
    st.tuples(st.just("connect"), PLACES, WORDS, WORDS),
    st.tuples(st.just("rename"), PLACES, WORDS),
    st.tuples(st.just("delete"), PLACES),
    st.tuples(st.just("copy"), PLACES),
    st.tuples(st.just("set_entry"), WORDS, WORDS),
    st.tuples(st.just("say_more"), PLACES, st.just("say"), WORDS),
    st.tuples(st.just("add_key"), PLACES, WORDS, WORDS),
    st.tuples(st.just("take_key"), PLACES, WORDS),
    st.tuples(st.just("name_key"), PLACES, WORDS, WORDS),
    st.tuples(st.just("change_key"), PLACES, WORDS, WORDS),
    st.tuples(st.just("add_case"), PLACES),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WISHES, max_size=25))
def test_whatever_is_done_the_flow_reads_as_it_was_written_and_is_checked(wishes: list[tuple[str, ...]]) -> None:
    flow = grown("menu", "say", "transfer")
    for name, *asked in wishes:
        change = getattr(editing, name, None) or getattr(editing_lists, name)
        edited = change(flow, *asked)
        flow = flow if isinstance(edited, Wrong) else edited[0] if isinstance(edited, tuple) else edited
    assert again(flow) == flow
    assert all(fault.flow for fault in faults(FlowSet({**OWN.flows, "visits": flow}), lambda _: frozenset(), ("zh", "en")))
