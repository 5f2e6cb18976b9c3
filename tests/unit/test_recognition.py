"""Who rings: never a guess, and believed no further than the line can be."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from appliance.hospital.recognition import PEOPLE_MOST, Recognition, Trust, last_contacts, recognise, trust_of, trusted_for_vip
from appliance.hospital.registry import cards, patients, vip
from appliance.hospital.registry.cards import CardStep
from appliance.store.models import CallRecord
from tests.unit.hospital_rig import NOW, TODAY, ZONE, card, patient, store, taken

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]
ANI = "13800138000"


def ring(ani: str = ANI, presentation: str = "allowed", source: str = "network", days: int = 0, **more: Sequence[Trust]) -> Recognition:
    return recognise(ani, presentation, source, NOW + timedelta(days=days), ZONE, **more)


def enter_vip(number: str, level: str = "1", **more: str) -> None:
    taken(vip.save(taken(vip.read({"patient": number, "level": level} | more, TODAY)), "admin"))


@pytest.mark.parametrize(
    ("presentation", "source", "trust"),
    [
        ("allowed", "network", Trust.NETWORK),
        ("allowed", "mf", Trust.NETWORK),
        ("allowed", "user", Trust.CALLER_ID),
        ("allowed", "fsk", Trust.CALLER_ID),
        ("allowed", "dtmf", Trust.CALLER_ID),
        ("allowed", "set", Trust.NONE),
        ("allowed", "", Trust.NONE),
        ("allowed", "whatever", Trust.NONE),
        ("restricted", "network", Trust.NONE),
        ("unavailable", "network", Trust.NONE),
        ("", "", Trust.NONE),
    ],
)
def test_trust(presentation: str, source: str, trust: Trust) -> None:
    patient(phones=ANI)
    assert trust_of(presentation, source) is trust
    assert bool(ring(presentation=presentation, source=source).people) == (trust is not Trust.NONE)


@pytest.mark.parametrize("ani", ["", "anonymous", "12", "13800138001", "%"])
def test_numbers_that_match_nobody(ani: str) -> None:
    patient(phones=ANI)
    assert ring(ani).people == ()


def test_one_patient_behind_a_number_is_known() -> None:
    row = patient(phones=ANI, language="en")
    used, stopped = card(row), card(row)
    cards.step(stopped.id, CardStep.FREEZE, NOW, "desk")
    known = ring()
    assert known.sole is not None
    assert (known.sole.patient_id, known.sole.cards, known.language, used.state) == (row.id, 1, "en", "active")


def test_a_family_is_a_list_never_a_guess() -> None:
    mother, child, father = patient("李娜", phones=ANI), patient("王小明"), patient("王伟", phones=ANI)
    taken(patients.add_relative(mother.id, child.id, "child"))
    taken(patients.add_relative(father.id, child.id, "child"))
    taken(patients.add_relative(mother.id, father.id, "husband"))
    known = ring()
    assert [(person.name, person.of_number, person.relation) for person in known.people] == [
        ("李娜", True, ""),
        ("王伟", True, ""),
        ("王小明", False, "child"),
    ]
    assert known.sole is None


def test_a_number_of_a_company_is_nobodys() -> None:
    for n in range(PEOPLE_MOST + 1):
        patient(f"甲{n}", phones=ANI)
    assert ring().people == ()


def test_a_vip_is_known_by_every_number_until_the_day_ends() -> None:
    row = patient(phones=f"{ANI} 01088886666")
    enter_vip(row.number, "2", valid_until="2026-03-08")
    for ani in (ANI, "01088886666"):
        known = ring(ani)
        assert (known.vip_level, known.vip and known.vip.name) == (2, "李娜")
    late = ring(days=1)
    assert (late.vip_level, late.vip, late.vip_lapsed) == (0, None, True)


def test_midnight_is_the_hospitals() -> None:
    """16:00 UTC is midnight in Shanghai."""
    row = patient(phones=ANI)
    enter_vip(row.number, valid_until="2026-03-08")
    before = NOW.replace(hour=15, minute=59)
    assert recognise(ANI, "allowed", "network", before, ZONE).vip_level == 1
    assert recognise(ANI, "allowed", "network", before + timedelta(minutes=1), ZONE).vip_level == 0


def test_a_vip_in_a_family_is_put_through_but_two_are_not_greeted_by_name() -> None:
    first, second = patient("甲", phones=ANI), patient("乙", phones=ANI)
    enter_vip(first.number, "2")
    known = ring()
    assert (known.vip_level, known.vip and known.vip.name, known.sole) == (2, "甲", None)
    enter_vip(second.number, "2")
    assert (ring().vip_level, ring().vip) == (2, None)
    enter_vip(second.number, "1")
    again = ring().vip
    assert (ring().vip_level, again and again.name) == (1, "乙")


def test_a_number_that_can_be_forged_makes_no_vip_where_the_house_says_so() -> None:
    row = patient(phones=ANI)
    enter_vip(row.number)
    assert ring(source="fsk").vip_level == 1
    strict = ring(source="fsk", vip_trust=trusted_for_vip(by_caller_id=False))
    assert (strict.vip_level, strict.vip, strict.vip_lapsed) == (0, None, False)
    assert ring(vip_trust=(Trust.NETWORK,)).vip_level == 1


def test_a_relative_is_no_vip_by_the_others_number() -> None:
    mother, child = patient("李娜", phones=ANI), patient("王小明")
    taken(patients.add_relative(mother.id, child.id))
    enter_vip(child.number)
    assert (ring().vip_level, ring().vip) == (0, None)


def test_the_last_contacts() -> None:
    for n in range(5):
        CallRecord.create(call_id=f"c{n}", direction="inbound", group="trunk", channel=1, ani=ANI, started_at=NOW + timedelta(minutes=n))
    assert [contact.call_id for contact in last_contacts(ANI, NOW + timedelta(minutes=4))] == ["c3", "c2", "c1"]
    assert last_contacts("", NOW) == []
