"""What callers hear: menus without gaps whatever is switched, sponsored items only where they are wanted, and counts of who listened."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.hospital import information
from appliance.hospital.information import Heard, Subject
from appliance.hospital.registry import drugs, notices
from appliance.store.hospital_tables import Notice
from appliance.store.models import database
from tests.unit.hospital_rig import NOW, ZONE, department, doctor, store, taken

__all__ = ["store"]
pytestmark = pytest.mark.usefixtures("store")


def notice(title: str, kind: str = "notice", **more: str) -> Notice:
    form = {"kind": kind, "title_zh": title, "title_en": title, "text_zh": "文", "text_en": "text"} | more
    return notices.save(taken(notices.read(form, NOW, ZONE)), NOW)


def keys(kind: str = "notice", page: int = 0, **more: bool) -> dict[str, str]:
    return {choice.key: choice.title_zh for choice in information.menu(NOW, kind, page, **more).choices}


def test_an_item_that_is_switched_off_leaves_no_gap() -> None:
    _first, second, _third = notice("a"), notice("b"), notice("c")
    assert keys() == {"1": "a", "2": "b", "3": "c"}
    notices.set_open(second.id, is_open=False)
    assert keys() == {"1": "a", "2": "c"}
    notices.set_open(second.id, is_open=True)
    notices.arrange([second.id])
    assert information.still_offered(second.id, NOW) == second


def test_items_are_offered_from_their_start_to_their_end() -> None:
    notice("a", starts_at="2026-03-08 11:00", ends_at="2026-03-08 12:00")
    offered = {hours: bool(information.menu(NOW + timedelta(hours=hours), "notice").choices) for hours in (0, 0.99, 1, 1.99, 2)}
    assert offered == {0: False, 0.99: False, 1: True, 1.99: True, 2: False}


def test_nine_fit_one_menu_and_more_are_paged_round_and_round() -> None:
    for n in range(9):
        notice(str(n))
    assert (len(keys()), information.menu(NOW, "notice").more) == (9, "")
    notice("9")
    assert (list(keys()), information.menu(NOW, "notice").more) == (list("12345678"), "9")
    assert keys(page=1) == {"1": "8", "2": "9"}
    assert keys(page=2) == keys(page=0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(switched=st.lists(st.booleans(), max_size=30))
def test_whatever_is_switched_keys_run_from_one_and_every_item_has_one(switched: list[bool]) -> None:
    with database.atomic() as attempt:
        for n, is_open in enumerate(switched):
            notice(str(n), open="yes" if is_open else "no")
        found: list[str] = []
        page = 0
        while len(found) < sum(switched):
            shown = keys(page=page)
            assert list(shown) == [str(n + 1) for n in range(len(shown))]
            found += shown.values()
            page += 1
        assert found == [str(n) for n, is_open in enumerate(switched) if is_open]
        attempt.rollback()


def test_subjects_are_those_about_which_there_is_something() -> None:
    assert information.subjects(NOW) == ()
    notice("w", "health")
    department("12")
    assert information.subjects(NOW) == (Subject("1", "health"),)
    drugs.save(taken(drugs.read({"number": "1203", "name_zh": "药", "name_en": "drug", "price": "3"})), NOW)
    doctor()
    assert information.subjects(NOW) == (Subject("1", "doctors"), Subject("2", "drugs"), Subject("3", "health"))


def test_sponsored_items_are_heard_only_where_they_are_wanted_and_are_marked() -> None:
    notice("ad", "sponsored")
    assert (information.subjects(NOW), keys("sponsored")) == ((), {})
    assert information.subjects(NOW, sponsored=True) == (Subject("1", "sponsored"),)
    choice = information.chosen(NOW, "sponsored", "1", sponsored=True)
    assert choice is not None
    assert choice.sponsored


def test_a_key_that_means_nothing() -> None:
    notice("a")
    assert information.chosen(NOW, "notice", "2") is None
    assert information.still_offered(99, NOW) is None


def test_listening_is_counted_once_and_whole_only_at_its_end() -> None:
    for _ in range(2):
        information.begin("notice 7", 1, "zh", "c1", "c1 item 1", NOW)
    information.begin("notice 7", 1, "zh", "c2", "c2 item 1", NOW)
    information.begin("drug 1203", 4, "en", "c2", "c2 item 2", NOW)
    information.heard_whole("c2 item 1")
    day = (NOW, NOW + timedelta(days=1))
    assert information.listened(*day) == [
        Heard(item="notice 7", language="zh", begun=2, whole=1),
        Heard(item="drug 1203", language="en", begun=1, whole=0),
    ]
    assert information.listened(day[1], day[1]) == []


def test_the_sponsors_report_counts_what_was_paid_for() -> None:
    ad, other = notice("ad", "sponsored"), notice("a")
    for n, row in enumerate((ad, ad, other)):
        information.begin(f"notice {row.id}", 1, "zh", f"c{n}", f"c{n}", NOW)
    information.heard_whole("c1")
    report = information.sponsor_report(NOW, NOW + timedelta(days=1))
    assert report == [Heard(item=f"notice {ad.id}", language="zh", begun=2, whole=1)]
