"""The page Network with the real box service in a house of its own: shown, changed, tried, confirmed over the new address, undone."""

import asyncio
import functools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.config import Config
from appliance.system.box import Box
from appliance.system.network import actions
from appliance.system.network.lockout import FAILURES
from appliance.system.network.messages import ReportFailedLogin, SettleNetwork
from appliance.system.network.model import Interface, Ipv4, Ipv6, Role, Route, Services, Settings, Vlan
from appliance.system.network.places import NetworkConfig
from appliance.system.server import SystemServer
from drivers.clock import RealClock, VirtualClock
from drivers.settings import Paths
from tests.network_box import own
from tests.network_house import House, house, in_own_network, lan, mac, network, wait_until
from tests.web import prepared
from tests.web.conftest import HTML, SignIn, pass_time, post, signed_in, text_of
from tests.web.test_every_form import HOSTILE, RAW
from tests.web.test_pages import check_html
from webui import network_form

LIMIT_S = 20.0
FIRST = network(lan(1, "10.0.0.5/24", gateway="10.0.0.1", roles=(Role.HOSPITAL, Role.MANAGEMENT)))


@contextmanager
def service(place: prepared.Place, manage: bool = True) -> Iterator[House]:
    """The box service in the network of this thread, with one cable, FIRST kept."""
    paths = Paths(run_dir=str(place.run_dir), data_dir=str(place.data_dir))
    config = Config(paths=paths, network=NetworkConfig(manage=manage, chronyc="true", probe_ms=10))
    box = Box(config, place.config, RealClock())
    loop, server = asyncio.new_event_loop(), SystemServer(paths.system_socket, box)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(LIMIT_S)
    with house(1) as there:
        desk = actions.desk_of(box)
        if manage:
            trying = desk.attempt(FIRST, "alice", False)
            desk.settle(SettleNetwork(number=trying.trial.number, keep=True, by="alice"))
        yield there
        desk.stop()
    asyncio.run_coroutine_threadsafe(server.close(), loop).result(LIMIT_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(LIMIT_S)
    loop.close()
    actions._desks.clear()


def soon(place: prepared.Place) -> None:
    """The background of the box service, once it is time."""
    desk = actions._desks[str(place.data_dir)][0]
    wait_until(desk.is_due)
    desk.step()


class Connection:
    """A browser's connection as gunicorn hands it on: which address of ours it came to."""

    def __init__(self, address: str) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return self._address, 443


def over(address: str) -> dict[str, Any]:
    return {"gunicorn.socket": Connection(address)}


def shown(client: FlaskClient, page: str = "/network") -> str:
    return text_of(client.get(page, headers=HTML).text)


def fields(html: str) -> dict[str, Any]:
    """What the form of the page Edit would send, as it is."""
    form = html[html.index('action="/network/check"') :]
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        ticked = 'type="checkbox"' not in tag or re.search(r"\schecked", tag)
        if name and ticked and name[1] != "csrf":
            sent.setdefault(name[1], []).append(value[1] if value else "")
    for name, body in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.S):
        sent[name] = [body]
    for name, body in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.S):
        sent[name] = re.findall(r'value="(\w+)" selected', body)
    return sent


def whole(settings: Settings) -> dict[str, str]:
    return {"settings": network_form.as_json(settings)}


OTHER = network(lan(1, "10.7.0.5/24", gateway="10.7.0.1", roles=(Role.HOSPITAL, Role.MANAGEMENT)))


@pytest.fixture
def admin(sign_in: SignIn) -> FlaskClient:
    return sign_in("administrator")


@in_own_network
def test_the_page_shows_how_it_is_in_both_languages(place: prepared.Place, admin: FlaskClient) -> None:
    with service(place):
        for language, words in (
            ("zh", ("网口", "已连接", "医院网络、管理", "第 1 次修改")),
            ("en", ("Interface", "connected", "Change 1")),
        ):
            post(admin, "/language", {"language": language})
            for page in ("/network", "/network/edit"):
                answer = admin.get(page, headers=HTML)
                check_html(answer.text)
                assert answer.status_code == 200
            wait_until(lambda: re.search("已连接|connected", shown(admin)))
            text = shown(admin)
            for word in (*words, "lan1", mac(1), "10.0.0.5/24", "10.0.0.1", "tcp 443"):
                assert word in text, word


