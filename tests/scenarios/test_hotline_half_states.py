"""Callers who hang up at every single place, and call agents that die: whatever happens, nothing of the hospital's is left half done."""

import pytest

from appliance.config import Config
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.booking_tables import Booking, Slot
from appliance.store.case_tables import Complaint, ComplaintStep, PendingStatement
from appliance.store.money_tables import LedgerTransaction
from tests.scenarios.hotline_rig import PASSWORD, TOP_UP, Answers, Hospital, hospital, one_call
from tests.scenarios.test_hotline_services import free, login, money_on, paying


@pytest.fixture
def here(config: Config) -> Hospital:
    return hospital(config)


def everything(here: Hospital) -> dict[str, Answers]:
    """A call through each service, by name."""
    account = {"main_menu": "3", **login(here.rich), "account/menu": "1 2 3 5", "account/after": "1 1 1 #"}
    complaint = {"main_menu": "4", "complaints/menu": "1 4", "complaints/ask_department": "12#", "complaints/ask_staff": "77#"}
    information = {"main_menu": "2", "information/menu": "1 2 3 4", "information/which": "1", "information/after": "#"}
    doctors = {"doctors/menu": "1 #", "find_doctor/number": "9# 1001#", "doctors/after": "#"}
    drugs = {"drugs/ask": "9# 1204# 4100#", "drugs/near": "1", "drugs/after": "1 #", "information/after_own": "#"}
    return {
        "account": {**account, "account/top_up": TOP_UP, "account/lost": "1"},
        "wrong passwords": {"main_menu": "3", **login(here.rich, "999999")},
        "paid": {**paying(here), "card/password": f"999999# {PASSWORD}# …"},
        "free": {**free(here), "registration/free_confirm": "2 1"},
        "cancelled": cancelling(here),
        "moved": moving(here),
        "information": {**information, **doctors, **drugs},
        "complaint": {**complaint, "complaints/keep": "2 1", "complaints/after": "#", "complaints/ask_case": "1#"},
    }


def cancelling(here: Hospital) -> dict[str, str]:
    own = {"bookings/which": "1", "bookings/opened": "1", "bookings/confirm_cancel": "1", "bookings/after": "1"}
    return {**paying(here), "main_menu": "1 1", "registration/menu": "2 3", **own}


def moving(here: Hospital) -> dict[str, str]:
    new = {"bookings/opened": "2", "bookings/new_place": "1", "bookings/confirm_move": "1", "bookings/after": "1"}
    return {**paying(here), "main_menu": "1 1", "registration/menu": "2 5", "bookings/move": "#", "bookings/which": "1", **new}


@pytest.mark.parametrize("service", ["account", "wrong passwords", "paid", "free", "cancelled", "moved", "information", "complaint"])
def test_the_caller_hangs_up_at_every_place(config: Config, prompts: PromptLibrary, here: Hospital, service: str) -> None:
    answers = everything(here)[service]
    whole = one_call(config, prompts, answers)
    assert whole.wrong == []
    places = len(whole.path.split(">"))
    for place in range(FIRST.get(service, 1), places + 1):
        left = one_call(config, prompts, answers, left_behind, hang_up_in=place)
        assert left.wrong == [], f"hung up at {left.path}"
        assert whole.path.startswith(left.path)
        assert left.found in ALLOWED[service], f"hung up at {left.path}"


def left_behind() -> tuple[int, int, int]:
    """Open bookings, fees taken and not returned, complaints."""
    fees = LedgerTransaction.select().where(LedgerTransaction.kind == "fee").count()
    refunds = LedgerTransaction.select().where(LedgerTransaction.kind == "refund").count()
    return Booking.select().where(Booking.state == "booked").count(), fees - refunds, Complaint.select().count()


NOTHING = (0, 0, 0)
FIRST = {"cancelled": 30, "moved": 30}
"""What comes before is as in "paid"."""
ALLOWED = {
    "account": {NOTHING},
    "wrong passwords": {NOTHING},
    "paid": {NOTHING, (1, 1, 0)},
    "free": {NOTHING, (1, 0, 0)},
    "cancelled": {NOTHING, (1, 1, 0)},
    "moved": {NOTHING, (1, 1, 0)},
    "information": {NOTHING},
    "complaint": {NOTHING, (0, 0, 1)},
}


def test_a_statement_is_filed_though_its_caller_hung_up_before_confirming(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = everything(here)["complaint"]
    places = one_call(config, prompts, answers).path.split(">")
    keep, expect = places.index("complaints/keep") + 1, places.index("complaints/expect") + 1
    left = one_call(config, prompts, answers, cases_left, hang_up_in=keep, after_s=MINUTES_S)
    [(department, staff, recording, steps)] = left.found
    assert (left.wrong, department, staff, steps) == ([], "12", "77", ["unconfirmed"])
    assert recording.endswith("-s1.wav")
    assert one_call(config, prompts, answers, cases_left, hang_up_in=expect, after_s=MINUTES_S).found == []
    confirmed = one_call(config, prompts, {**answers, "complaints/keep": "1"}, cases_left, after_s=MINUTES_S)
    assert [steps for *_, steps in confirmed.found] == [[]]
    taken_back = one_call(config, prompts, {**answers, "complaints/keep": "3", "complaints/menu": "1"}, cases_left, after_s=MINUTES_S)
    assert taken_back.found == []


MINUTES_S = 150.0


def cases_left() -> list[tuple[str, str, str, list[str]]]:
    assert not PendingStatement.select().exists()
    rows = Complaint.select().order_by(Complaint.id)
    return [(row.department_code, row.staff_code, row.recording, _steps_of(row)) for row in rows]


def _steps_of(case: Complaint) -> list[str]:
    return [step.kind for step in ComplaintStep.select().where(ComplaintStep.complaint == case)]


def test_the_caller_hangs_up_at_commands_of_a_payment(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    whole = one_call(config, prompts, paying(here))
    for command in range(1, whole.commands, 3):
        left = one_call(config, prompts, paying(here), left_behind, hang_up_at=command)
        assert (left.wrong, left.found in ALLOWED["paid"]) == ([], True), f"hung up at command {command}: {left.path}"


def test_held_places_are_free_again_by_themselves(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    """Hung up while the price was said."""
    answers = {**paying(here), "registration/paid_confirm": "-"}
    left = one_call(
        config, prompts, answers, lambda: [(row.state, row.held_until is None) for row in Slot.select().where(Slot.state != "free")]
    )
    assert left.found in ([], [("held", False)])


def test_killed_in_the_middle_of_a_payment(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    """Once charged, once booked, however often the call agent dies; a secret is lost with it and asked for again."""
    whole = one_call(config, prompts, paying(here), lambda: (left_behind(), money_on(here.rich)))
    assert whole.found == ((1, 1, 0), 8_500)
    for message in range(1, whole.messages, 3):
        left = one_call(config, prompts, paying(here), lambda: (left_behind(), money_on(here.rich)), kill_after=message)
        assert (left.wrong, left.found) == ([], whole.found), f"killed after message {message}: {left.path}"
