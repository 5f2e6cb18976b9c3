"""Roles by views, generated: every view answers 403 to exactly those roles that lack its right, and no view is without one."""

import pytest
from flask import Flask

from drivers.clock import VirtualClock
from tests.web.conftest import HTML, pass_time, signed_in, token
from tests.web.test_access import _address, routes
from webui.rights import RIGHTS, ROLES, Access, Right, access_of, may


def test_every_view_has_a_right(app: Flask) -> None:
    assert [name for name, view in app.view_functions.items() if access_of(view) is None] == []


def test_every_right_is_some_roles_besides_the_administrators() -> None:
    administrators = {
        *(Right.DOWNLOAD, Right.MANAGE_MUSIC, Right.SEE_AUDIT, Right.MANAGE_ACCOUNTS),
        *(Right.MANAGE_ALARMS, Right.MANAGE_NETWORK, Right.MANAGE_UPDATES, Right.MANAGE_BACKUPS),
        *(Right.MANAGE_CARDS, Right.MANAGE_PERIPHERALS, Right.MANAGE_KEEPING, Right.RESET_BOX),
    }
    others = {right for role in ROLES if role != "administrator" for right in RIGHTS[role]}
    assert set(Right) - others == administrators


def test_who_asks_for_a_correction_does_not_approve_it() -> None:
    both = {Right.CORRECT, Right.APPROVE_CORRECTION}
    assert [role for role in ROLES if both <= RIGHTS[role] and role != "administrator"] == []


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_refused_by_what_it_has_no_right_to(app: Flask, clock: VirtualClock, role: str) -> None:
    wrong = []
    for rule, method in routes(app):
        access = access_of(app.view_functions[rule.endpoint])
        if not isinstance(access, Right) or rule.websocket or may(role, access):
            continue
        pass_time(clock, 2.0)
        client = signed_in(app, role)
        form = {"csrf": token(client)} if method == "POST" else None
        answer = client.open(_address(app, rule), method=method, headers=HTML, data=form)
        if answer.status_code != 403:
            wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


def test_each_role_lands_on_a_page_of_its_own(app: Flask) -> None:
    for role in ROLES:
        client = signed_in(app, role)
        assert client.get("/", headers=HTML, follow_redirects=True).status_code == 200, role


def test_access_is_of_three_kinds(app: Flask) -> None:
    kinds = {access_of(view) for view in app.view_functions.values()}
    assert kinds <= {Access.ANYONE, Access.SIGNED_IN, *Right}
