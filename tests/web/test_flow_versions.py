"""Flows edited, published and taken back through the pages; what is sent in bad faith or by mistake."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.ivr import publishing
from appliance.ivr.reading import built_in_texts
from appliance.store.models import Audit
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, SignIn, post
from webui import store
from webui.views.flow_versions import TEXT_MOST

DRUGS = built_in_texts()["drugs"]
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{last}'] * 9)}]\n" for last, name in zip("abcdefgh", "bcdefghi", strict=True)
)
KEY_BOMB = (
    "? [&a [x,x,x,x,x,x,x,x,x]"
    + "".join(f", &{name} [{','.join([f'*{last}'] * 9)}]" for last, name in zip("abcdefg", "bcdefgh", strict=True))
    + "]\n: x\n"
)


def save(client: FlaskClient, text: str, saved: str = "", note: str = "n") -> TestResponse:
    return post(client, "/flows/drugs/edit", {"text": text, "note": note, "saved": saved})


def test_a_draft_is_saved_published_and_taken_back(sign_in: SignIn, agent: ScriptedAgent) -> None:
    office, chief = sign_in("business"), sign_in("supervisor")
    assert save(office, DRUGS.replace("\n", "\r\n"), note="Shorter").status_code == 303
    assert "Shorter" in office.get("/flows/drugs", headers=HTML).text
    assert post(chief, "/flows/drugs/1/publish", {}).status_code == 303
    with store.connection():
        assert publishing.live_versions()["drugs"] == 1
        assert publishing.text_of("drugs", 1) == DRUGS
    assert agent.asked == [("flows", "wu")]
    assert post(chief, "/flow-editions/0/roll-back", {}).status_code == 303
    with store.connection():
        assert publishing.live_versions()["drugs"] == 0
        told = [row.action for row in Audit.select().where(Audit.action.in_(["save_flow", "publish_flows"]))]
    assert told == ["save_flow", "publish_flows", "publish_flows"]


def test_what_is_published_while_the_call_agent_is_away_is_live_and_told_so(sign_in: SignIn) -> None:
    client = sign_in("administrator")
    save(client, DRUGS)
    answer = client.post("/flows/drugs/1/publish", data={"csrf": csrf(client)}, headers=HTML, follow_redirects=True)
    assert "APP-030" in answer.text
    with store.connection():
        assert publishing.newest_edition() == 1


def csrf(client: FlaskClient) -> str:
    with client.session_transaction() as session:
        return str(session["csrf"])


def test_faults_are_listed_with_their_lines_and_not_published(sign_in: SignIn, agent: ScriptedAgent) -> None:
    client = sign_in("administrator")
    save(client, DRUGS.replace("got: find", "got: nowhere"))
    page = client.get("/flows/drugs/edit", headers=HTML).text
    assert "APP-132" in page
    assert f"第 {DRUGS[: DRUGS.index('  ask:')].count(chr(10)) + 1} 行" in page
    assert "nowhere" in page
    answer = post(client, "/flows/drugs/1/publish", {})
    assert (answer.status_code, "APP-132" in answer.text) == (422, True)
    with store.connection():
        assert publishing.newest_edition() == 0
    assert agent.asked == []


def test_who_saves_over_what_another_saved_is_told_and_keeps_the_text(sign_in: SignIn) -> None:
    client = sign_in("business")
    save(client, DRUGS)
    assert save(client, DRUGS + "# mine\n", saved="1").status_code == 303
    answer = save(client, DRUGS + "# late\n", saved="1")
    assert answer.status_code == 409
    assert "APP-146" in answer.text
    assert "# late" in answer.text


def test_a_draft_is_discarded(sign_in: SignIn) -> None:
    client = sign_in("business")
    save(client, DRUGS)
    assert post(client, "/flows/drugs/discard", {}).status_code == 303
    with store.connection():
        assert publishing.versions("drugs") == []


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        BOMB + "? *i\n: x\n",
        KEY_BOMB,
        "&a [*a]",
        "? &a [*a]\n: x",
        "[" * 5000,
        "flow: drugs\nplaces: {" + ",".join(f"p{number}: {{kind: hang_up}}" for number in range(5000)) + "}\nentries: {begin: p0}",
        "!!python/object/apply:os.system ['true']",
        "flow: other\nplaces: {}\nentries: {}",
        "\u202e\ufeff\x07",
        "😀",
        "flow: <script>alert(1)</script>\nplaces: {<script>: {kind: <script>}}",
    ],
)
def test_bad_texts_are_kept_as_drafts_with_their_faults(sign_in: SignIn, text: str) -> None:
    client = sign_in("business")
    assert save(client, text).status_code == 303
    for address in ("/flows/drugs/edit", "/flows/drugs/1", "/flows"):
        page = client.get(address, headers=HTML)
        assert page.status_code == 200
        assert "<script>" not in page.text
    assert "APP-1" in client.get("/flows/drugs/1", headers=HTML).text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"text": "x" * (TEXT_MOST + 1)}, 422),
        ({"text": "药" * (TEXT_MOST + 1)}, 422),
        ({"text": "x" * 3_000_000}, 413),
        ({"text": " \r\n"}, 422),
        ({"text": "a\0b"}, 422),
        ({"text": "a", "note": "n" * 201}, 422),
        ({"note": "no text"}, 400),
        ({"text": "a", "saved": "-1"}, 400),
        ({"text": "a", "saved": "9" * 30}, 400),
        ({"text": "a", "saved": "٣"}, 400),
        ({"text": "a", "saved": "7"}, 409),
    ],
)
def test_what_cannot_be_saved_leaves_nothing(sign_in: SignIn, form: dict[str, str], status: int) -> None:
    client = sign_in("business")
    assert post(client, "/flows/drugs/edit", form).status_code == status
    with store.connection():
        assert publishing.versions("drugs") == []


@pytest.mark.parametrize("address", ["/flows/none/edit", "/flows/drugs/9/publish", "/flow-editions/5/roll-back", "/flows/none/0/publish"])
def test_what_is_not_there_is_not_published(sign_in: SignIn, address: str) -> None:
    assert post(sign_in("administrator"), address, {"text": "a"}).status_code == 404


def test_what_another_changed_meanwhile_is_not_published_unseen(sign_in: SignIn, agent: ScriptedAgent) -> None:
    office, chief = sign_in("business"), sign_in("supervisor")
    save(office, DRUGS)
    assert 'name="saved" value="1"' in chief.get("/flows/drugs/1", headers=HTML).text
    save(office, DRUGS + "# more\n", saved="1")
    assert post(chief, "/flows/drugs/1/publish", {"saved": "1"}).status_code == 303
    assert "zhou" in chief.get("/flows/drugs/1", headers=HTML).text
    assert agent.asked == []
    with store.connection():
        assert publishing.newest_edition() == 0
    post(chief, "/flows/drugs/1/publish", {"saved": "2", "note": "Because"})
    with store.connection():
        assert publishing.newest_edition() == 1
    assert "Because" in chief.get("/flows", headers=HTML).text
    post(chief, "/flow-editions/0/roll-back", {"note": "Too early"})
    assert "Too early" in chief.get("/flows", headers=HTML).text


@pytest.mark.parametrize("note", ["n" * 201, "a\0b"])
def test_a_note_that_no_page_sends(sign_in: SignIn, note: str) -> None:
    client = sign_in("administrator")
    save(client, DRUGS)
    assert post(client, "/flows/drugs/1/publish", {"note": note}).status_code == 400
    assert post(client, "/flow-editions/0/roll-back", {"note": note}).status_code == 400
