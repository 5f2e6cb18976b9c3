"""The network: how it is, set up by a form, tried for a minute, kept or undone; the history with one click back; ports, locked addresses,
ping, trace and names. The box service does all of it.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, TypeVar

import msgspec
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.system.client import SystemClient
from appliance.system.network.messages import (
    AskNetwork,
    AskNetworkHistory,
    AskPorts,
    CheckNetwork,
    LookUpName,
    NameTold,
    NetworkChecked,
    NetworkHistory,
    NetworkTold,
    NetworkTrying,
    PathTold,
    PingHost,
    PortsTold,
    ReleaseAddress,
    SettleNetwork,
    TraceHost,
    TryNetwork,
    UndoNetwork,
)
from appliance.system.network.model import NetworkFault, Settings
from drivers.errors import CarelineError
from drivers.protocol import Message
from webui import network_form
from webui.asking import refused
from webui.box_asking import done_by_box, told_by_box
from webui.rights import Right, anyone, needs
from webui.shared import audit, me, say, shared

VERSIONS_SHOWN = 20
HOST_MOST = 253

M = TypeVar("M", bound=Message)
blueprint = Blueprint("network", __name__)


@blueprint.get("/network")
@needs(Right.MANAGE_NETWORK)
def show() -> str:
    return _page()


@blueprint.get("/network/edit")
@needs(Right.MANAGE_NETWORK)
def edit() -> AnyResponse | str:
    told = told_by_box(AskNetwork(by=me().name), NetworkTold)
    return redirect(url_for("network.show")) if told is None else _form(told, told.settings)


@blueprint.post("/network/edit")
@needs(Right.MANAGE_NETWORK)
def edit_again() -> AnyResponse | str:
    """The form once more: what was being checked, or with a VLAN or a card more."""
    told = told_by_box(AskNetwork(by=me().name), NetworkTold)
    if told is None:
        return redirect(url_for("network.show"), 303)
    settings = _sent_whole() if "settings" in request.form else _sent_form()
    if name := request.form.get("add_vlan"):
        settings = network_form.with_vlan(settings, name)
    card = next((link for link in told.links if not link.name and link.mac == request.form.get("add_card")), None)
    if card is not None and len(settings.interfaces) < network_form.INTERFACES_MOST:
        settings = network_form.with_card(settings, card.mac, card.place)
    return _form(told, settings)


@blueprint.post("/network/check")
@needs(Right.MANAGE_NETWORK)
def check() -> AnyResponse | str:
    settings = _sent_form()
    checked = told_by_box(CheckNetwork(settings=settings, probe=True, by=me().name), NetworkChecked)
    told = told_by_box(AskNetwork(by=me().name), NetworkTold)
    if checked is None or told is None:
        return redirect(url_for("network.show"), 303)
    if any(fault.refuses for fault in checked.faults):
        return Response(_form(told, settings, checked.faults), 422)
    lines = checked.diff.splitlines()
    return render_template("network_check.html", checked=checked, told=told, diff=lines, settings=network_form.as_json(settings))


@blueprint.post("/network/try")
@needs(Right.MANAGE_NETWORK)
def apply() -> AnyResponse | str:
    return _tried(TryNetwork(settings=_sent_whole(), soon=True, by=me().name))


@blueprint.post("/network/undo")
@needs(Right.MANAGE_NETWORK)
def undo() -> AnyResponse | str:
    return _tried(UndoNetwork(number=_number(), soon=True, by=me().name))


def _tried(wanted: TryNetwork | UndoNetwork) -> AnyResponse | str:
    """The page that says where the box is found now: the answer gets out before the change."""
    trying = told_by_box(wanted, NetworkTrying)
    if trying is None:
        return redirect(url_for("network.show"), 303)
    audit("network_tried", str(trying.trial.number))
    return render_template("network_trying.html", trial=trying.trial, ways=list(_ways(trying)))


def _ways(trying: NetworkTrying) -> Iterator[tuple[str, str]]:
    """Each address of the box with these settings, and the page there on which the trial is confirmed without signing in anew."""
    _, _, port = request.host.rpartition(":")
    suffix = f":{port}" if port.isdecimal() else ""
    path = url_for("network.ask_confirm", number=trying.trial.number, key=trying.key)
    for address in trying.trial.addresses:
        host = f"[{address}]" if ip_address(address).version == 6 else address
        yield address, f"{request.scheme}://{host}{suffix}{path}"


@blueprint.get("/network/confirm")
@anyone
def ask_confirm() -> str:
    """Opened at the new address by who has the trial's key; what it shows tells nothing to others."""
    return render_template("network_confirm.html", number=request.args.get("number", "")[:20], key=request.args.get("key", "")[:64])


