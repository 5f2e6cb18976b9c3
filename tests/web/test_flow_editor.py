"""A draft edited place by place through the pages: every wish, what is refused at its field, who may, what two people at once are told."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance.ivr import publishing
from appliance.ivr.flow import Flow
from appliance.ivr.nodes import KINDS
from appliance.ivr.prompts import versions
from appliance.ivr.prompts.catalogue import RESERVED
from appliance.ivr.reading import built_in, built_in_texts, read
from appliance.store.flow_tables import FlowVersion
from appliance.store.models import Audit
from appliance.store.voice_tables import PromptOrder, PromptText
from tests.web.conftest import HTML, SignIn, post, text_of
from webui import flow_prompts, store
from webui.flow_prompts import Used

PART = {**HTML, "X-Part": "1"}


class Editor:
    """Somebody with a draft open, as the page's script would be."""

    def __init__(self, client: FlaskClient, flow: str = "visits") -> None:
        self.client = client
        self.flow = flow
        self.saved = "1"

    def begin(self) -> "Editor":
        assert post(self.client, "/flows-new", {"name": self.flow, "title_zh": "探视", "title_en": "Visits"}).status_code == 303
        return self

    def wish(self, do: str, **form: str) -> TestResponse:
        with self.client.session_transaction() as session:
            csrf = str(session["csrf"])
        answer = self.client.post(f"/flows/{self.flow}/draw", data={"do": do, "saved": self.saved, "csrf": csrf, **form}, headers=PART)
        if found := re.search(r'data-saved="(\d+)"', answer.text):
            self.saved = found[1]
        return answer

    def done(self, do: str, **form: str) -> str:
        answer = self.wish(do, **form)
        assert answer.status_code == 200, (do, form, text_of(answer.text))
        return answer.text

    def draft(self) -> Flow:
        with store.connection():
            row = FlowVersion.get(FlowVersion.flow == self.flow, FlowVersion.state == publishing.DRAFT)
        flow, faults = read(row.text, self.flow)
        assert flow is not None, faults
        return flow


@pytest.fixture
def editor(sign_in: SignIn) -> Editor:
    return Editor(sign_in("business")).begin()