@in_own_network
def test_the_form_sends_back_what_it_shows(place: prepared.Place, admin: FlaskClient) -> None:
    first = Interface(
        name="lan1",
        mac=mac(1),
        roles=(Role.MANAGEMENT, Role.VOICE),
        ipv4=Ipv4.DHCP,
        addresses=("10.0.0.5/24",),
        ipv6=Ipv6.STATIC,
        addresses6=("fd00::5/64",),
        mtu=1400,
        learn_dns=False,
        vlans=(Vlan(number=20, roles=(Role.HOSPITAL,), ipv4=Ipv4.DHCP, learn_route=False, mtu=1400),),
    )
    rich = network(
        first,
        routes=(Route(to="10.9.0.0/16", via="10.0.0.1"),),
        services=Services(ssh=True),
        dns=("10.0.0.2",),
        ntp=("ntp.example.org",),
    )
    with service(place):
        html = post(admin, "/network/edit", whole(rich)).text
        sent = post(admin, "/network/check", fields(html))
        assert "SYS-0" not in text_of(sent.text)
        told = re.search(r'name="settings" value="([^"]*)"', sent.text)
        assert told is not None
        assert network_form.from_json(told[1].replace("&#34;", '"')) == rich


@in_own_network
def test_what_is_wrong_is_told_at_its_place_and_nothing_changes(place: prepared.Place, admin: FlaskClient) -> None:
    with service(place):
        sent = fields(admin.get("/network/edit", headers=HTML).text)
        answer = post(admin, "/network/check", {**sent, "i0.gateway": "10.9.0.1", "i0.mtu": "many"})
        assert answer.status_code == 422
        for word in ("lan1.gateway", "SYS-047", "lan1.mtu", "SYS-052", "10.9.0.1"):
            assert word in answer.text
        assert own() == ["10.0.0.5/24"]


@in_own_network
def test_changed_tried_and_confirmed_at_the_new_address_without_signing_in(place: prepared.Place, admin: FlaskClient, app: Flask) -> None:
    with service(place):
        sent = fields(admin.get("/network/edit", headers=HTML).text)
        checked = post(admin, "/network/check", {**sent, "i0.addresses": "10.7.0.5/24", "i0.gateway": "10.7.0.1"})
        assert "10.7.0.5/24" in checked.text
        trying = post(admin, "/network/try", whole(OTHER))
        way = re.search(r'href="(http://10\.7\.0\.5/network/confirm\?[^"]*)"', trying.text)
        assert way is not None, trying.text
        assert own() == ["10.0.0.5/24"]  # the answer gets out first
        soon(place)
        assert own() == ["10.7.0.5/24"]
        stranger = app.test_client()
        path = way[1].replace("&amp;", "&").removeprefix("http://10.7.0.5")
        page = stranger.get(path, headers=HTML)
        hidden = dict(re.findall(r'name="(number|key)" value="([^"]*)"', page.text))
        for wrong in ({"key": "guessed"}, {"key": ""}, {"number": "7"}):
            assert post(stranger, "/network/confirm", {**hidden, **wrong}, environ_overrides=over("10.7.0.5")).status_code == 422
        assert post(stranger, "/network/confirm", hidden, environ_overrides=over("10.0.0.5")).status_code == 422  # not the new address
        assert post(stranger, "/network/confirm", hidden, environ_overrides=over("10.7.0.5")).status_code == 303
        assert "第 2 次修改" in shown(admin)
        assert "保存网络设置" in shown(admin, "/audit")


@in_own_network
def test_undone_by_hand_and_one_click_back(place: prepared.Place, admin: FlaskClient) -> None:
    with service(place):
        post(admin, "/network/try", whole(OTHER))
        soon(place)
        number = actions._desks[str(place.data_dir)][0].trial()
        assert number is not None
        assert "正在试用新的网络设置" in shown(admin)
        post(admin, "/network/settle", {"number": str(number.number), "keep": "0"})
        assert own() == ["10.0.0.5/24"]
        post(admin, "/network/undo", {"number": "1"})
        soon(place)
        assert own() == ["169.254.77.1/16"]  # as delivered


