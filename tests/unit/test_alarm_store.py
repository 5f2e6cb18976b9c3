"""Alarms in the store: one history with the lines', settings with author and version before, acknowledged once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.store import alarms, migrations
from appliance.store.alarm_rules import RULES, RuleSetting, Severity
from appliance.store.alarms import AlarmError, MailSettings, Receiver, Receivers
from appliance.store.database import connect, open_store
from appliance.store.models import Alarm

NOW = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _store(tmp_path: Path):  # type: ignore[no-untyped-def]  # a generator of nothing
    database = open_store(tmp_path / "careline.db")
    yield
    database.close()


def raised(alarm: str = "red", **more: object) -> Alarm:
    fields = {
        "subject": "span",
        "number": 1,
        "alarm": alarm,
        "began_at": NOW,
        "raised_at": NOW,
        "rule": "span_down",
        "severity": "critical",
    }
    return Alarm.create(**(fields | more))


def test_alarms_of_an_older_store_are_kept(tmp_path: Path) -> None:
    old = connect(tmp_path / "old.db")
    old.execute_sql("create table schema_version (version integer not null)")
    old.execute_sql(f"insert into schema_version values ({migrations.STEPS.index(migrations._box_alarms)})")
    columns = "id integer primary key, subject text not null, number integer not null, alarm text not null, began_at text not null"
    old.execute_sql(f"create table line_alarm ({columns}, ended_at text)")
    old.execute_sql("insert into line_alarm values (1, 'span', 2, 'red', '2026-03-08T02:00:00.000000+00:00', null)")
    old.close()
    database = open_store(tmp_path / "old.db")
    assert [(row.subject, row.alarm, row.rule, row.raised_at) for row in Alarm.select()] == [("span", "red", "", None)]
    database.close()


def test_only_what_was_told_is_listed_the_worst_first() -> None:
    raised("red", severity="notice")
    raised("blue")
    raised("yellow", ended_at=NOW)
    Alarm.create(subject="channel", number=3, alarm="red", began_at=NOW)
    assert [row.alarm for row in alarms.open_alarms()] == ["blue", "red"]
    assert [row.alarm for row in alarms.history()] == ["yellow"]


def test_acknowledged_by_one_person_once() -> None:
    alarm = raised()
    before = alarms.mark()
    assert alarms.acknowledge(alarm.id, "wang", NOW)
    assert not alarms.acknowledge(alarm.id, "li", NOW)
    assert Alarm.get_by_id(alarm.id).acknowledged_by == "wang"
    assert alarms.mark() != before
    with pytest.raises(AlarmError) as error:
        alarms.acknowledge(99, "li", NOW)
    assert error.value.code == "ALM-003"


def test_a_rule_is_changed_with_author_and_the_version_before_comes_back() -> None:
    alarms.change_rule("disk_low", RuleSetting(threshold=20), "wang", NOW)
    assert alarms.rules_now()["disk_low"].limit == 20
    alarms.change_rule("disk_low", RuleSetting(threshold=25, severity=Severity.CRITICAL), "li", NOW)
    assert [row.by for row in alarms.versions("rule disk_low")] == ["li", "wang"]
    assert alarms.undo("rule disk_low", RuleSetting, "wang", NOW)
    assert alarms.rules_now()["disk_low"].limit == 20
    assert not alarms.change_rule("disk_low", RuleSetting(threshold=20), "wang", NOW)


@pytest.mark.parametrize(
    ("name", "setting", "code"),
    [
        ("nothing", RuleSetting(), "ALM-001"),
        ("disk_low", RuleSetting(threshold=95), "ALM-002"),
        ("span_down", RuleSetting(threshold=1), "ALM-002"),
    ],
)
def test_a_wrong_setting_is_refused(name: str, setting: RuleSetting, code: str) -> None:
    with pytest.raises(AlarmError) as error:
        alarms.change_rule(name, setting, "wang", NOW)
    assert error.value.code == code


def test_what_an_older_program_left_does_no_harm() -> None:
    alarms.AlarmSetting.create(name="rule disk_low", at=NOW, by="x", body='{"threshold": "much"}')
    alarms.AlarmSetting.create(name="mail", at=NOW, by="x", body="[")
    assert alarms.rules_now()["disk_low"].limit == 15
    assert alarms.read("mail", MailSettings) == MailSettings()
    alarms.save("receivers", Receivers(all=(Receiver(name="a", kind="sms", to="138"),)), "wang", NOW)
    assert alarms.read("receivers", Receivers).all[0].to == "138"


def test_rules_have_names_and_sensible_thresholds() -> None:
    assert len(RULES) >= 14
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert all((rule.zh, rule.en, rule.do_zh, rule.do_en)), rule.name
        assert rule.threshold is None or rule.threshold.least <= rule.threshold.value <= rule.threshold.most, rule.name
