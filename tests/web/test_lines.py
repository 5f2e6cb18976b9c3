"""The page Lines and the page of a channel: what they show, what is asked of the call agent, what is pushed."""

from collections.abc import Iterator

import msgspec
import pytest
from flask import Flask

from appliance.control.messages import Check, Grade
from appliance.store.models import Audit
from drivers.errors import CarelineError
from drivers.protocol import LineTestPhase
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, NOW, SignIn, post, text_of
from tests.web.test_live import next_event, until
from webui import store


def test_spans_channels_and_history_are_shown(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    page = text_of(sign_in("inspector").get("/lines", headers=HTML).text)
    for told in ("中继 2", "红色告警", "D 通道中断", "CRC-4 误码 12", "因连续故障停用", "5 (连续 5 次)", "外线 fxsks", "振铃测试"):
        assert told in page, told
    assert "线路 7 · 连续故障，自动停用" in page
    assert "liwei · 拨号音测试结果 · 线路 3" in page
    assert "通过 听到拨号音。 用时 1560ms" in page
    assert "被拒绝: LIN-173 这条线路不能做这项测试" in page


def test_inspector_sees_no_button(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    client = sign_in("inspector")
    for address in ("/lines", "/channels/3", "/channels/22"):
        assert 'action="/lines' not in client.get(address, headers=HTML).text
        assert 'action="/channels' not in client.get(address, headers=HTML).text


@pytest.mark.parametrize(
    ("address", "form", "asked", "audited"),
    [
        ("/lines/blocked", {"span": "2", "blocked": "1"}, ("blocked", "span 2", True, "liwei"), "lines_blocked"),
        ("/lines/blocked", {"group": "trunk", "blocked": "0"}, ("blocked", "group trunk", False, "liwei"), "lines_unblocked"),
        (
            "/lines/blocked",
            {"group": "trunk", "blocked": "1", "at_once": "1"},
            ("blocked at once", "group trunk", True, "liwei"),
            "lines_blocked_at_once",
        ),
        (
            "/channels/1/blocked",
            {"blocked": "1", "at_once": "1", "from": "lines"},
            ("blocked at once", "channel 1", True, "liwei"),
            "channel_blocked_at_once",
        ),
        ("/lines/counters", {"span": "2"}, ("reset", "span 2", "liwei"), "line_counters_reset"),
        ("/channels/3/counters", {}, ("reset", "channel 3", "liwei"), "channel_counters_reset"),
        ("/channels/23/test", {"kind": "ring", "seconds": "20"}, ("test", 23, "ring", 20_000, "liwei"), "line_test_started"),
        ("/channels/22/test/end", {}, ("end test", 22, "liwei"), "line_test_ended"),
    ],
)
def test_technician_asks_and_it_is_written_down(
    live_app: Flask, agent: ScriptedAgent, sign_in: SignIn, address: str, form: dict[str, str], asked: tuple[object, ...], audited: str
) -> None:
    client = sign_in("technician")
    answer = post(client, address, form)
    assert answer.status_code == 303
    assert agent.asked == [asked]
    with store.connection():
        line = Audit.select().order_by(Audit.id.desc()).get()
    assert line.account is not None
    assert (line.action, line.account.name) == (audited, "liwei")
    assert "alert-success" in client.get(answer.headers["Location"], headers=HTML).text


def test_refusal_is_shown_with_code_and_remedy_and_not_audited(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    agent.refuse = CarelineError("LIN-174", "channel 1 is in use", "Wait")
    client = sign_in("technician")
    answer = post(client, "/channels/1/test", {"kind": "dial_tone", "seconds": "20"})
    page = text_of(client.get(answer.headers["Location"], headers=HTML).text)
    assert "线路正在使用" in page
    assert "LIN-174" in page
    assert "请等通话或测试结束" in page
    with store.connection():
        assert not Audit.select().where(Audit.action == "line_test_started").exists()


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "none", "seconds": "5"},
        {"kind": "ring", "seconds": "x"},
        {"kind": "ring", "seconds": "601"},
        {"kind": "ring", "seconds": "9" * 5000},
        {},
    ],
)
def test_test_that_cannot_be_is_no_request(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn, form: dict[str, str]) -> None:
    assert post(sign_in("technician"), "/channels/23/test", form).status_code == 400
    assert post(sign_in("technician"), "/lines/blocked", {"blocked": "1"}).status_code == 400
    assert post(sign_in("technician"), "/lines/blocked", {"blocked": "1", "span": "9" * 30}).status_code == 400
    assert post(sign_in("technician"), "/lines/blocked", {"blocked": "x", "span": "2"}).status_code == 400
    assert post(sign_in("technician"), "/channels/5/blocked", {}).status_code == 400
    assert agent.asked == []


