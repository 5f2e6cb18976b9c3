"""The pages about flows: what is live, the graph, the places."""

import itertools

import pytest
from flask.testing import FlaskClient

from appliance.ivr.reading import built_in
from tests.web.conftest import HTML, SignIn, text_of
from webui.flow_graph import BOX_WIDTH, columns_of, draw


def test_every_flow_is_listed_and_drawn(sign_in: SignIn) -> None:
    client = sign_in("business")
    listed = client.get("/flows", headers=HTML).text
    for name, flow in built_in().flows.items():
        assert f"/flows/{name}" in listed
        page = client.get(f"/flows/{name}", headers=HTML).text
        assert page.count("<rect") == len(flow.places), name
        assert "<script" not in page[page.index("<svg") : page.index("</svg>")]


def test_every_place_has_a_page_with_both_languages(sign_in: SignIn) -> None:
    client = sign_in("supervisor")
    for place in built_in().flows["drugs"].places:
        assert client.get(f"/flows/drugs/0/place?name={place}", headers=HTML).status_code == 200
    page = text_of(client.get("/flows/hotline/0/place?name=main_menu", headers=HTML).text)
    assert "registration" in page
    assert "language_chosen" in page
    assert "operator" in page


def test_a_place_tells_which_flows_lead_to_it(sign_in: SignIn) -> None:
    page = sign_in("business").get("/flows/drugs/0/place?name=ask", headers=HTML).text
    assert "information/" in page


@pytest.mark.parametrize(
    "address",
    [
        "/flows/none",
        "/flows/drugs/7",
        "/flows/drugs/-1",
        "/flows/drugs/x",
        "/flows/drugs/0/place",
        "/flows/drugs/0/place?name=%3Cscript%3E",
    ],
)
def test_what_is_not_there_is_told(sign_in: SignIn, address: str) -> None:
    answer = sign_in("business").get(address, headers=HTML)
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_the_words_follow_the_readers_language(sign_in: SignIn) -> None:
    client: FlaskClient = sign_in("business")
    assert "播报内容" in client.get("/flows/drugs", headers=HTML).text


def test_no_boxes_overlap_and_all_arrows_are_there() -> None:
    for flow in built_in().flows.values():
        ways = {place: node.exits for place, node in flow.places.items()}
        drawing = draw(ways, flow.entries.values())
        boxes = sorted(drawing.boxes, key=lambda box: (box.x, box.y))
        for upper, lower in itertools.pairwise(boxes):
            assert upper.x != lower.x or upper.y + upper.height < lower.y
        assert {(arrow.exits.source, arrow.exits.target) for arrow in drawing.arrows} == {
            (place, to) for place, exits in ways.items() for to in exits.values()
        }
        assert max(box.x for box in drawing.boxes) + BOX_WIDTH < drawing.width


def test_columns_follow_the_shortest_way() -> None:
    ways = {"a": {"x": "b", "y": "c"}, "b": {"x": "c"}, "c": {"x": "a", "gone": "nowhere"}, "alone": {"x": "c"}}
    assert columns_of(ways, ["a"]) == {"a": 0, "b": 1, "c": 1, "alone": 0}
    assert draw({}, []).boxes == ()