def test_a_flow_is_begun_from_nothing_and_drawn(editor: Editor) -> None:
    page = editor.client.get("/flows/visits/draw", headers=HTML).text
    assert "探视" in page
    assert 'id="flow-desk"' in page
    assert editor.draft().title == {"zh": "探视", "en": "Visits"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_form_in_both_languages(editor: Editor, kind: str) -> None:
    page = editor.done("add", kind=kind)
    assert f"{kind}_1" in page
    assert editor.client.get(f"/flows/visits/draw?place={kind}_1", headers=HTML).status_code == 200
    post(editor.client, "/language", {"language": "en"})
    assert "Saved at" in editor.client.get(f"/flows/visits/draw?place={kind}_1", headers=HTML).text


def test_the_programs_own_flows_are_drawn_as_drafts_place_by_place(sign_in: SignIn) -> None:
    client = sign_in("business")
    for name in ("hotline", "account", "drugs"):
        post(client, f"/flows/{name}/draw/begin", {"from": "0"})
        for place in built_in().flows[name].places:
            page = client.get(f"/flows/{name}/draw?place={place}", headers=HTML)
            assert page.status_code == 200
            assert 'class="flow-port flow-loose"' not in page.text


def test_every_wish_does_what_it_says(editor: Editor) -> None:
    for kind in ("say", "menu", "branch", "transfer", "hang_up"):
        editor.done("add", kind=kind)
    editor.done("connect", place="say_1", exit="done", to="menu_1")
    editor.done("connect", place="menu_1", exit="silent", to="new:hang_up")
    editor.done("set", place="say_1", **{"title.zh": "欢迎", "title.en": "Welcome", "note": "n"})
    editor.done("say_more", place="say_1", field="say", written="greeting")
    editor.done("say_value", place="say_1", field="say", kind="digits", variable="ani")
    editor.done("say_value", place="say_1", field="say", kind="opening_hours", variable="")
    editor.done("say_sooner", place="say_1", field="say", number="2")
    editor.done("say_less", place="say_1", field="say", number="0")
    for _ in range(3):
        editor.done("key_add", place="menu_1")
    editor.done("key_change", place="menu_1", key="3", other="*")
    editor.done("key_name", place="menu_1", key="*", exit="again")
    editor.done("key_sooner", place="menu_1", key="*")
    editor.done("key_take", place="menu_1", key="1")
    editor.done("case_add", place="branch_1")
    editor.done(
        "set", place="branch_1", **{"cases.0.variable": "ani", "cases.0.test": "is_set", "cases.0.value": "", "cases.0.exit": "known"}
    )
    editor.done("rename", place="transfer_1", name="desk")
    editor.done("copy", place="say_1")
    editor.done("delete", place="hang_up_1")
    editor.done("move", place="say_1", x="40", y="50")
    editor.done("entry", entry="evening", to="menu_1")
    editor.done("flow", **{"title.zh": "探视", "title.en": "Visiting", "person": "desk", "needs": "patient_id, name", "note": ""})
    flow = editor.draft()
    assert flow.places["say_1"].exits == {"done": "menu_1"}
    assert flow.places["say_1"].says() == ("{opening_hours}", "{digits:ani}")
    assert (flow.places["say_1"].at, flow.places["say_2"].at) == ((40, 50), None)
    assert getattr(flow.places["menu_1"], "keys", None) == {"2": "again", "*": "key_2"}
    assert flow.places["menu_1"].exits == {"silent": "hang_up_2"}
    assert flow.places["branch_1"].needs() == ("known", "otherwise")
    assert (flow.entries, flow.person, flow.needs) == ({"begin": "say_1", "evening": "menu_1"}, "desk", ("patient_id", "name"))
    assert "hang_up_1" not in flow.places
    editor.done("arrange")
    assert editor.draft().places["say_1"].at is None


def test_steps_are_undone_and_done_again(editor: Editor) -> None:
    editor.done("add", kind="say")
    editor.done("set", place="say_1", **{"title.en": "A"})
    editor.done("set", place="say_1", **{"title.en": "AB"})
    editor.done("add", kind="menu")
    editor.done("undo")
    assert list(editor.draft().places) == ["say_1"]
    editor.done("undo")
    assert editor.draft().places["say_1"].title == {}  # what was typed at one place is one step
    editor.done("redo")
    assert editor.draft().places["say_1"].title == {"en": "AB"}
    editor.done("undo")
    editor.done("undo")
    assert editor.draft().places == {}
    assert editor.wish("undo").status_code == 422
    editor.done("add", kind="say")
    assert editor.wish("redo").status_code == 422


def test_a_new_text_becomes_a_prompt_and_its_sound_is_asked_for(editor: Editor) -> None:
    editor.done("add", kind="say")
    page = editor.done("say_new", place="say_1", field="say", new_zh="探视时间是下午三点。", new_en="Visiting is at three.")
    assert "visits_say_1_1" in page
    assert "APP-134" in page  # nobody can hear it yet
    with store.connection():
        assert {(row.prompt, row.language) for row in PromptText.select()} == {("visits_say_1_1", "zh"), ("visits_say_1_1", "en")}
        assert PromptOrder.select().where(PromptOrder.kind == "voice").count() == 2
    editor.done("say_new", place="say_1", field="say", new_zh="探视时间是下午三点。", new_en="Visiting is at three.")
    assert editor.draft().places["say_1"].says() == ("visits_say_1_1",) * 2
    editor.done("say_new", place="say_1", field="say", new_zh="请选择。", new_en="Please choose.")
    assert editor.draft().places["say_1"].says()[-1] == "please_choose"


@pytest.mark.parametrize("flow", [*(f"{beginning}x" for beginning in RESERVED), "take_care", "p_" + "x" * 38])
def test_a_new_text_of_a_flow_of_any_name_gets_an_id_that_may_be(sign_in: SignIn, flow: str) -> None:
    editor = Editor(sign_in("business"), flow).begin()
    editor.done("add", kind="say")
    editor.done("say_new", place="say_1", field="say", new_zh="探视时间是下午三点。", new_en="Visiting is at three.")
    (made,) = editor.draft().places["say_1"].says()
    assert made == f"flow_{flow}_say_1"[:40] + "_1" if flow.startswith(RESERVED) else made == f"{flow}_say_1_1"
    assert versions.fault_of_id(made) is None


@pytest.mark.parametrize(
    ("typed", "reason"), [("您好😀", "表情符号"), ("<b>您好", "网页标记"), ("=1+1", "开头"), ("您\u200b好", "看不见的字符")]
)
def test_why_a_new_text_will_not_do_is_said(editor: Editor, typed: str, reason: str) -> None:
    editor.done("add", kind="say")
    answer = editor.wish("say_new", place="say_1", field="say", new_zh=typed, new_en="Hello.")
    assert answer.status_code == 422
    assert reason in answer.text


def test_prompts_are_searched_by_their_words(editor: Editor) -> None:
    editor.done("add", kind="say")
    found = editor.client.get("/flows/visits/draw?place=say_1&field=say&q=挂号", headers=HTML).text
    assert 'value="hotline_menu"' in found
    assert "没有找到" in editor.client.get("/flows/visits/draw?place=say_1&field=say&q=%3Cscript%3E", headers=HTML).text


def test_values_are_offered_where_they_are_known(editor: Editor) -> None:
    editor.done("add", kind="ask_digits")
    editor.done("set", place="ask_digits_1", variable="card_number", min="1", max="8")
    editor.done("connect", place="ask_digits_1", exit="got", to="new:say")
    page = editor.done("connect", place="ask_digits_1", exit="silent", to="new:say")
    assert "<option>card_number</option>" not in page
    assert "<option>card_number</option>" in editor.client.get("/flows/visits/draw?place=say_1", headers=HTML).text


def test_faults_stand_at_their_place_and_field(editor: Editor) -> None:
    page = editor.done("add", kind="ask_digits")
    assert re.search(r'data-mark="variable"><div class="text-danger"', page)
    assert re.search(r'text-danger" data-mark="exits.got">', page)
    assert 'class="flow-port flow-loose"' in page
    page = editor.done("set", place="ask_digits_1", variable="number", min="9", max="3")
    assert re.search(r'data-mark="max"><div class="text-danger"', page)
    assert not re.search(r'data-mark="variable"><div class="text-danger"', page)


def test_without_script_a_wish_leads_back_to_the_page(editor: Editor) -> None:
    answer = post(editor.client, "/flows/visits/draw", {"do": "add", "kind": "say", "saved": "1"})
    assert (answer.status_code, answer.location) == (303, "/flows/visits/draw?place=say_1")
    answer = post(editor.client, "/flows/visits/draw", {"do": "rename", "place": "say_1", "name": "Ü", "saved": "2"})
    assert answer.status_code == 422
    assert "<html" in answer.text


def test_two_at_once_are_told_and_nothing_is_overwritten(editor: Editor, sign_in: SignIn) -> None:
    other = Editor(sign_in("administrator"))
    other.client.get("/flows/visits/draw", headers=HTML)
    other.done("add", kind="menu")
    answer = editor.wish("add", kind="say")
    assert answer.status_code == 409
    assert "chen" in answer.text
    assert list(editor.draft().places) == ["menu_1"]
    told = editor.client.get("/flows/visits/draw/saved").get_json()
    assert told == {"saved": 2, "by": "chen"}
    editor.saved = "2"
    assert editor.wish("undo").status_code == 422  # another's step is not mine to undo
    post(editor.client, "/flows/visits/discard", {})
    assert editor.wish("add", kind="say").status_code == 409


def test_text_and_graph_are_the_same_draft(editor: Editor) -> None:
    editor.done("add", kind="hang_up")
    page = editor.client.get("/flows/visits/edit", headers=HTML).text
    text = editor_text(page)
    changed = text.replace("hang_up_1", "goodbye") + "# a comment\n"
    assert post(editor.client, "/flows/visits/edit", {"text": changed, "saved": "2", "note": ""}).status_code == 303
    page = editor.client.get("/flows/visits/draw", headers=HTML).text
    assert "goodbye" in page
    assert "注释" in page
    editor.saved = "3"
    assert "注释" not in editor.client.get("/flows/visits/draw", headers=HTML).text.split('id="flow-desk"')[1]
    post(editor.client, "/flows/visits/edit", {"text": "places: [", "saved": "3", "note": ""})
    page = editor.client.get("/flows/visits/draw", headers=HTML).text
    assert "APP-130" in page
    editor.saved = "4"
    assert editor.wish("add", kind="say").status_code == 422


def editor_text(page: str) -> str:
    found = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.S)
    assert found
    return found[1].replace("&#39;", "'").replace("&quot;", '"')


