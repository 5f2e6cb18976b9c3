"""A change to a draft as a form of the flow page asks for it, and what comes of it. Pure: the form is given, the flow comes back.

`do` names the wish; the other fields are those of appliance/ivr/editing.py.
"""

from collections.abc import Callable, Mapping
from typing import Any

from appliance.ivr import editing, editing_lists
from appliance.ivr.editing import Added, Edited, Wrong
from appliance.ivr.flow import Flow, FlowSet
from webui.flow_forms import typed

Form = Mapping[str, str]
NEW = "new:"
"""Before a kind, instead of a place: lead the exit to a new place of that kind."""


def change(flow: Flow, form: Form, flows: FlowSet) -> Edited | Added | None:
    """None when the form names no wish there is."""
    wish = _WISHES.get(form.get("do", ""))
    return wish(flow, form, flows) if wish else None


def _add(flow: Flow, form: Form, _: FlowSet) -> Edited | Added:
    return editing.add(flow, form.get("kind", ""), form.get("place", ""), form.get("exit", ""))


def _connect(flow: Flow, form: Form, _: FlowSet) -> Edited | Added:
    place, exit_name, to = form.get("place", ""), form.get("exit", ""), form.get("to", "")
    if to.startswith(NEW):
        return editing.add(flow, to.removeprefix(NEW), place, exit_name)
    return editing.connect(flow, place, exit_name, to)


def _set(flow: Flow, form: Form, flows: FlowSet) -> Edited:
    place = form.get("place", "")
    node = flow.places.get(place)
    if node is None:
        return Wrong("place", "unknown")
    changes = typed(node, form)
    return changes if isinstance(changes, Wrong) else editing.set_fields(flow, place, changes, flows)


def _flow(flow: Flow, form: Form, _: FlowSet) -> Edited:
    titles = {lang: form[f"title.{lang}"].strip() for lang in ("zh", "en") if form.get(f"title.{lang}", "").strip()}
    changes: dict[str, Any] = {"title": titles, "note": form.get("note", "").strip(), "person": form.get("person", "")}
    return editing.set_flow(flow, {**changes, "needs": form.get("needs", "").replace(",", " ").split()})


def _move(flow: Flow, form: Form, _: FlowSet) -> Edited:
    x, y = _number(form, "x"), _number(form, "y")
    return editing.move(flow, form.get("place", ""), x, y)


def _say_value(flow: Flow, form: Form, _: FlowSet) -> Edited:
    kind, variable = form.get("kind", ""), form.get("variable", "").strip()
    written = f"{kind}:{variable}" if variable else kind
    return editing_lists.say_more(flow, form.get("place", ""), form.get("field", ""), f"{{{written}}}")


def _listed(wish: Callable[[Flow, str, str, int], Edited]) -> Callable[[Flow, Form, FlowSet], Edited]:
    return lambda flow, form, _: wish(flow, form.get("place", ""), form.get("field", ""), _number(form, "number"))


def _keyed(wish: Callable[[Flow, str, str], Edited]) -> Callable[[Flow, Form, FlowSet], Edited]:
    return lambda flow, form, _: wish(flow, form.get("place", ""), form.get("key", ""))


def _number(form: Form, name: str) -> int:
    """-1, which nothing has, for what is no number."""
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1


_WISHES: Mapping[str, Callable[[Flow, Form, FlowSet], Edited | Added]] = {
    "add": _add,
    "connect": _connect,
    "set": _set,
    "flow": _flow,
    "move": _move,
    "arrange": lambda flow, form, _: editing.arrange(flow),
    "copy": lambda flow, form, _: editing.copy(flow, form.get("place", "")),
    "delete": lambda flow, form, _: editing.delete(flow, form.get("place", "")),
    "rename": lambda flow, form, _: editing.rename(flow, form.get("place", ""), form.get("name", "")),
    "entry": lambda flow, form, _: editing.set_entry(flow, form.get("entry", ""), form.get("to", "")),
    "say_more": lambda flow, form, _: editing_lists.say_more(flow, form.get("place", ""), form.get("field", ""), form.get("written", "")),
    "say_value": _say_value,
    "say_less": _listed(editing_lists.say_less),
    "say_sooner": _listed(editing_lists.say_sooner),
    "key_add": lambda flow, form, _: editing_lists.add_key(flow, form.get("place", "")),
    "key_take": _keyed(editing_lists.take_key),
    "key_sooner": _keyed(editing_lists.key_sooner),
    "key_change": lambda flow, form, _: editing_lists.change_key(flow, form.get("place", ""), form.get("key", ""), form.get("other", "")),
    "key_name": lambda flow, form, _: editing_lists.name_key(flow, form.get("place", ""), form.get("key", ""), form.get("exit", "")),
    "case_add": lambda flow, form, _: editing_lists.add_case(flow, form.get("place", "")),
    "case_take": lambda flow, form, _: editing_lists.take_case(flow, form.get("place", ""), _number(form, "number")),
    "case_sooner": lambda flow, form, _: editing_lists.case_sooner(flow, form.get("place", ""), _number(form, "number")),
}
