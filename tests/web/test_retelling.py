"""What the other programs say in English is told in the reader's language."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from flask import Flask, g

from appliance.ivr.checking import faults
from appliance.ivr.flow import FlowSet, full_name
from appliance.ivr.reading import built_in, read
from appliance.store.models import CallEvent
from appliance.system import health
from drivers.protocol import EngineReport
from drivers.virtual.exchange import Refusal
from tests.unit import test_flow_checking as checking
from tests.web.conftest import HTML, SignIn, post, text_of
from webui import store
from webui.flow_words import place_words
from webui.retelling import known_as, retell
from webui.story import tell
from webui.wording import Wording, load_wording

CHANGES = [change for change, _ in vars(checking.test_faults)["pytestmark"][0].args[1]]


@pytest.fixture(scope="module")
def wording() -> Wording:
    return load_wording()


def sentences(*changes: tuple[str, str], more: tuple[str, ...] = ()) -> list[str]:
    text = checking.GOOD
    for before, after in changes:
        text = text.replace(before, after, 1)
    read_flows = [flow for flow, _ in (read(each, "t") for each in (text, *more)) if flow]
    found = faults(FlowSet({flow.flow: flow for flow in read_flows}), lambda lang: checking.PROMPTS, ("zh", "en"))
    return [sentence for fault in found for sentence in (fault.what, fault.remedy)]


@pytest.mark.parametrize("change", CHANGES)
def test_every_fault_of_a_flow_is_known(wording: Wording, change: tuple[str, str]) -> None:
    found = sentences(change)
    assert found
    assert [sentence for sentence in found if known_as(wording, "zh", sentence) is None] == []


@pytest.mark.parametrize(
    "text", ["[1]", "x: 1\nx: 2\nplaces: 3\n", "flow: t\nplaces: {a: {kind: dream}}\n", "a: [", "flow: t\nplaces: {}\nx: 1\n"]
)
def test_what_cannot_be_read_is_known_but_for_the_readers_own_words(wording: Wording, text: str) -> None:
    _, unread = read(text, "t")
    assert unread
    for fault in unread:
        assert known_as(wording, "zh", fault.remedy), fault
        assert fault.code == "APP-131" or known_as(wording, "zh", fault.what), fault


def test_the_details_of_health_are_known(wording: Wording) -> None:
    report = EngineReport(
        ticks=1, late_ticks=0, tick_late_ms_p999=1.5, underruns=0, events_lost=0, record_gap_samples=0, disk_ms_max=0.1, realtime=False
    )
    for check in (health.engine(report), health.engine(None), health.spans(()), health.dispatch(2), health.store(None, False)):
        assert known_as(wording, "zh", check.detail), check
    for check in (health.flows(None, 0), health.flows(None, 3), health.disk(Path(__file__).parent)[0]):
        assert known_as(wording, "zh", check.detail), check
    assert "未获得" in retell(wording, "zh", health.engine(report).detail)


@pytest.mark.parametrize("said", ["the box hung up", "the other side hung up", "the caller gave up", "hung up", *Refusal])
def test_how_a_call_ended_is_known(wording: Wording, said: str) -> None:
    assert known_as(wording, "zh", said)


def test_values_are_told_as_well_and_what_nobody_knows_stays(wording: Wording) -> None:
    full = retell(wording, "zh", "the store /d/c.db cannot be written (database or disk is full)")
    assert "/d/c.db" in full
    assert "已满" in full
    assert retell(wording, "zh", "no such sentence at all") == "no such sentence at all"
    assert retell(wording, "zh", "Write the number, or {ani} for the caller's") == "请写号码；{ani} 表示来电者的号码。"
    assert retell(wording, "en", "the box hung up") == "the box hung up"


@pytest.mark.parametrize(
    ("language", "what", "remedy"), [("zh", "出口 done 没有连接", "可用的有"), ("en", "exit done leads nowhere", "Use one of")]
)
def test_a_fault_of_a_draft_is_in_one_language(sign_in: SignIn, language: str, what: str, remedy: str) -> None:
    client = sign_in("administrator")
    post(client, "/language", {"language": language})
    text = checking.GOOD.replace(", exits: {done: menu}}", "}", 1)
    post(client, "/flows/hotline/edit", {"text": text, "note": "n", "saved": ""})
    page = text_of(client.get("/flows/hotline/1", headers=HTML).text)
    assert what in page
    assert remedy in page
    assert ("Use one of" in page) == (language == "en")


@pytest.mark.parametrize(
    ("language", "name", "words"),
    [
        ("zh", "caller_language", "热线 · 分支"),
        ("en", "caller_language", "Hotline · Branch"),
        ("en", "drugs/gone", "drugs/gone"),
        ("en", "gone/at_all", "gone/at_all"),
    ],
)
def test_a_place_of_a_flow_has_words(app: Flask, language: str, name: str, words: str) -> None:
    with app.test_request_context("/"), store.connection():
        g.language = language
        assert place_words(name) == words


def test_every_place_of_the_programs_flows_has_words(app: Flask) -> None:
    with app.test_request_context("/"), store.connection():
        g.language = "zh"
        for flow in built_in().flows.values():
            for place in flow.places:
                assert " · " in place_words(full_name(flow.flow, place))


@pytest.mark.parametrize(("lost", "words"), [(0, "录音暂时写不进去：磁盘已满"), (8000, "录音缺失 1000 毫秒：磁盘已满")])
def test_a_full_disk_stands_in_the_story_of_a_call(app: Flask, lost: int, words: str) -> None:
    body = msgspec.json.encode({"recording_id": "R1", "lost_samples": lost, "reason": "No space left on device"}).decode()
    at = datetime(2026, 3, 8, tzinfo=UTC)
    with app.test_request_context("/"), store.connection():
        g.language = "zh"
        assert tell([CallEvent(call="c", seq=1, at=at, kind="RecordingGapped", body=body)], at, at)[0].text == words