def test_a_line_of_audit_tells_that_a_draft_was_worked_on(editor: Editor) -> None:
    for _ in range(5):
        editor.done("add", kind="say")
    with store.connection():
        assert Audit.select().where(Audit.action == "save_flow").count() == 1


HOSTILE = [
    ("add", {"kind": "none"}),
    ("add", {"kind": "<script>alert(1)</script>"}),
    ("rename", {"place": "say_1", "name": "a" * 5000}),
    ("rename", {"place": "say_1", "name": "<script>alert(1)</script>"}),
    ("rename", {"place": "say_1", "name": "挂号😀"}),
    ("connect", {"place": "say_1", "exit": "done", "to": "nowhere"}),
    ("connect", {"place": "say_1", "exit": "done", "to": "new:none"}),
    ("connect", {"place": "say_1", "exit": "x" * 4000, "to": "say_1"}),
    ("connect", {"place": "nowhere", "exit": "done", "to": "say_1"}),
    ("set", {"place": "say_1", "title.zh": "长" * 61}),
    ("set", {"place": "say_1", "note": "a\0b"}),
    ("set", {"place": "say_1", "note": "\u202e"}),
    ("set", {"place": "nowhere"}),
    ("move", {"place": "say_1", "x": "-5", "y": "1"}),
    ("move", {"place": "say_1", "x": "1e9", "y": "1"}),
    ("move", {"place": "say_1", "x": "٣", "y": "1"}),
    ("say_more", {"place": "say_1", "field": "say", "written": "<b>"}),
    ("say_more", {"place": "say_1", "field": "kind", "written": "greeting"}),
    ("say_value", {"place": "say_1", "field": "say", "kind": "money", "variable": "}{"}),
    ("say_value", {"place": "say_1", "field": "say", "kind": "os.system", "variable": "x"}),
    ("say_less", {"place": "say_1", "field": "say", "number": "99999999999999999999"}),
    ("say_new", {"place": "say_1", "field": "say", "new_zh": "有", "new_en": ""}),
    ("say_new", {"place": "say_1", "field": "say", "new_zh": "长" * 501, "new_en": "x"}),
    ("say_new", {"place": "say_1", "field": "say", "new_zh": "有", "new_en": "a\0b"}),
    ("say_new", {"place": "say_1", "field": "nothing", "new_zh": "有", "new_en": "b"}),
    ("key_add", {"place": "say_1"}),
    ("key_change", {"place": "menu_1", "key": "1", "other": "2"}),
    ("case_take", {"place": "say_1", "number": "0"}),
    ("entry", {"entry": "<b>", "to": "say_1"}),
    ("entry", {"entry": "x", "to": "nowhere"}),
    ("flow", {"title.zh": "长" * 61}),
    ("flow", {"needs": "A B"}),
    ("flow", {"person": "nowhere"}),
    ("redo", {}),
]