def test_only_tests_that_fit_are_offered(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    client = sign_in("technician")
    line, a_set = client.get("/channels/3", headers=HTML).text, client.get("/channels/23", headers=HTML).text
    assert 'value="dial_tone"' in line
    assert 'value="ring"' not in line
    assert 'value="ring"' in a_set
    assert "停止测试" in client.get("/channels/22", headers=HTML).text


def test_what_is_wrong_with_the_set_up_is_told_with_its_remedy(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    fault = Check(name="line_setup", grade=Grade.FAILED, code="LIN-153", detail="channels 9-23 have no D-channel", remedy="Set one up")
    health = prepared.health(NOW)
    agent.do(lambda live: live.health_changed(msgspec.structs.replace(health, checks=(*health.checks, fault))))
    until(live_app, lambda hub: (known := hub.view().health) is not None and fault in known.checks)
    for address in ("/lines", "/health"):
        page = text_of(sign_in("technician").get(address, headers=HTML).text)
        for told in ("有 B 通道没有 D 通道", "时隙 16", "channels 9-23 have no D-channel"):
            assert told in page, (address, told)


# --- pushed -------------------------------------------------------------------------------------------------------


@pytest.fixture
def lines_stream(live_app: Flask, sign_in: SignIn) -> Iterator[Iterator[bytes]]:
    """The stream of the page Lines, after its first event."""
    answer = sign_in("technician").get("/lines/live", buffered=False)
    chunks = answer.iter_encoded()
    first = next_event(chunks)
    for part in ("part-state", "part-line-spans", "part-line-groups", "part-line-channels", "part-line-history", "line-24"):
        assert f'id="{part}"' in first
    yield chunks
    answer.close()


def test_one_channel_is_pushed_alone(lines_stream: Iterator[bytes], agent: ScriptedAgent) -> None:
    channel = msgspec.structs.replace(prepared.lines(NOW)[0][5], failures=77)
    agent.do(lambda live: live.channel_changed(channel))
    event = next_event(lines_stream)
    assert 'id="line-6"' in event
    assert ">77<" in event
    assert 'id="line-7"' not in event
    assert 'id="part-line-groups"' in event
    assert 'id="part-line-spans"' not in event


def test_alarm_of_a_span_and_history_are_pushed(lines_stream: Iterator[bytes], agent: ScriptedAgent) -> None:
    span = msgspec.structs.replace(prepared.lines(NOW)[1][0], alarms=("blue",), alarm_since=NOW)
    agent.do(lambda live: live.span_changed(span))
    assert "蓝色告警" in next_event(lines_stream)
    agent.do(lambda live: live.line_history_changed())
    event = next_event(lines_stream)
    assert 'id="part-line-history"' in event
    assert 'id="part-line-spans"' not in event


def test_test_of_a_channel_is_pushed_to_its_page(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    answer = sign_in("technician").get("/channels/22/live", buffered=False)
    chunks = answer.iter_encoded()
    assert "停止测试" not in next_event(chunks)  # the form is left alone, somebody may be at it
    test = msgspec.structs.replace(prepared.line_tests(NOW)[0], phase=LineTestPhase.FAILED, reason="not_answered")
    agent.do(lambda live: live.test_changed(test))
    event = next_event(chunks)
    assert "没有人摘机" in event
    assert "开始" in event
    agent.do(lambda live: live.test_changed(prepared.line_tests(NOW)[0]))
    assert "停止测试" in next_event(chunks)
    answer.close()