@blueprint.post("/network/confirm")
@anyone
def confirm() -> AnyResponse | str:
    number, key = _number(), request.form.get("key", "")[:64]
    if not shared().sign_in_limit.allows(request.remote_addr or ""):
        abort(429)
    try:
        with SystemClient(shared().config.paths.system_socket, "web") as box:
            box.do(SettleNetwork(number=number, keep=True, key=key or "none", arrived_at=_arrived_at()))
    except CarelineError as error:
        refused(error)
        return Response(render_template("network_confirm.html", number="", key=""), 422)
    audit("network_kept", str(number))
    flash(say("network.kept"))
    return redirect(url_for("network.show"), 303)


@blueprint.post("/network/settle")
@needs(Right.MANAGE_NETWORK)
def settle() -> AnyResponse:
    keep = request.form.get("keep") == "1"
    if done_by_box(SettleNetwork(number=_number(), keep=keep, arrived_at=_arrived_at(), by=me().name)):
        audit("network_kept" if keep else "network_undone", str(_number()))
        flash(say("network.kept" if keep else "network.undone"))
    return redirect(url_for("network.show"), 303)


@blueprint.post("/network/release")
@needs(Right.MANAGE_NETWORK)
def release() -> AnyResponse:
    address = request.form.get("address", "")[:64]
    if done_by_box(ReleaseAddress(address=address or "none", by=me().name)):
        audit("network_released", address)
        flash(say("network.released", address=address))
    return redirect(url_for("network.show"), 303)


@blueprint.post("/network/look")
@needs(Right.MANAGE_NETWORK)
def look() -> AnyResponse | str:
    """Ping, trace or a name; the answer on the page."""
    host = request.form.get("host", "").strip()[:HOST_MOST]
    kind = request.form.get("kind", "")
    seen: Message | None
    if kind == "name":
        seen = told_by_box(LookUpName(name=host, by=me().name), NameTold)
    elif kind in ("ping", "trace"):
        wanted = PingHost(host=host, by=me().name) if kind == "ping" else TraceHost(host=host, by=me().name)
        seen = told_by_box(wanted, PathTold)
    else:
        abort(400)
    return redirect(url_for("network.show"), 303) if seen is None else _page(kind=kind, host=host, seen=seen)


# --- parts -----------------------------------------------------------------------------------------------------------------


def _page(**looked: Any) -> str:
    told = told_by_box(AskNetwork(by=me().name), NetworkTold)
    ports = told_by_box(AskPorts(by=me().name), PortsTold) if told else None
    history = told_by_box(AskNetworkHistory(most=VERSIONS_SHOWN, by=me().name), NetworkHistory) if told else None
    return render_template("network.html", told=told, ports=ports, history=history.versions if history else (), **looked)


def _form(told: NetworkTold, settings: Settings, faults: tuple[NetworkFault, ...] = ()) -> str:
    routes = network_form.route_lines(settings.routes)
    tools = {"shown_number": network_form.shown_number, "is_plain": network_form.is_plain}
    return render_template("network_edit.html", told=told, settings=settings, routes=routes, faults=faults, **tools)


def _sent_form() -> Settings:
    try:
        return network_form.parse(request.form)
    except msgspec.ValidationError:
        abort(400)


def _sent_whole() -> Settings:
    try:
        return network_form.from_json(request.form.get("settings", ""))
    except msgspec.MsgspecError:
        abort(400)


def _number() -> int:
    text = request.form.get("number", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else abort(400)


def _arrived_at() -> str:
    """The address of this box that the browser came to: that of the connection, which nobody can make up. "" where there is none."""
    connection = request.environ.get("gunicorn.socket")
    return str(connection.getsockname()[0]) if connection is not None else ""