@pytest.mark.parametrize(("wish", "form"), HOSTILE)
def test_what_will_not_do_is_refused_and_changes_nothing(editor: Editor, wish: str, form: dict[str, str]) -> None:
    editor.done("add", kind="say")
    before = editor.draft()
    answer = editor.wish(wish, **form)
    assert answer.status_code == 422
    assert "text-danger" in answer.text
    assert "<script>alert" not in answer.text
    assert editor.draft() == before
    with store.connection():
        assert PromptText.select().count() == 0


def test_scripts_and_emoji_are_shown_as_they_were_typed(editor: Editor) -> None:
    editor.done("add", kind="say")
    page = editor.done("set", place="say_1", **{"title.zh": "<script>alert(1)</script>", "title.en": "😀\"'&", "note": "</textarea><b>"})
    assert "<script>alert" not in page
    assert "</textarea><b>" not in page
    assert editor.draft().places["say_1"].title == {"zh": "<script>alert(1)</script>", "en": "😀\"'&"}
    for address in ("/flows/visits/draw", "/flows/visits", "/flows/visits/edit"):
        assert "<script>alert" not in editor.client.get(address, headers=HTML).text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"do": "none", "saved": "1"}, 400),
        ({"do": "", "saved": "1"}, 400),
        ({"do": "add", "kind": "say"}, 409),
        ({"do": "add", "kind": "say", "saved": "0"}, 409),
        ({"do": "add", "kind": "say", "saved": "-1"}, 409),
        ({"do": "add", "kind": "say", "saved": "9" * 400}, 409),
        ({"do": "set", "place": "x" * 70_000, "saved": "1"}, 413),
    ],
)
def test_what_no_page_sends(editor: Editor, form: dict[str, str], status: int) -> None:
    assert post(editor.client, "/flows/visits/draw", form).status_code == status


