"""Every service of the hotline from greeting to end, in both languages: the way each call goes, and what it leaves."""

from collections.abc import Callable
from typing import Any

import pytest

from appliance.config import Config
from appliance.events import PromptPlayed
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.booking_tables import Booking
from appliance.store.case_tables import Complaint
from appliance.store.hospital_tables import Card, Listening
from appliance.store.models import CallRecord
from appliance.store.money_tables import LedgerAccount
from appliance.store.projections import events_of
from tests.scenarios.hotline_rig import FREE, PAID, PASSWORD, TOP_UP, Answers, Hospital, Left, hospital, one_call

LANGUAGES = ("zh", "en")


@pytest.fixture
def here(config: Config) -> Hospital:
    return hospital(config)


def in_language(lang: str, answers: Answers) -> Answers:
    """Another language is chosen in the main menu before anything else."""
    return answers if lang == "zh" else {**answers, "main_menu": f"9 {answers['main_menu']}"}


def login(number: str, password: str = PASSWORD) -> Answers:
    return {"card/ask": f"{number}# …", "card/password": f"{password}# …"}


def said() -> list[str]:
    """Every prompt of the call, in order."""
    events = events_of(CallRecord.get().call_id)
    return [prompt for event in events if isinstance(event, PromptPlayed) for prompt in event.prompts]


def walk(config: Config, prompts: PromptLibrary, lang: str, answers: Answers, look: Callable[[], Any] = said) -> Left:
    left = one_call(config, prompts, in_language(lang, answers), look)
    assert left.wrong == []
    assert "technical_fault" not in said_of(left)
    return left


