"""The hotline's own flows on paper: a thousand random walks, whatever actions answer; and that all an action names can be said."""

import random
from datetime import date

from appliance.calendar import CalendarConfig
from appliance.hospital.booking.reasons import PROMPTS, Reason
from appliance.ivr.actions.information import ITEMS, OWN
from appliance.ivr.actions.recognising import VIP_GREETINGS
from appliance.ivr.checking import faults
from appliance.ivr.listing import parts_of, row, rows
from appliance.ivr.nodes import AskDigits
from appliance.ivr.prompts.catalogue import LANGS
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.reading import built_in
from appliance.ivr.simulation import Stop, Surroundings, Walk, coverage, simulate
from appliance.ivr.values import Spoken, clips

LIBRARY = PromptLibrary()
FLOWS = built_in()
WALKS, STEPS = 1_000, 40
AWAY = {"", "0", "failed", "person"}
"""Answers that end most walks early."""


def walked(seed: int) -> Walk:
    """Answers by chance, each an answer that is possible where the caller stands, until the call ends or he hangs up."""
    chance = random.Random(seed)
    around = Surroundings(LIBRARY.text, CalendarConfig(), date(2026, 3, 8), {"choice": 1, "kind": chance.choice([*ITEMS])})
    answers: list[str] = []
    walk = simulate(FLOWS, "hotline", answers, around)
    while not walk.is_over and len(answers) < STEPS:
        answers.append(_answer(walk.stops[-1], chance))
        walk = simulate(FLOWS, "hotline", answers, around)
        assert not walk.refused, (answers, walk.stops[-1])
    return walk


def _answer(stop: Stop, chance: random.Random) -> str:
    """Mostly one that goes on."""
    _, node = FLOWS.at(stop.place)
    every = [choice.answer for choice in stop.choices]
    if isinstance(node, AskDigits):
        digits = "1" * node.min if chance.random() < 0.5 else "2" * node.max
        return digits + "#" if chance.random() < 0.85 else chance.choice([*every, "#", "*", "12345678901234567#"])
    onward = [answer for answer in every if answer not in AWAY]
    return chance.choice(onward if onward and chance.random() < 0.93 else every)


def test_no_walk_stands_still() -> None:
    walks = [walked(seed) for seed in range(WALKS)]
    found = coverage(FLOWS, walks)
    assert all(walk.is_over or walk.stops[-1].choices for walk in walks)
    assert all(walk.stops[-1].kind == "hang_up" for walk in walks if walk.is_over)
    assert len(found.unseen_places) < 0.1 * found.places, found.unseen_places


def test_nothing_is_wrong_with_them() -> None:
    assert faults(built_in(), LIBRARY.ids, LANGS) == []


def test_zero_leads_to_a_person_wherever_keys_are_taken() -> None:
    for flow in built_in().flows.values():
        for place, node in flow.places.items():
            if hasattr(node, "person"):
                assert flow.person_at(node), f"{flow.flow}/{place}"


def test_every_prompt_that_actions_name_is_there() -> None:
    reasons = {PROMPTS.get(reason, f"reason_{reason.value}") for reason in Reason}
    values = {"reason_opens_at", "reason_banned_until", "reason_missing_is", "refund_is", "refund_none", "refunded", "case_due_is"}
    movements = {f"movement_{kind}" for kind in ("registration", "top_up", "fee", "refund", "correction", "reversal")}
    cases = {"case_new", "case_open", "case_closed", "complaint_about", "sponsored_content", "doctor_no_profile"}
    wanted = reasons | values | movements | cases | {*ITEMS.values(), *OWN.values(), *VIP_GREETINGS.values(), "vip_greeting"}
    for lang in LANGS:
        assert wanted <= LIBRARY.ids(lang)


def test_a_list_is_said_row_by_row_with_the_key_of_each() -> None:
    said = rows([row(("text", "张\t伟\n"), ("money", 1_500), ("prompt", "")), "", row(("prompt", "item_drugs"))])
    assert parts_of(said) == [[("text", "张 伟"), ("money", "1500")], [("prompt", "item_drugs")]]
    spoken = Spoken({"x": said}, "zh", date(2026, 3, 8), lambda lang: (), lambda text, lang: (f"text {text}",))
    assert clips(["{choices:x}"], spoken) == (
        ["text 张 伟", "num_15", "unit_yuan", "please_press", "num_1", "pause_short", "item_drugs", "please_press", "num_2"],
        [],
    )
    assert clips(["{list:x}"], spoken)[0][-2:] == ["pause_short", "item_drugs"]


def test_a_list_that_is_none_is_a_fault_and_not_said() -> None:
    said, found = clips(["greeting", "{list:x}"], Spoken({"x": "nothing"}, "en", date(2026, 3, 8), lambda lang: (), lambda text, lang: ()))
    assert (said, [fault.code for fault in found]) == (["greeting"], ["APP-143"])
