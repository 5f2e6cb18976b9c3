"""Setting lines up: the form made from what the line server tells, what a browser sends made into a set-up, tried, kept, undone."""

import re
from datetime import timedelta

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.control.messages import LiveSetup
from appliance.store.models import Audit
from drivers.config import LineSetup
from drivers.errors import CarelineError
from tests.web import prepared
from tests.web.agent import ScriptedAgent
from tests.web.conftest import HTML, NOW, SignIn, post, text_of
from tests.web.test_live import until
from webui import line_form, store


@pytest.fixture
def technician(live_app: Flask, sign_in: SignIn) -> FlaskClient:
    return sign_in("technician")


def filled(client: FlaskClient, **changed: str) -> dict[str, str]:
    """What a browser would send of the form as it is shown, with some fields changed; None-like "" unticks a box."""
    html = client.get("/lines/setup", headers=HTML).text
    form = html[html.index('action="/lines/setup/check"') :]
    sent: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = attribute(tag, "name"), attribute(tag, "value")
        if name and name != "csrf" and ('type="checkbox"' not in tag or "checked" in tag):
            sent[name] = value
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        sent[name] = chosen[1] if chosen else attribute(body, "value")
    return {**sent, **{key.replace("_of_", "-"): value for key, value in changed.items()}}


def attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found[1] if found else ""


def in_use() -> LineSetup:
    return msgspec.json.decode(prepared.setup_told().setup, type=LineSetup)


def checked(client: FlaskClient, agent: ScriptedAgent, **changed: str) -> LineSetup:
    """The set-up that the line server is asked to check."""
    answer = post(client, "/lines/setup/check", filled(client, **changed))
    assert answer.status_code == 200, text_of(answer.text)
    return agent.setups[-1]


def test_cards_are_drawn_with_their_ports(technician: FlaskClient, agent: ScriptedAgent) -> None:
    page = technician.get("/lines/setup", headers=HTML).text
    assert page.count('class="port port-analog port-fxsks"') == 4
    assert page.count('class="port port-analog port-fxoks"') == 4
    assert page.count('class="port port-bchan"') == 30
    assert page.count('class="port port-dchan"') == 1
    for told in ("TDM800 外线", "红色告警", "交换机类型", "国家变体", "选线方式"):
        assert told in text_of(page)


def test_form_left_as_it_is_changes_nothing(technician: FlaskClient, agent: ScriptedAgent) -> None:
    answer = post(technician, "/lines/setup/check", filled(technician))
    assert agent.setups[-1] == in_use()
    assert "没有任何改动" in answer.text
    assert 'id="apply"' not in answer.text


def test_port_is_changed(technician: FlaskClient, agent: ScriptedAgent) -> None:
    setup = checked(technician, agent, port_of_2="fxsls", port_of_3="")
    assert (setup.spans[0].fxsks, setup.spans[0].fxsls) == ("1,4", "2")
    assert setup.groups == in_use().groups


def test_e1_becomes_r2(technician: FlaskClient, agent: ScriptedAgent) -> None:
    setup = checked(technician, agent, use_of_3="r2", r2_of_3_of_variant="itu", r2_of_3_of_dnis_length="4")
    plan = setup.spans[2]
    assert (plan.cas, plan.bchan, plan.dchan) == ("9-23,25-39", "", "")
    assert [(table.span, table.variant, table.dnis_length) for table in setup.r2] == [(3, "itu", 4)]
    assert setup.pri == ()


def test_primary_rate_keeps_what_the_form_does_not_show(technician: FlaskClient, agent: ScriptedAgent) -> None:
    setup = checked(technician, agent, pri_of_3_of_side="user", pri_of_3_of_switch="qsig", span_of_3_of_crc4="")
    assert (setup.pri[0].side, setup.pri[0].switch, setup.pri[0].timers) == ("user", "qsig", {"T303": 4000})
    assert setup.spans[2].crc4 is False


def test_groups_are_changed_added_and_deleted(technician: FlaskClient, agent: ScriptedAgent) -> None:
    setup = checked(
        technician,
        agent,
        group_of_0_of_hunting="down",
        group_of_0_of_channels="1-4",
        group_of_1_of_delete="1",
        group_of_2_of_name="isdn",
        group_of_2_of_channels="9-23",
    )
    assert [(group.name, group.channels, group.hunting) for group in setup.groups] == [("trunk", "1-4", "down"), ("isdn", "9-23", "up")]


def test_overflow_is_a_list_of_groups(technician: FlaskClient, agent: ScriptedAgent) -> None:
    setup = checked(technician, agent, group_of_0_of_overflow="sets, other")
    assert setup.groups[0].overflow == ("sets", "other")


@pytest.mark.parametrize("typed", ["four", "--4", "9" * 5000])
def test_number_that_is_none_is_told_by_the_line_server(technician: FlaskClient, agent: ScriptedAgent, typed: str) -> None:
    answer = post(technician, "/lines/setup/check", filled(technician, pri_of_3_of_dnis_digits=typed))
    assert answer.status_code == 422
    page = text_of(answer.text)
    assert "CFG-004" in page
    assert "pri[0].dnis_digits" in page
    assert f'value="{typed}"' in answer.text