def said_of(left: Left) -> list[str]:
    return left.found if isinstance(left.found, list) else []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_balance_and_movements(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    answers = {"main_menu": "3", **login(here.rich), "account/menu": "1 2", "account/after": "1 #"}
    left = walk(config, prompts, lang, answers)
    assert {"balance_is", "movements_intro", "movement_top_up"} <= set(left.found)
    assert left.path.endswith("account/done>main_menu")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_topped_up_by_secret(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    top_up = {"account/menu": "3", "account/top_up": f"1111222233334444 {TOP_UP}", "account/after": "#"}
    answers = {"main_menu": "3", **login(here.poor), **top_up}
    left = walk(config, prompts, lang, answers, lambda: (said(), money_on(here.poor)))
    prompts_said, balance_fen = left.found
    assert {"top_up_wrong", "top_up_done"} <= set(prompts_said)
    assert balance_fen == 5_100


def test_lost(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {"main_menu": "3", **login(here.rich), "account/menu": "5", "account/lost": "1"}
    left = walk(config, prompts, "zh", answers, lambda: Card.get(Card.number == here.rich).state)
    assert left.found == "lost"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_paid_registration(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    left = walk(config, prompts, lang, paying(here), lambda: (said(), booked()))
    prompts_said, (booking,) = left.found
    assert {"confirm_payment", "paid", "receipt_number_is", "booking_code_is"} <= set(prompts_said)
    assert (booking["paid_fen"], booking["state"]) == (1_500, "booked")


def paying(here: Hospital, number: str = "") -> dict[str, str]:
    return {
        "main_menu": "1",
        "registration/menu": "2",
        **login(number or here.rich),
        "choose_place/how": "1",
        "find_doctor/number": f"{PAID}#",
        "choose_place/which": "1",
        "registration/paid_confirm": "1",
        "registration/after_paid": "#",
    }


def booked() -> list[dict[str, Any]]:
    return [row.__data__ for row in Booking.select().order_by(Booking.id)]


def money_on(number: str) -> int:
    return int(LedgerAccount.get(LedgerAccount.code == f"card {number}").balance_fen)


def test_too_little_money(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    left = walk(config, prompts, "zh", paying(here, here.poor), lambda: (said(), booked()))
    assert {"reason_insufficient_funds", "reason_missing_is"} <= set(left.found[0])
    assert left.found[1] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_free_registration(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    left = walk(config, prompts, lang, free(here), lambda: (said(), booked()))
    assert {"fee_free", "booked", "booking_code_is"} <= set(left.found[0])
    assert [row["paid_fen"] for row in left.found[1]] == [0]


def free(here: Hospital) -> dict[str, str]:
    return {
        "main_menu": "1",
        "registration/menu": "1",
        "holder/ask": f"{here.rich}#",
        "choose_place/how": "2",
        "find_department/ask": "12#",
        "choose_place/which": "2",
        "registration/free_confirm": "1",
        "registration/after_booked": "#",
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_doctor_whose_places_are_of_the_other_kind(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    """Asked for free of charge and had with a fee only, and the other way round: said so, never that there are no clinics."""
    unpaid = free(here) | {"choose_place/how": "1 #", "find_doctor/number": f"{PAID}#"}
    paid = paying(here) | {"choose_place/how": "1 #", "find_doctor/number": f"{FREE}#"}
    for answers, reason in ((unpaid, "reason_only_with_fee"), (paid, "reason_only_free")):
        left = walk(config, prompts, lang, answers)
        assert (reason in left.found, "reason_no_schedule" in left.found) == (True, False)
        assert "choose_place/refused>choose_place/how" in left.path


def test_who_has_no_card_is_told_how_and_gets_a_person(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    left = walk(config, prompts, "zh", {"main_menu": "1", "registration/menu": "1", "holder/ask": "#"})
    assert "reason_card_needed" in left.found
    assert "operator" in left.path


@pytest.mark.parametrize("lang", LANGUAGES)
def test_cancelled_by_number(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    """Booked and cancelled in one call, which keys the number it was told: the caller's own list."""
    answers = {
        **paying(here),
        "main_menu": "1 1",
        "registration/menu": "2 3",
        "bookings/which": "1",
        "bookings/opened": "1",
        "bookings/confirm_cancel": "1",
        "bookings/after": "1",
    }
    left = walk(config, prompts, lang, answers, lambda: (said(), booked(), money_on(here.rich)))
    assert {"booking_cancelled", "refunded", "refund_is"} <= set(left.found[0])
    assert ([row["state"] for row in left.found[1]], left.found[2]) == (["cancelled"], 10_000)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_moved(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    answers = {
        **paying(here),
        "main_menu": "1 1",
        "registration/menu": "2 5",
        "bookings/move": "#",
        "bookings/which": "1",
        "bookings/opened": "2",
        "bookings/new_place": "1",
        "bookings/confirm_move": "1",
        "bookings/after": "1",
    }
    left = walk(config, prompts, lang, answers, lambda: (said(), booked()))
    assert "booking_moved" in left.found[0]
    assert [row["state"] for row in left.found[1]] == ["moved", "booked"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_drug(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    answers = {"main_menu": "2", "information/menu": "2", "drugs/ask": "1203# 4100# 9#", "drugs/after": "1 1 #"}
    left = walk(config, prompts, lang, answers, lambda: (said(), [(row.item, row.version, row.whole) for row in Listening.select()]))
    assert {"drug_is", "drug_use_is", "drug_price_is", "drug_ask_doctor"} <= set(left.found[0])
    assert left.found[1] == [("drug 1203", 1, True), ("drug 4100", 1, True)]


def test_three_misses_lead_to_a_person(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {"main_menu": "2", "information/menu": "2", "drugs/ask": "1# 2# 3#"}
    left = walk(config, prompts, "zh", answers)
    assert "several_misses_person" in left.found
    assert "drugs/lost>drugs/to_person>information/to_person>operator" in left.path


def test_a_slip_of_the_finger_is_offered_the_nearest(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {"main_menu": "2", "information/menu": "2", "drugs/ask": "1204#", "drugs/near": "1", "drugs/after": "#"}
    left = walk(config, prompts, "zh", answers)
    assert {"drug_nearest", "drug_is"} <= set(left.found)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("way", "keys"), [("1", {"find_doctor/number": f"{PAID}#"}), ("2", {"find_doctor/initials": "99#"})])
def test_doctor_and_registered_from_there(
    config: Config, prompts: PromptLibrary, here: Hospital, lang: str, way: str, keys: Answers
) -> None:
    answers = {**paying(here), "main_menu": "2", "information/menu": "1", "doctors/menu": way, **keys, "doctors/after": "2"}
    left = walk(config, prompts, lang, answers, lambda: (said(), booked()))
    assert {"doctor_is", "department_is", "paid"} <= set(left.found[0])
    assert len(left.found[1]) == 1


def test_doctor_consulted(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {"main_menu": "2", "information/menu": "1", "doctors/menu": "3", "find_department/ask": "12#", "find_doctor/which": "2"}
    left = walk(config, prompts, "zh", {**answers, "doctors/after": "1"})
    assert left.path.split(">")[-1] in ("operator", "goodbye")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_notices_and_what_the_hospital_says_of_itself(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    answers = {
        "main_menu": "2",
        "information/menu": "3 4 5",
        "information/which": "2",
        "information/after": "#",
        "information/after_own": "#",
        "information/after_opening_hours": "* #",
    }
    left = walk(config, prompts, lang, answers, lambda: (said(), [(row.item, row.whole) for row in Listening.select()]))
    assert {"item_notices", "hospital_introduction"} <= set(left.found[0])
    assert left.found[1] == [("notice 2", True)]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_complaint(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    answers = {
        "main_menu": "4",
        "complaints/menu": "1",
        "complaints/ask_department": "99# 12#",
        "complaints/ask_staff": "77#",
        "complaints/keep": "1",
        "complaints/after": "#",
    }
    left = walk(config, prompts, lang, answers, lambda: (said(), [row.__data__ for row in Complaint.select()]))
    (case,) = left.found[1]
    assert {"department_unknown", "complaint_about", "case_kept", "case_number_is"} <= set(left.found[0])
    assert (case["department_code"], case["staff_code"], bool(case["recording"])) == ("12", "77", True)
    assert case["phone"] == "13800000000"


@pytest.mark.parametrize(("choice", "text"), [("2", "建议"), ("3", "表扬")])
def test_suggestion_and_praise(config: Config, prompts: PromptLibrary, here: Hospital, choice: str, text: str) -> None:
    answers = {"main_menu": "4", "complaints/menu": choice, "complaints/ask_department": "#", "complaints/ask_staff": "#"}
    answers |= {"complaints/keep": "1", "complaints/after": "#"}
    left = walk(config, prompts, "zh", answers, lambda: [row.text for row in Complaint.select()])
    assert left.found == [text]


def test_wrong_passwords_lock_the_card_and_lead_to_a_person(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {"main_menu": "3", **login(here.rich, "999999")}
    left = walk(config, prompts, "zh", answers, lambda: (said(), Card.get(Card.number == here.rich).state))
    assert left.found[1] == "locked"
    assert (left.found[0].count("password_wrong"), left.found[0].count("card_locked")) == (2, 1)
    assert "card/to_person>account/to_person>operator" in left.path
