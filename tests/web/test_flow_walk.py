"""The walk on paper through the pages."""

from urllib.parse import urlencode

import pytest

from appliance.ivr.reading import built_in
from tests.web.conftest import HTML, SignIn, post, text_of
from tests.web.test_flow_versions import DRUGS


def address(*answers: str, lang: str = "zh", entry: str = "begin") -> str:
    return "/flows/drugs/0/walk?" + urlencode([("entry", entry), ("lang", lang), *(("a", answer) for answer in answers)])


def test_every_entry_of_every_flow_can_be_walked(sign_in: SignIn) -> None:
    client = sign_in("business")
    for name, flow in built_in().flows.items():
        for entry in flow.entries:
            assert client.get(f"/flows/{name}/0/walk?entry={entry}", headers=HTML).status_code == 200, (name, entry)


def test_a_walk_says_what_a_caller_would_hear_in_either_language(sign_in: SignIn) -> None:
    client = sign_in("business")
    page = text_of(client.get(address("12#", "near", "1", lang="en"), headers=HTML).text)
    assert "Please enter the number of the drug" in page
    assert "drug_number 12" in page
    assert "请输入" in client.get(address(), headers=HTML).text
    assert "pad-key" in client.get(address("12#", "near"), headers=HTML).text


def test_what_was_seen_adds_up_over_the_walks(sign_in: SignIn) -> None:
    client = sign_in("business")
    client.get(address("1#", "found", "done"), headers=HTML)
    page = text_of(client.get(address("1#", "unknown"), headers=HTML).text)
    assert "登录以来的 2 次" in page
    assert "登录以来的 2 次" in text_of(client.get(address("1#"), headers=HTML).text)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (address(entry="nowhere"), 404),
        (address(lang="xx"), 400),
        (address("1" * 41), 400),
        (address(*["#"] * 101), 400),
        (address(*["*"] * 100), 200),
        (address("<script>"), 200),
        (address("1#", "<script>"), 200),
        ("/flows/drugs/4/walk", 404),
    ],
)
def test_what_no_page_asks(sign_in: SignIn, wrong: str, status: int) -> None:
    answer = sign_in("business").get(wrong, headers=HTML)
    assert answer.status_code == status
    assert "<script>" not in answer.text


def test_a_draft_with_faults_is_not_walked(sign_in: SignIn) -> None:
    client = sign_in("business")
    post(client, "/flows/drugs/edit", {"text": DRUGS.replace("got: find", "got: nowhere")})
    assert "APP-132" in client.get("/flows/drugs/1/walk", headers=HTML).text


def test_nobody_types_a_secret_into_a_walk(sign_in: SignIn) -> None:
    """Where the flow asks for one there are buttons only: what is typed would stand in the address."""
    client = sign_in("business")
    at_card = client.get("/flows/card/0/walk?a=2", headers=HTML).text
    assert 'id="typed"' in at_card
    at_password = client.get("/flows/card/0/walk?a=2&a=10012345%23", headers=HTML).text
    assert 'id="typed"' not in at_password
    assert 'value="1111#"' in at_password