@in_own_network
def test_ports_locked_addresses_and_looking_around(place: prepared.Place, admin: FlaskClient) -> None:
    with service(place) as there:
        there.far_address(1, "10.0.0.9/24")
        box = Box(Config(paths=Paths(run_dir=str(place.run_dir), data_dir=str(place.data_dir))), place.config, RealClock())
        for _ in range(10):
            actions.report(box, ReportFailedLogin(address="10.0.0.77"), lambda *_: None)
        assert "10.0.0.77" in shown(admin)
        post(admin, "/network/release", {"address": "10.0.0.77"})
        assert "已解除对 10.0.0.77 的锁定" in shown(admin)
        assert "有应答" in text_of(post(admin, "/network/look", {"host": "10.0.0.9", "kind": "ping"}).text)
        assert "10.0.0.9" in text_of(post(admin, "/network/look", {"host": "10.0.0.9", "kind": "trace"}).text)
        assert "SYS-065" in shown_after(post(admin, "/network/look", {"host": "nobody.invalid", "kind": "name"}), admin)


def shown_after(answer: Any, client: FlaskClient) -> str:
    return text_of(answer.text) if answer.status_code == 200 else shown(client)


@in_own_network
def test_no_hostile_value_is_a_fault_of_the_program(place: prepared.Place, app: Flask, clock: VirtualClock) -> None:
    with service(place):
        client = signed_in(app, "administrator")
        good = fields(client.get("/network/edit", headers=HTML).text)
        places = 0
        for target, form in (
            ("/network/check", good),
            ("/network/edit", {**good, "add_vlan": "lan1", "add_card": ""}),
            ("/network/edit", whole(FIRST)),
            ("/network/try", whole(FIRST)),
            ("/network/undo", {"number": "1"}),
            ("/network/settle", {"number": "1", "keep": "1"}),
            ("/network/confirm", {"number": "1", "key": "x"}),
            ("/network/release", {"address": "10.0.0.9"}),
            ("/network/look", {"host": "10.0.0.5", "kind": "ping"}),
        ):
            for name in form:
                places += 1
                for value in HOSTILE[places % 7 :: 7]:
                    pass_time(clock, 5.0)
                    answer = post(client, target, {**form, name: value})
                    assert answer.status_code < 500, (target, name, value)
                    assert not any(raw in answer.text for raw in RAW), (target, name, value)
                    actions._desks[str(place.data_dir)][0].step()
        assert own() == ["10.0.0.5/24"]


@in_own_network
def test_a_machine_that_others_look_after_is_shown_and_not_changed(place: prepared.Place, admin: FlaskClient) -> None:
    with service(place, manage=False):
        assert "不由 Careline 管理" in shown(admin)
        post(admin, "/network/try", whole(OTHER))
        assert "SYS-063" in shown(admin)


def test_without_the_box_service_the_page_says_so(place: prepared.Place, admin: FlaskClient) -> None:
    for page in ("/network", "/network/edit"):
        assert "SYS-005" in text_of(admin.get(page, headers=HTML, follow_redirects=True).text)


def test_settings_survive_the_way_through_a_form_of_json(tmp_path: Path) -> None:
    assert network_form.from_json(network_form.as_json(FIRST)) == FIRST


@in_own_network
def test_who_fails_to_sign_in_again_and_again_is_shut_out(place: prepared.Place, app: Flask, clock: VirtualClock) -> None:
    with service(place) as there:
        there.far_address(1, "10.0.0.66/24")
        stranger = app.test_client()
        desk = actions._desks[str(place.data_dir)][0]
        for tried in range(1, FAILURES + 1):
            pass_time(clock, 5.0)
            form = {"name": "administrator", "password": "guessed"}
            assert post(stranger, "/sign-in", form, environ_overrides={"REMOTE_ADDR": "10.0.0.66"}).status_code == 401
            wait_until(functools.partial(_counted, place, tried % FAILURES))
        wait_until(lambda: set(desk.firewall.locked()) == {"10.0.0.66"})
        assert "10.0.0.66" in shown(signed_in(app, "administrator"))


def _counted(place: prepared.Place, expected: int) -> bool:
    failures = actions._desks[str(place.data_dir)][1]
    return len(failures._at_s.get("10.0.0.66", ())) == expected
