"""Callers known by number: VIPs greeted by level and put through, cards offered, nobody guessed; money always asks for the password."""

from datetime import date

import pytest

from appliance.config import Config
from appliance.hospital.registry import patients, vip
from appliance.hospital.registry.vip import VipEntry
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.case_tables import WorkItem
from appliance.store.database import open_store
from appliance.store.hospital_tables import Card, Patient
from appliance.store.models import CallRecord, database
from drivers.protocol import Caller, NumberSource, Presentation
from tests.scenarios.hotline_rig import PASSWORD, Answers, Hospital, Left, hospital, one_call
from tests.scenarios.test_hotline_services import money_on, paying, said
from tests.unit.hospital_rig import taken

NUMBER = "13900001111"
KNOWN = Caller(number=NUMBER, presentation=Presentation.ALLOWED, source=NumberSource.NETWORK)
WITHHELD = Caller(number=NUMBER, presentation=Presentation.RESTRICTED, source=NumberSource.NETWORK)


@pytest.fixture
def here(config: Config) -> Hospital:
    return hospital(config)


def known(config: Config, *numbers: str, level: int = 0, language: str = "zh") -> None:
    """These cards' patients have NUMBER; the first is a VIP of that level."""
    path = config.paths.database.with_suffix(".empty")
    opened = open_store(path)
    with database.atomic():
        for card_number in numbers:
            row = Card.get(Card.number == card_number).patient
            Patient.update(language=language).where(Patient.id == row.id).execute()
            patients.set_phones(row.id, (NUMBER,))
            if level and card_number == numbers[0]:
                taken(vip.save(VipEntry(patient=row.number, level=level, valid_from=date(2026, 1, 1)), "boss"))
    opened.execute_sql("pragma wal_checkpoint(truncate)")
    opened.close()


def ring(config: Config, prompts: PromptLibrary, answers: Answers, caller: Caller = KNOWN) -> Left:
    left = one_call(config, prompts, answers, lambda: (said(), [row.kind for row in WorkItem.select()]), ani=caller)
    assert left.wrong == []
    return left


@pytest.mark.parametrize(("level", "greeting"), [(1, "vip_greeting_diamond"), (2, "vip_greeting_gold"), (3, "vip_greeting_silver")])
def test_a_vip_hears_the_greeting_and_then_a_person(
    config: Config, prompts: PromptLibrary, here: Hospital, level: int, greeting: str
) -> None:
    known(config, here.rich, level=level)
    left = ring(config, prompts, {})
    assert left.found[0] == [greeting]
    assert left.path == "caller>vip_person"


def test_a_vip_is_greeted_and_put_through_once_however_often_the_call_agent_dies(
    config: Config, prompts: PromptLibrary, here: Hospital
) -> None:
    known(config, here.rich, level=2)

    def look() -> tuple[list[str], str, str]:
        record = CallRecord.get()
        return said(), record.transfer_outcome, record.path

    whole = one_call(config, prompts, {}, look, ani=KNOWN)
    assert whole.found == (["vip_greeting_gold"], "answered", "caller>vip_person")
    for message in range(1, whole.messages):
        left = one_call(config, prompts, {}, look, ani=KNOWN, kill_after=message)
        assert (left.wrong, left.found) == ([], whole.found), f"killed after message {message}"


def test_a_withheld_number_is_nobody(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    known(config, here.rich, level=1)
    left = ring(config, prompts, {"main_menu": "*"}, WITHHELD)
    assert left.path.startswith("caller>greeting>main_menu")


def test_the_card_of_the_number_is_offered_and_its_password_asked(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    known(config, here.rich)
    left = ring(config, prompts, {**paying(here), "card/offered": "1"})
    assert {"card_of_caller", "ask_password", "paid"} <= set(left.found[0])
    assert "ask_card" not in left.found[0]


def test_a_family_is_not_guessed(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    known(config, here.rich, here.poor)
    left = ring(config, prompts, {"main_menu": "3", "card/ask": f"{here.rich}#", "card/password": f"{PASSWORD}#", "account/menu": "#"})
    assert "card_of_caller" not in left.found[0]
    assert "account_menu" in left.found[0]


def test_whoever_speaks_english_is_spoken_to_in_english(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    known(config, here.rich, language="en")
    left = one_call(config, prompts, {"main_menu": "*"}, lambda: CallRecord.get().language, ani=KNOWN)
    assert left.found == "en"
    assert left.path.startswith("caller>caller_language>caller_english>greeting")


def test_being_known_spends_nothing(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    known(config, here.rich)
    answers = {**paying(here), "card/offered": "1", "card/password": "999999# …"}
    left = one_call(config, prompts, answers, lambda: money_on(here.rich), ani=KNOWN)
    assert left.found == 10_000