@pytest.mark.parametrize("name", ["", "A", "1a", "<script>", "drugs", "a" * 41, "挂号", "a b", "../x", "a\0"])
def test_a_new_flow_needs_a_name_of_its_own(sign_in: SignIn, name: str) -> None:
    answer = post(sign_in("business"), "/flows-new", {"name": name, "title_zh": "x", "title_en": "y"})
    assert answer.status_code == 422
    assert "invalid-feedback" in answer.text


def test_who_may_edit_and_who_may_publish_are_two_things(sign_in: SignIn, editor: Editor) -> None:
    supervisor, registrar = sign_in("supervisor"), sign_in("registrar")
    for address in ("/flows/visits/draw", "/flows-new"):
        assert supervisor.get(address, headers=HTML).status_code == 403
        assert registrar.get(address, headers=HTML).status_code == 403
    assert post(supervisor, "/flows/visits/draw", {"do": "add", "kind": "say", "saved": "1"}).status_code == 403
    assert post(supervisor, "/flows/visits/draw/begin", {"from": "0"}).status_code == 403
    assert post(editor.client, "/flows/visits/1/publish", {}).status_code == 403
    assert (
        editor.client.post("/flows/visits/draw", data={"do": "add", "kind": "say", "saved": "1"}, headers=HTML).status_code == 400
    )  # no token
    assert list(editor.draft().places) == []


@pytest.mark.parametrize("wanted", ["-1", "x", "99999999", "7", ""])
def test_a_draft_begins_with_a_version_there_is(sign_in: SignIn, wanted: str) -> None:
    assert post(sign_in("business"), "/flows/drugs/draw/begin", {"from": wanted}).status_code in (400, 404)


def test_a_draft_begins_with_the_version_in_use_or_with_nothing(sign_in: SignIn) -> None:
    client = sign_in("business")
    assert "从使用中的版本开始" in client.get("/flows/drugs/draw", headers=HTML).text
    assert post(client, "/flows/drugs/draw/begin", {"from": "0"}).status_code == 303
    with store.connection():
        assert publishing.text_of("drugs", 1) == built_in_texts()["drugs"]
    assert post(client, "/flows/drugs/draw/begin", {"from": "nothing"}).status_code == 303  # there is one: it stays
    with store.connection():
        assert publishing.text_of("drugs", 1) == built_in_texts()["drugs"]
    assert client.get("/flows/none/draw", headers=HTML).status_code == 404


def test_where_a_prompt_is_used(editor: Editor) -> None:
    editor.done("add", kind="say")
    page = editor.done("say_more", place="say_1", field="say", written="greeting")
    assert "/prompts/greeting/zh/0/sound.wav" in page
    with store.connection():
        used = flow_prompts.uses()["greeting"]
    assert Used("hotline", 0, "greeting", "say", True) in used
    assert Used("visits", 1, "say_1", "say", False) in used
