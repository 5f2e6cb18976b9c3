"""Versions of flows in the store: drafts, what may be published, what is live, what it was before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.errors import FlowError
from appliance.ivr import publishing
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.publishing import Published, Refused
from appliance.ivr.reading import built_in_texts
from appliance.store.database import open_store
from appliance.store.flow_tables import FlowVersion
from appliance.store.models import Account, Audit
from appliance.store.place import StorePlace

NOW = datetime(2026, 3, 8, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
IDS = PromptLibrary().ids
HOTLINE = (Path(__file__).parents[1] / "scenarios" / "small_hotline.yaml").read_text(encoding="utf-8")
SHORTER = HOTLINE.replace("say: [greeting, recording_notice, offer_other_language]", "say: [greeting]", 1)
VISITS = """
flow: visits
entries: {begin: say}
places:
  say: {kind: say, say: [hospital_introduction], exits: {done: back}}
  back: {kind: return}
"""
BROKEN = VISITS.replace("done: back", "done: nowhere")


@pytest.fixture
def nurse(store_place: StorePlace) -> Iterator[Account]:
    database = open_store(store_place)
    yield Account.create(name="nurse", password_hash="", role="business", created_at=NOW)
    database.close()


def published(by: Account, **texts: str) -> int:
    chosen = {flow: publishing.save_draft(flow, text, by, NOW).version for flow, text in texts.items()}
    outcome = publishing.publish(chosen, by, NOW, IDS)
    assert isinstance(outcome, Published), outcome
    return outcome.edition


def states(flow: str) -> dict[int, str]:
    return {row.version: row.state for row in publishing.versions(flow)}


def test_a_new_box_walks_the_programs_own(nurse: Account) -> None:
    assert set(publishing.live_versions().values()) == {0}
    assert publishing.newest_edition() == 0
    assert publishing.texts_of_edition(0) == {}
    assert publishing.text_of("hotline", 0) == built_in_texts()["hotline"]


def test_a_draft_is_one_and_grows(nurse: Account) -> None:
    first = publishing.save_draft("visits", "", nurse, NOW)
    second = publishing.save_draft("visits", VISITS, nurse, LATER, note="better", saved=first.saved)
    assert (first.version, second.version, second.saved) == (1, 1, 2)
    assert [(row.text, row.note, row.made_at) for row in publishing.versions("visits")] == [(VISITS, "better", LATER)]
    assert "visits" in publishing.flow_names()
    assert publishing.live_versions().get("visits") is None


def test_two_who_save_the_same_draft(nurse: Account) -> None:
    draft = publishing.save_draft("visits", VISITS, nurse, NOW)
    publishing.save_draft("visits", VISITS, nurse, NOW, saved=draft.saved)
    for saved in (draft.saved, None):
        with pytest.raises(FlowError) as caught:
            publishing.save_draft("visits", BROKEN, nurse, NOW, saved=saved)
        assert (caught.value.code, "nurse" in caught.value.what) == ("APP-146", True)
    assert publishing.versions("visits")[0].text == VISITS


def test_a_draft_can_be_thrown_away(nurse: Account) -> None:
    publishing.save_draft("visits", VISITS, nurse, NOW)
    assert publishing.discard_draft("visits", nurse, NOW)
    assert not publishing.discard_draft("visits", nurse, NOW)
    assert publishing.versions("visits") == []


@pytest.mark.parametrize(
    ("text", "code"), [(BROKEN, "APP-132"), ("a: [", "APP-130"), (VISITS.replace("flow: visits", "flow: x"), "APP-132"), (VISITS, "")]
)
def test_what_is_checked(nurse: Account, text: str, code: str) -> None:
    found = publishing.check("visits", text, IDS)
    assert [fault.code for fault in found] == ([code] if code else [])


def test_what_has_faults_is_not_published_and_nothing_changes(nurse: Account) -> None:
    good = publishing.save_draft("hotline", SHORTER, nurse, NOW)
    bad = publishing.save_draft("visits", BROKEN, nurse, NOW)
    outcome = publishing.publish({"hotline": good.version, "visits": bad.version}, nurse, NOW, IDS)
    assert isinstance(outcome, Refused)
    assert [fault.place for fault in outcome.faults] == ["say"]
    assert (publishing.newest_edition(), states("hotline"), states("visits")) == (0, {1: "draft"}, {1: "draft"})


def test_published_versions_stay_as_they_are(nurse: Account) -> None:
    assert published(nurse, hotline=SHORTER) == 1
    draft = publishing.save_draft("hotline", HOTLINE, nurse, LATER)
    assert (draft.version, states("hotline")) == (2, {2: "draft", 1: "published"})
    assert publishing.texts_of_edition(1) == {"hotline": (1, SHORTER)}
    live = FlowVersion.get(FlowVersion.version == 1)
    assert (live.published_by, live.published_at, live.author) == ("nurse", NOW, "nurse")


def test_roll_back(nurse: Account) -> None:
    published(nurse, hotline=SHORTER)
    published(nurse, visits=VISITS)
    assert (publishing.live_versions()["visits"], states("hotline")) == (1, {1: "published"})
    for edition, live, state in (
        (1, {"hotline": 1}, "retired"),
        (0, {"hotline": 0}, "retired"),
        (2, {"hotline": 1, "visits": 1}, "published"),
    ):
        outcome = publishing.roll_back(edition, nurse, LATER, IDS)
        assert isinstance(outcome, Published)
        own = dict.fromkeys(built_in_texts(), 0)
        assert publishing.live_versions() == {**own, **live}
        assert states("visits") == {1: state}
    assert publishing.newest_edition() == 5


def test_editions_and_versions_that_are_not_there(nurse: Account) -> None:
    for wrong in (
        lambda: publishing.roll_back(7, nurse, NOW, IDS),
        lambda: publishing.publish({"hotline": 7}, nurse, NOW, IDS),
        lambda: publishing.publish({"x": 0}, nurse, NOW, IDS),
        lambda: publishing.text_of("x", 0),
    ):
        with pytest.raises(FlowError) as caught:
            wrong()
        assert caught.value.code == "APP-147"
    assert publishing.texts_of_edition(7) is None


def test_everything_is_in_the_audit(nurse: Account) -> None:
    published(nurse, visits=VISITS)
    publishing.roll_back(0, nurse, LATER, IDS)
    publishing.save_draft("visits", VISITS, nurse, LATER)
    publishing.discard_draft("visits", nurse, LATER)
    told = [(row.action, row.subject, row.detail, row.account and row.account.name) for row in Audit.select().order_by(Audit.id)]
    assert told == [
        ("save_flow", "visits", "version 1", "nurse"),
        ("publish_flows", "edition 1", "visits version 1", "nurse"),
        ("publish_flows", "edition 2", "back to edition 0", "nurse"),
        ("save_flow", "visits", "version 2", "nurse"),
        ("discard_flow", "visits", "", "nurse"),
    ]
