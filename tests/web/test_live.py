"""The live state: followed from the call agent, pushed to browsers, kept when the agent is away."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from operator import methodcaller

import msgspec
import pytest
from flask import Flask

from appliance.control.messages import LiveCall, LiveCallChanged, LiveChannelChanged, LiveSnapshot
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, NOW, SignIn
from webui.app import hub_of
from webui.live import LiveHub, Watcher

LIMIT_S = 10.0


def next_event(stream: Iterator[bytes]) -> str:
    """The next server-sent event that carries something."""
    for chunk in stream:
        if chunk.startswith(b"event: live"):
            return chunk.decode()
    raise AssertionError("the stream ended")


@pytest.fixture
def stream(live_app: Flask, sign_in: SignIn) -> Iterator[Iterator[bytes]]:
    """The dashboard's stream as an inspector sees it, after its first event."""
    answer = sign_in("inspector").get("/dashboard/live", headers={"Accept": "text/event-stream"}, buffered=False)
    assert answer.mimetype == "text/event-stream"
    chunks = answer.iter_encoded()
    first = next_event(chunks)
    for part in ("part-state", "part-counters", "part-calls", "part-spans", "part-channels", "channel-24"):
        assert f'id="{part}"' in first
    yield chunks
    answer.close()


def test_new_call_is_pushed(stream: Iterator[bytes], agent: ScriptedAgent) -> None:
    call = msgspec.structs.replace(prepared.live_calls(NOW)[0], call_id="new", ani="02155558888", channel=9)
    agent.do(lambda live: live.call_changed(call))
    event = next_event(stream)
    assert "02155558888" in event
    assert 'id="part-calls"' in event
    assert 'id="channel-9"' in event
    assert 'id="channel-8"' not in event
    assert 'id="part-spans"' not in event


def test_call_that_goes_on_changes_its_row_alone(stream: Iterator[bytes], agent: ScriptedAgent) -> None:
    call = msgspec.structs.replace(prepared.live_calls(NOW)[0], place="opening_hours", digits="12")
    agent.do(lambda live: live.call_changed(call))
    event = next_event(stream)
    assert f'<tr id="call-{prepared.LIVE_CALL}" hx-swap-oob="true">' in event
    assert "门诊时间" in event
    assert "live-2" not in event
    assert 'id="part-calls"' not in event


