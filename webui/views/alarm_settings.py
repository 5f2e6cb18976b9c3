"""What is an alarm and who is told of it: thresholds and times of the rules, receivers, the mail server, a test of each. Every change is
kept with its author, and the version before comes back by one click.
"""

import contextlib
from typing import TypeVar, get_args

import msgspec
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from appliance.store import alarms
from appliance.store.alarm_rules import BY_NAME, SEVERITIES, RuleSetting
from appliance.store.alarms import AlarmError, AlarmTest, MailSettings, Receiver, ReceiverKind, Receivers
from webui.asking import refused
from webui.rights import Right, needs
from webui.shared import audit, language, me, say, shared

TESTS_SHOWN = 10
CONTACT = "contact"
SECURITIES = ("starttls", "tls", "none")

S = TypeVar("S", bound=msgspec.Struct)

blueprint = Blueprint("alarm_settings", __name__)


@blueprint.get("/alarms/rules")
@needs(Right.MANAGE_ALARMS)
def rules() -> str:
    changed = {name: alarms.versions(f"rule {name}", 5) for name in BY_NAME}
    return render_template("alarm_rules.html", rules=alarms.rules_now(), changed=changed, severities=SEVERITIES, words=language())


@blueprint.post("/alarms/rules/<rule>")
@needs(Right.MANAGE_ALARMS)
def change_rule(rule: str) -> AnyResponse:
    form, known = request.form, BY_NAME.get(rule) or abort(404)
    given: dict[str, object] = {"on": form.get("on") == "yes", "severity": form.get("severity")}
    given |= {key: _whole(form.get(key, "")) for key in ("hold_on_s", "hold_off_s", "escalate_min")}
    given |= {"threshold": _number(form.get("threshold", ""))} if known.threshold else {}
    try:
        done = alarms.change_rule(rule, _read(given, RuleSetting), me().name, shared().clock.now())
    except AlarmError as error:
        refused(error)
        return _to("rules")
    return _noted(done, "alarm_rule_changed", rule, "rules")


@blueprint.post("/alarms/rules/<rule>/undo")
@needs(Right.MANAGE_ALARMS)
def undo_rule(rule: str) -> AnyResponse:
    if rule not in BY_NAME:
        abort(404)
    return _undone(f"rule {rule}", RuleSetting, "alarm_rule_changed", rule, "rules")


@blueprint.get("/alarms/receivers")
@needs(Right.MANAGE_ALARMS)
def receivers() -> str:
    return render_template(
        "alarm_receivers.html",
        receivers=alarms.read("receivers", Receivers).all,
        mail=alarms.read("mail", MailSettings),
        changed={name: alarms.versions(name, 5) for name in ("receivers", "mail")},
        tests=list(AlarmTest.select().order_by(AlarmTest.id.desc()).limit(TESTS_SHOWN)),
        kinds=get_args(ReceiverKind),
        severities=SEVERITIES,
        securities=SECURITIES,
        contact=CONTACT,
    )


@blueprint.post("/alarms/receivers")
@needs(Right.MANAGE_ALARMS)
def put_receiver() -> AnyResponse:
    form = request.form
    given = {key: form.get(key, "").strip() for key in ("name", "kind", "to", "least", "language", "secret")}
    wanted: dict[str, object] = {**given, "level": _whole(form.get("level", "1")), "on": form.get("on") == "yes"}
    try:
        receiver = _read(wanted, Receiver)
        done = alarms.put_receiver(receiver, me().name, shared().clock.now())
    except AlarmError as error:
        refused(error)
        return _to("receivers")
    return _noted(done, "alarm_receiver_changed", receiver.name, "receivers")


@blueprint.post("/alarms/receivers/remove")
@needs(Right.MANAGE_ALARMS)
def remove_receiver() -> AnyResponse:
    name = request.form.get("name", "")
    return _noted(alarms.remove_receiver(name, me().name, shared().clock.now()), "alarm_receiver_removed", name, "receivers")


@blueprint.post("/alarms/receivers/undo")
@needs(Right.MANAGE_ALARMS)
def undo_receivers() -> AnyResponse:
    return _undone("receivers", Receivers, "alarm_receiver_changed", say("alarms.receivers"), "receivers")


@blueprint.post("/alarms/mail")
@needs(Right.MANAGE_ALARMS)
def set_mail() -> AnyResponse:
    form = request.form
    given = {key: form.get(key, "").strip() for key in ("host", "security", "user", "sender")}
    wanted: dict[str, object] = {**given, "password": form.get("password", ""), "verify": form.get("verify") == "yes"}
    wanted |= {key: _whole(form.get(key, "")) for key in ("port", "an_hour")}
    try:
        done = alarms.set_mail(_read(wanted, MailSettings), me().name, shared().clock.now())
    except AlarmError as error:
        refused(error)
        return _to("receivers")
    return _noted(done, "alarm_mail_changed", given["host"], "receivers")


@blueprint.post("/alarms/mail/undo")
@needs(Right.MANAGE_ALARMS)
def undo_mail() -> AnyResponse:
    return _undone("mail", MailSettings, "alarm_mail_changed", say("alarms.mail"), "receivers")


@blueprint.post("/alarms/tests")
@needs(Right.MANAGE_ALARMS)
def try_receiver() -> AnyResponse:
    name = request.form.get("receiver", "")
    if name != CONTACT and name not in {each.name for each in alarms.read("receivers", Receivers).all}:
        abort(404)
    alarms.try_receiver(name, me().name, shared().clock.now())
    audit("alarm_receiver_tried", name)
    flash(say("alarms.try_asked", name=name))
    return _to("receivers")


def _read(given: dict[str, object], kind: type[S]) -> S:
    """Raises: AlarmError ALM-007."""
    try:
        return msgspec.convert({key: value for key, value in given.items() if value is not None}, kind)
    except msgspec.ValidationError as error:
        raise AlarmError("ALM-007", str(error), "Whole numbers for times, one of what can be chosen for the rest") from error


def _whole(text: str) -> int | str | None:
    """What is no number goes on as it is, to be refused; nothing: as the rule has it."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) < 8 else text or None


def _number(text: str) -> float | str | None:
    with contextlib.suppress(ValueError):
        return float(text) if len(text) < 16 else text
    return text or None


def _noted(done: bool, action: str, subject: str, page: str) -> AnyResponse:
    if done:
        audit(action, subject)
        flash(say("alarms.saved"))
    else:
        flash(say("alarms.saved_before"))
    return _to(page)


def _undone(name: str, kind: type[msgspec.Struct], action: str, subject: str, page: str) -> AnyResponse:
    return _noted(alarms.undo(name, kind, me().name, shared().clock.now()), action, subject, page)


def _to(page: str) -> Response | AnyResponse:
    return redirect(url_for(f"alarm_settings.{page}"), 303)
