"""Drugs, notices, VIPs: what is said, in which version, to whom and when."""

from datetime import date, timedelta

import pytest

from appliance.hospital.registry import drugs, notices, spoken, vip
from appliance.store.hospital_tables import Drug, Notice, Vip
from tests.unit.hospital_rig import NOW, TODAY, ZONE, codes, patient, store, taken

pytestmark = pytest.mark.usefixtures("store")
__all__ = ["store"]


def drug(number: str = "1203", **more: str) -> Drug:
    form = {"number": number, "name_zh": "阿莫西林胶囊", "name_en": "Amoxicillin capsules", "price": "12.50"} | more
    return taken(drugs.save(taken(drugs.read(form)), NOW))


def notice(**more: str) -> Notice:
    form = {"title_zh": "停诊通知", "title_en": "Closed", "text_zh": "明天停诊。", "text_en": "Closed tomorrow."} | more
    return notices.save(taken(notices.read(form, NOW, ZONE)), NOW)


def titles(*kinds: str, days: int = 0) -> list[str]:
    return [row.title_en for row in notices.heard_now(NOW + timedelta(days=days), *kinds)]


def test_a_drug_is_found_by_its_number() -> None:
    drug("0012")
    found = drugs.by_number("0012")
    assert found is not None
    assert (found.price_fen, found.version) == (1_250, 1)
    assert drugs.by_number("12") is None


def test_only_what_is_said_makes_a_version() -> None:
    row = drug()
    entry = drugs.entry_of(row)
    assert taken(drugs.save(entry, NOW, row.id)).version == 1
    taken(drugs.save(taken(drugs.read({"number": "1203", "name_zh": "甲", "name_en": "A", "price": "1", "listed": "no"})), NOW, row.id))
    assert Drug.get_by_id(row.id).version == 2
    assert drugs.by_number("1203") is None
    was, now_is = spoken.said("drug 1203", 1), spoken.said("drug 1203", 2)
    assert was is not None
    assert now_is is not None
    assert (was["price_fen"], now_is["price_fen"]) == (1_250, 100)
    assert spoken.said("drug 1203", 3) is None


@pytest.mark.parametrize(("keyed", "near"), [("1204", ["1203"]), ("123", ["1203"]), ("11203", ["1203"]), ("2103", ["1203"]), ("9999", [])])
def test_a_slip_of_the_finger_finds_the_nearest(keyed: str, near: list[str]) -> None:
    drug("1203")
    drug("7788")
    assert [row.number for row in drugs.nearest(keyed)] == near


@pytest.mark.parametrize("price", ["-1", "12.345", "", "1000001"])
def test_prices_that_will_not_do(price: str) -> None:
    assert "price" in codes(drugs.read({"number": "1", "name_zh": "甲", "name_en": "A", "price": price}))


def test_two_drugs_of_one_number() -> None:
    drug()
    other = drug("1204")
    assert codes(drugs.save(drugs.entry_of(Drug.get(Drug.number == "1203")), NOW, other.id)) == {"number": "duplicate"}


def test_notices_are_heard_between_their_times_in_their_order() -> None:
    first = notice(title_en="first", starts_at="2026-03-08", ends_at="2026-03-09")
    second = notice(title_en="second", kind="health")
    notice(title_en="later", starts_at="2026-03-10")
    assert titles() == ["first", "second"]
    assert titles("health") == ["second"]
    assert titles(days=1) == ["second"]
    assert titles(days=2) == ["second", "later"]
    notices.arrange([second.id, first.id])
    assert titles() == ["second", "first"]
    notices.set_open(second.id, is_open=False)
    assert titles() == ["first"]


def test_a_notice_ends_after_it_begins() -> None:
    form = {"title_zh": "甲", "title_en": "A", "text_zh": "甲", "text_en": "A", "starts_at": "2026-03-09", "ends_at": "2026-03-08"}
    assert codes(notices.read(form, NOW, ZONE)) == {"ends_at": "order"}
    assert codes(notices.read({"kind": "joke"}, NOW, ZONE))["kind"] == "choice"


def test_a_notices_versions() -> None:
    row = notice()
    entry = taken(notices.read({"title_zh": "停诊通知", "title_en": "Closed", "text_zh": "后天停诊。", "text_en": "x"}, NOW, ZONE))
    assert notices.save(entry, NOW, row.id).version == 2
    assert (spoken.said(f"notice {row.id}", 1) or {})["text_zh"] == "明天停诊。"


def enter(number: str, level: str = "2", **more: str) -> Vip:
    return taken(vip.save(taken(vip.read({"patient": number, "level": level} | more, TODAY)), "admin"))


def test_vips_are_valid_to_the_end_of_their_day() -> None:
    row = patient()
    enter(row.number, valid_until="2026-03-08")
    assert vip.levels_of([row.id], TODAY) == {row.id: 2}
    assert vip.levels_of([row.id], TODAY + timedelta(days=1)) == {}
    assert vip.have_lapsed([row.id], TODAY + timedelta(days=1))
    assert not vip.have_lapsed([row.id], TODAY)
    assert not vip.have_lapsed([row.id], TODAY + vip.LAPSE_TOLD + timedelta(days=1))


def test_the_highest_level_counts() -> None:
    row = patient()
    enter(row.number, "3")
    enter(row.number, "1")
    assert vip.levels_of([row.id], TODAY) == {row.id: 1}


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({"level": "9"}, {"level": "range"}),
        ({"valid_from": "2026-03-08", "valid_until": "2026-03-07"}, {"valid_until": "order"}),
        ({"patient": ""}, {"patient": "required"}),
    ],
)
def test_vip_forms(form: dict[str, str], faults: dict[str, str]) -> None:
    assert codes(vip.read({"patient": "10000001"} | form, TODAY)) == faults


def test_a_vip_is_a_patient() -> None:
    entry = taken(vip.read({"patient": "99"}, TODAY))
    assert entry.valid_from == date(2026, 3, 8)
    assert codes(vip.save(entry, "admin")) == {"patient": "unknown"}
