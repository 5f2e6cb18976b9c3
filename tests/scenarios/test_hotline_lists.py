"""Lists longer than a page: more of them by key 8, and whatever is picked on whichever page is what was read there."""

from collections.abc import Callable

import pytest

from appliance.config import Config
from appliance.hospital.registry import doctors
from appliance.ivr.prompts.library import PromptLibrary
from appliance.store.booking_tables import Booking
from appliance.store.database import open_store
from appliance.store.hospital_tables import Listening
from appliance.store.models import database
from tests.scenarios.hotline_rig import PAID, Answers, Hospital, hospital
from tests.scenarios.test_hotline_services import LANGUAGES, paying, said, walk
from tests.unit.booking_rig import TOMORROW
from tests.unit.hospital_rig import department, doctor

DOCTORS, DEPARTMENTS = 20, 12


@pytest.fixture
def here(config: Config) -> Hospital:
    return hospital(config)


def with_more(config: Config, fill: Callable[[], None]) -> None:
    """The store that tests begin with has this too."""
    path = config.paths.database.with_suffix(".empty")
    opened = open_store(path)
    with database.atomic():
        fill()
    opened.execute_sql("pragma wal_checkpoint(truncate)")
    opened.close()


def many_doctors() -> None:
    for number in range(DOCTORS):
        doctor(f"{2000 + number}", "张伟")


def heard() -> tuple[str, list[str], list[str]]:
    of_department = [row.number for row in doctors.of_department(1)]
    by_keys = [row.number for row in doctors.by_keys("99", 100)]
    return Listening.get().item, [f"doctor {number}" for number in of_department], [f"doctor {number}" for number in by_keys]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("by", ["department", "initials"])
def test_doctors_on_the_third_page(config: Config, prompts: PromptLibrary, here: Hospital, lang: str, by: str) -> None:
    with_more(config, many_doctors)
    ask = {"department": {"find_department/ask": "12#"}, "initials": {"find_doctor/initials": "99#"}}[by]
    way = {"main_menu": "2", "information/menu": "1", "doctors/menu": {"department": "3", "initials": "2"}[by]}
    left = walk(config, prompts, lang, {**way, **ask, "find_doctor/which": "8 8 6", "doctors/after": "#"}, heard)
    item, of_department, by_keys = left.found
    assert item == {"department": of_department, "initials": by_keys}[by][2 * 7 + 5]


def many_departments() -> None:
    for number in range(DEPARTMENTS):
        department(f"{30 + number}", name_zh=f"科室{number}")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_department_from_the_list(config: Config, prompts: PromptLibrary, here: Hospital, lang: str) -> None:
    """The caller knows no number; back to the question from the second page, and to the list again."""
    with_more(config, many_departments)
    answers: Answers = {"main_menu": "2", "information/menu": "1", "doctors/menu": "3 #", "find_department/ask": "# #"}
    answers = {**answers, "find_department/which": "8 # 1", "find_doctor/which": "1", "doctors/after": "#"}
    left = walk(config, prompts, lang, answers, lambda: (Listening.get().item, said().count("choose_department")))
    assert left.found == (f"doctor {PAID}", 3)


def test_back_from_the_question_for_a_department(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {"main_menu": "2", "information/menu": "1", "doctors/menu": "3 #", "find_department/ask": "*"}
    left = walk(config, prompts, "zh", answers)
    assert "find_department/no>find_doctor/no>doctors/menu>doctors/done" in left.path


def test_a_key_behind_the_last_page_is_refused_and_the_list_begins_anew_next_time(
    config: Config, prompts: PromptLibrary, here: Hospital
) -> None:
    with_more(config, many_doctors)
    way = {"main_menu": "2", "information/menu": "1", "doctors/menu": "3 3", "find_department/ask": "12# 12#"}
    answers: Answers = {**way, "find_doctor/which": "8 8 8 8 # 1", "doctors/after": "#"}
    left = walk(config, prompts, "zh", answers, lambda: (heard(), said().count("more_press_eight")))
    (item, of_department, _), more = left.found
    assert (item, more) == (of_department[0], 4)
    assert "find_doctor/wrong_key" in left.path


def test_other_times_than_the_first_three(config: Config, prompts: PromptLibrary, here: Hospital) -> None:
    answers = {**paying(here), "choose_place/which": "8 2"}

    def look() -> tuple[int, int]:
        place = Booking.get().slot
        return place.number, (place.clinic.day - TOMORROW).days

    assert walk(config, prompts, "zh", answers, look).found == (2, 1)  # after the first of both days and the second of tomorrow