def test_what_is_wrong_is_told_with_code_and_remedy_and_the_form_kept(technician: FlaskClient, agent: ScriptedAgent) -> None:
    agent.refuse = CarelineError("CFG-093", "span 3 has 30 B-channels and 0 D-channels", "Use timeslot 16")
    answer = post(technician, "/lines/setup/check", filled(technician, port_of_1="fxsls"))
    page = text_of(answer.text)
    for told in ("缺少 D 通道", "CFG-093", "E1 用时隙 16"):
        assert told in page
    assert re.search(r'id="port-1" name="port-1".*?<option value="fxsls" selected', answer.text, re.S)


def test_diff_is_shown_tried_and_kept(technician: FlaskClient, agent: ScriptedAgent) -> None:
    answer = post(technician, "/lines/setup/check", filled(technician, port_of_2="fxsls"))
    assert '<span class="diff-new">+fxsls = &#34;2&#34;' in answer.text
    assert "这些线路会重新打开：1, 2" in text_of(answer.text)
    setup = attribute(answer.text[answer.text.index('action="/lines/setup/apply"') :], 'type="hidden" name="setup" value')
    found = re.search(r'name="setup" value="([^"]*)"', answer.text)
    assert found
    setup = found[1].replace("&#34;", '"')
    assert post(technician, "/lines/setup/apply", {"setup": setup}).headers["Location"].endswith("/lines")
    assert agent.setups[-1].spans[0].fxsls == "2"
    until(technician.application, lambda hub: hub.view().setup.trying_until is not None)
    page = technician.get("/lines", headers=HTML).text
    assert "liwei 正在试用新的线路设置" in text_of(page)
    assert "data-until=" in page
    assert post(technician, "/lines/setup/settle", {"keep": "1"}).status_code == 303
    assert agent.asked[-1] == ("keep", "liwei")
    with store.connection():
        assert [row.action for row in Audit.select().order_by(Audit.id.desc()).limit(2)] == ["lines_set_up_kept", "lines_set_up"]


def test_busy_channels_are_told_and_nothing_can_be_tried(technician: FlaskClient, agent: ScriptedAgent) -> None:
    agent.busy = (1,)
    answer = post(technician, "/lines/setup/check", filled(technician, port_of_1="fxsls"))
    assert "这些线路上有通话或测试" in answer.text
    assert 'id="apply"' not in answer.text


def test_undone_by_itself_is_told_on_every_live_page(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    undone = LiveSetup(kept=False, by="liwei", code="LIN-183", what="nobody confirmed", remedy="Try again")
    agent.do(lambda live: live.setup_changed(undone))
    until(live_app, lambda hub: hub.view().setup.kept is False)
    for address in ("/lines", "/dashboard"):
        page = text_of(sign_in("inspector").get(address, headers=HTML).text)
        assert "线路设置已自动撤销" in page
        assert "LIN-183" in page


def test_inspector_sees_the_trial_without_buttons(live_app: Flask, agent: ScriptedAgent, sign_in: SignIn) -> None:
    agent.do(lambda live: live.setup_changed(LiveSetup(trying_until=NOW + timedelta(seconds=30), by="liwei")))
    until(live_app, lambda hub: hub.view().setup.trying_until is not None)
    page = sign_in("inspector").get("/lines", headers=HTML).text
    assert "正在试用" in page
    assert "setup-keep" not in page


@pytest.mark.parametrize("setup", ["", "{", "[]", '{"spans": 1}'])
def test_nonsense_is_no_set_up(technician: FlaskClient, agent: ScriptedAgent, setup: str) -> None:
    assert post(technician, "/lines/setup/apply", {"setup": setup}).status_code == 400
    assert post(technician, "/lines/setup/edit", {"setup": setup}).status_code == 400


def test_edit_shows_what_was_checked(technician: FlaskClient, agent: ScriptedAgent) -> None:
    setup = msgspec.structs.replace(in_use(), groups=())
    page = post(technician, "/lines/setup/edit", {"setup": msgspec.json.encode(setup).decode()})
    assert page.status_code == 200
    assert 'value="sets"' not in page.text


@pytest.mark.parametrize("channels", ["5", '"1-99999999999"', "[]"])
def test_edit_of_channels_that_are_none_is_shown(technician: FlaskClient, agent: ScriptedAgent, channels: str) -> None:
    setup = f'{{"spans": [{{"span": 1, "fxsks": {channels}}}]}}'
    assert post(technician, "/lines/setup/edit", {"setup": setup}).status_code == 200


@pytest.mark.parametrize(("text", "channels"), [("1-3,5", [1, 2, 3, 5]), ("7", [7]), ("", []), ("x,2", [2]), ("3-1", [])])
def test_channels_are_read_as_far_as_they_can_be(text: str, channels: list[int]) -> None:
    assert line_form.numbers(text) == channels
    assert line_form.numbers(line_form.channel_text(channels)) == channels