def test_many_calls_show_the_newest(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    first = prepared.live_calls(NOW)[0]
    for number in range(100):
        call = msgspec.structs.replace(first, call_id=f"many-{number}", started_at=NOW + timedelta(seconds=number))
        agent.do(methodcaller("call_changed", call))
    until(live_app, lambda hub: len(hub.view().calls) == 103)
    page = sign_in("inspector").get("/dashboard", headers=HTML).text
    assert 'id="call-many-99"' in page
    assert 'id="call-many-40"' in page
    assert 'id="call-many-39"' not in page
    assert "另有 43 个" in page


def test_call_gone_is_pushed(stream: Iterator[bytes], agent: ScriptedAgent) -> None:
    agent.do(lambda live: live.call_gone(prepared.LIVE_CALL))
    event = next_event(stream)
    assert prepared.LIVE_CALL not in event
    assert 'id="channel-1"' in event


def test_blocked_channel_is_pushed_alone(stream: Iterator[bytes], agent: ScriptedAgent) -> None:
    channel = msgspec.structs.replace(prepared.lines(NOW)[0][6], blocked=True)
    agent.do(lambda live: live.channel_changed(channel))
    event = next_event(stream)
    assert 'id="channel-7"' in event
    assert "state-blocked" in event
    assert 'id="part-calls"' not in event


def test_agent_away_and_back(live_app: Flask, agent: ScriptedAgent, place: prepared.Place, sign_in: SignIn) -> None:
    """The last state stays on the page with a banner; when the agent is back the banner goes."""
    client = sign_in("inspector")
    agent.stop()
    until(live_app, lambda hub: hub.view().trouble is not None)
    away = client.get("/dashboard", headers=HTML).text
    assert "呼叫程序没有响应" in away
    assert "APP-030" in away
    assert "13911112222" in away
    back = ScriptedAgent(place.run_dir / "control.sock", NOW).start()
    try:
        until(live_app, lambda hub: hub.view().trouble is None)
        now = client.get("/dashboard", headers=HTML).text
        assert "呼叫程序没有响应" not in now
        assert "13911112222" not in now
    finally:
        back.stop()


def until(app: Flask, true: Callable[[LiveHub], bool]) -> None:
    hub = hub_of(app)
    with hub.watch() as watcher:
        while not true(hub):
            assert watcher.wait(LIMIT_S), "the live state did not change in time"


def test_health_is_pushed(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    answer = sign_in("technician").get("/health/live", buffered=False)
    chunks = answer.iter_encoded()
    next_event(chunks)
    agent.do(lambda live: live.health_changed(prepared.health(NOW, troubled=True)))
    event = next_event(chunks)
    assert "APP-051" in event
    assert "磁盘空间不足" in event
    answer.close()


def test_stream_ends_with_the_session(app: Flask, sign_in: SignIn) -> None:
    from appliance.store import accounts
    from appliance.store.models import Account
    from webui import store

    answer = sign_in("inspector").get("/dashboard/live", buffered=False)
    chunks = answer.iter_encoded()
    next_event(chunks)
    with store.connection():
        accounts.end_sessions(Account.get(Account.name == "wang"))
    hub_of(app)._tell(frozenset({"state"}))
    assert list(chunks) == []
    answer.close()


# --- the hub alone ---


def snapshot() -> LiveSnapshot:
    channels, spans, groups = prepared.lines(NOW)
    return LiveSnapshot(calls=tuple(prepared.live_calls(NOW)), channels=channels, spans=spans, groups=groups, health=prepared.health(NOW))


def followed(*messages: object) -> LiveHub:
    """A hub that was told these messages."""
    hub = LiveHub(lambda: iter(()))
    for message in messages:
        hub._apply(message)
    return hub


def test_slow_browser_piles_up_nothing() -> None:
    """Ten thousand changes of 24 channels leave at most one entry per channel and kind."""
    hub = followed(snapshot())
    channels = prepared.lines(NOW)[0]
    with hub.watch() as watcher:
        watcher.wait(0)
        for turn in range(10_000):
            channel = msgspec.structs.replace(channels[turn % 24], failures=turn)
            hub._apply(LiveChannelChanged(channel=channel))
        assert watcher.wait(0) == {f"channel-{number}" for number in range(1, 25)}
        assert watcher.wait(0) == frozenset()


def test_call_that_moves_redraws_both_channels() -> None:
    hub = followed(snapshot())
    call = hub.view().calls[prepared.LIVE_CALL]
    with hub.watch() as watcher:
        watcher.wait(0)
        hub._apply(LiveCallChanged(call=msgspec.structs.replace(call, operator_channel=22)))
        assert watcher.wait(0) == {f"call {prepared.LIVE_CALL}", "channel-1", "channel-22"}


def test_watchers_are_forgotten() -> None:
    hub = followed(snapshot())
    with hub.watch() as watcher:
        assert isinstance(watcher, Watcher)
        assert hub.watchers == 1
    assert hub.watchers == 0


def test_operator_channel_shows_the_call() -> None:
    call = followed(snapshot()).view().call_on(21)
    assert isinstance(call, LiveCall)
    assert call.call_id == "live-2"
    assert followed(snapshot()).view().call_on(24) is None


def test_too_many_browsers_are_told(app: Flask, sign_in: SignIn) -> None:
    hub = hub_of(app)
    most = app.extensions["careline"].config.web.threads - 16
    watching = [hub.watch() for _ in range(most)]
    for one in watching:
        one.__enter__()
    answer = sign_in("inspector").get("/dashboard/live", headers=HTML)
    assert answer.status_code == 503
    for one in watching:
        one.__exit__(None, None, None)
