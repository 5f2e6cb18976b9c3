"""The list of calls: search, paging; and a call's story in plain words."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.events import AnyHappened
from appliance.store.models import CallEvent, CallRecord
from tests.web import prepared
from tests.web.conftest import HTML, NOW, SignIn, post, text_of
from webui import store
from webui.story import LOOKS
from webui.wording import load_wording


@pytest.fixture
def reader(sign_in: SignIn) -> FlaskClient:
    client = sign_in("inspector")
    post(client, "/language", {"language": "en"})
    return client


def found(reader: FlaskClient, **asked: str) -> int:
    """How many calls the page says it found."""
    text = text_of(reader.get("/calls", query_string=asked, headers=HTML).text)
    return int(text.split(" in all")[0].split()[-1]) if " in all" in text else 0


def test_everything_is_there(reader: FlaskClient) -> None:
    assert found(reader) == prepared.CALLS + 2


@pytest.mark.parametrize("number", ["13911112222", "1391111", "139-1111 2222", "0106"])
def test_search_by_number(reader: FlaskClient, number: str) -> None:
    plain = number.replace("-", "").replace(" ", "")
    with store.connection():
        expected = CallRecord.select().where(CallRecord.ani.contains(plain)).count()
    assert found(reader, number=number) == expected > 0


def test_search_by_number_that_means_something_to_sql(reader: FlaskClient) -> None:
    assert found(reader, number="%") == prepared.CALLS + 2
    assert found(reader, number="' OR 1=1 --") == 0


def test_search_by_time_is_local(reader: FlaskClient) -> None:
    """10:04 to 10:06 in Shanghai holds the call of 10:05, and not those of 10:04 UTC."""
    assert found(reader, since="2026-03-08T10:04", until="2026-03-08T10:06") == 1
    assert found(reader, since="2026-03-08T10:11") == 0
    assert found(reader, until="1999-01-01T00:00") == 0
    assert found(reader, since="nonsense", until="0001-01-01T00:00") in (0, prepared.CALLS + 2)


def test_search_by_outcome_and_group(reader: FlaskClient) -> None:
    with store.connection():
        both = (CallRecord.outcome == "failed") & (CallRecord.group == "vip")
        expected = CallRecord.select().where(both).count()
    assert found(reader, outcome="failed", group="vip") == expected > 0
    assert found(reader, outcome="going_on") == 1
    assert found(reader, outcome="nonsense") == 0


def test_pages_hold_every_call_once(reader: FlaskClient) -> None:
    seen: list[str] = []
    for page in ("1", "2", "3"):
        html = reader.get(f"/calls?page={page}", headers=HTML).text
        seen += [part.split('"')[0] for part in html.split('href="/calls/')[1:]]
    assert len(seen) == len(set(seen)) == prepared.CALLS + 2


@pytest.mark.parametrize("page", ["0", "-1", "99999999999999999", "x", "٣", ""])
def test_odd_page_numbers(reader: FlaskClient, page: str) -> None:
    assert reader.get("/calls", query_string={"page": page}, headers=HTML).status_code == 200


def test_htmx_gets_the_rows_alone(reader: FlaskClient) -> None:
    answer = reader.get("/calls?number=139", headers={"HX-Request": "true", "HX-Target": "found"})
    assert "<html" not in answer.text
    assert "13911112222" in answer.text


def test_story_in_plain_words(reader: FlaskClient) -> None:
    text = text_of(reader.get(f"/calls/{prepared.STORY_CALL}", headers=HTML).text)
    for words in (
        "Call from 13800138000 rings on channel 3 (trunk), dialled: 01088886666",
        "Sent to the hotline menus (rule: default)",
        "Heard: greeting, recording notice, main menu (cut short by a key)",
        "Key 7 means nothing here",
        "Chose English",
        "Transfer to sets begun; the caller hears it ring",
        "The transfer failed: no answer",
        "Transfer to 62345678 begun; the caller hears it ring",
        "The transfer was answered",
        "Left a message of 0:07, reference 700123",
        "Recording lost 40 ms: slow disk",
        "Fault MED-004: prompt goodbye cannot be read",
        "Recording ended, length 0:27",
        "Ended by the caller (normal end (16))",
        "10:05:00",
    ):
        assert words in text


def test_every_kind_of_event_has_words(app: Flask) -> None:
    kinds = {kind.__name__ for kind in AnyHappened.__args__}
    assert {key.removeprefix("story.") for key in load_wording().keys if key.startswith("story.")} == kinds
    assert set(LOOKS) == kinds


def test_event_of_a_newer_agent_is_shown_as_it_is(reader: FlaskClient) -> None:
    with store.connection():
        body = '{"type":"CoffeeServed","call_id":"x","seq":50,"sugar":2}'
        CallEvent.create(call=prepared.STORY_CALL, seq=50, at=NOW, kind="CoffeeServed", body=body)
        CallEvent.create(call=prepared.STORY_CALL, seq=51, at=NOW, kind="DigitPressed", body="{}")
    text = text_of(reader.get(f"/calls/{prepared.STORY_CALL}", headers=HTML).text)
    assert "CoffeeServed" in text
    assert "sugar=2" in text


def test_marks_lie_where_things_happened(reader: FlaskClient) -> None:
    """The key pressed 9.5 s after the first ring lies 6.5 s into the recording, which began 3 s after it."""
    html = reader.get(f"/calls/{prepared.STORY_CALL}", headers=HTML).text
    assert '[6500, "Pressed 9", "DigitPressed"]' in html
    assert 'data-seek-ms="6500"' in html


def test_call_without_anything(reader: FlaskClient) -> None:
    text = text_of(reader.get(f"/calls/{prepared.LIVE_CALL}", headers=HTML).text)
    assert "This call has no recording." in text
    assert "No events were kept." in text


def test_hidden_number_is_told(reader: FlaskClient) -> None:
    with store.connection():
        record = CallRecord.select().where(CallRecord.ani.is_null()).first()
    assert "unknown number" in reader.get(f"/calls/{record.call_id}", headers=HTML).text


def test_today_counts_from_local_midnight(reader: FlaskClient, app: Flask) -> None:
    """10:10 in Shanghai: today began at 16:00 UTC of the day before."""
    midnight = NOW - timedelta(hours=10, minutes=10)
    with store.connection():
        ended = CallRecord.select().where(CallRecord.started_at >= midnight, CallRecord.ended_at.is_null(False))
        expected = ended.count()
        dialled_here = ended.first().call_id
        CallRecord.update(direction="internal").where(CallRecord.call_id == dialled_here).execute()
    by_hour = reader.get("/dashboard/today").get_json()["by_hour"]
    assert sum(map(sum, by_hour.values())) == expected - 1 > 0
