"""The form of the network's settings: from settings to fields and back. Pure; what is wrong in it the box service says."""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from werkzeug.datastructures import MultiDict

from appliance.system.network.model import Attachment, Interface, Route, Services, Settings, Vlan

INTERFACES_MOST, VLANS_MOST = 32, 64
TEXT_MOST, LINES_MOST = 200, 40
NO_NUMBER = -1

Form = MultiDict[str, str]
A = TypeVar("A", Interface, Vlan)


def parse(form: Form) -> Settings:
    """What was sent. Raises: msgspec.ValidationError for a choice that is none."""
    interfaces = [_interface(form, f"i{place}") for place in range(INTERFACES_MOST) if f"i{place}.name" in form]
    raw = {
        "host_name": _text(form, "host_name"),
        "interfaces": [each for each in interfaces if each is not None],
        "routes": [_route(line) for line in _lines(form, "routes")],
        "dns": _lines(form, "dns"),
        "search": _lines(form, "search"),
        "ntp": _lines(form, "ntp"),
        "services": {name: name in form.getlist("services") for name in Services.__struct_fields__},
    }
    return msgspec.convert(raw, Settings)


def _interface(form: Form, at: str) -> dict[str, Any] | None:
    """None when it is to go."""
    if form.get(f"{at}.remove") == "1":
        return None
    vlans = [_vlan(form, f"{at}.v{place}") for place in range(VLANS_MOST) if f"{at}.v{place}.number" in form]
    own = {key: _text(form, f"{at}.{key}") for key in ("name", "mac", "place")}
    return {**own, **_attachment(form, at), "vlans": [each for each in vlans if each is not None]}


def _vlan(form: Form, at: str) -> dict[str, Any] | None:
    """None where no number was given: the empty row at the end."""
    number = _text(form, f"{at}.number")
    return {"number": _number(number), **_attachment(form, at)} if number else None


def _attachment(form: Form, at: str) -> dict[str, Any]:
    return {
        "roles": form.getlist(f"{at}.roles"),
        "ipv4": form.get(f"{at}.ipv4", "off"),
        "addresses": _lines(form, f"{at}.addresses"),
        "gateway": _text(form, f"{at}.gateway"),
        "ipv6": form.get(f"{at}.ipv6", "off"),
        "addresses6": _lines(form, f"{at}.addresses6"),
        "gateway6": _text(form, f"{at}.gateway6"),
        "learn_route": form.get(f"{at}.learn_route") == "1",
        "learn_dns": form.get(f"{at}.learn_dns") == "1",
        "mtu": _number(_text(form, f"{at}.mtu")),
    }


def _text(form: Form, key: str) -> str:
    return form.get(key, "").strip()[:TEXT_MOST]


def _lines(form: Form, key: str) -> list[str]:
    """A line or a word each."""
    return [word[:TEXT_MOST] for word in form.get(key, "").replace(",", " ").split()][:LINES_MOST] if key != "routes" else _whole(form, key)


def _whole(form: Form, key: str) -> list[str]:
    return [line.strip()[:TEXT_MOST] for line in form.get(key, "").splitlines() if line.strip()][:LINES_MOST]


def _route(line: str) -> dict[str, str]:
    """ "10.20.0.0/16 192.168.1.254", with "via" between or without."""
    to, _, via = line.partition(" ")
    return {"to": to, "via": via.strip().removeprefix("via ").strip()}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else NO_NUMBER


def as_json(settings: Settings) -> str:
    return msgspec.json.encode(settings).decode()


def from_json(text: str) -> Settings:
    """Raises: msgspec.MsgspecError."""
    return msgspec.json.decode(text.encode("utf-8", "replace"), type=Settings)


def route_lines(routes: Sequence[Route]) -> str:
    return "\n".join(f"{route.to} {route.via}".strip() for route in routes)


def with_vlan(settings: Settings, interface: str) -> Settings:
    """One VLAN more on that interface, its number to be filled in."""
    return _with(settings, interface, lambda each: msgspec.structs.replace(each, vlans=(*each.vlans, Vlan(number=0))))


def with_card(settings: Settings, mac: str, place: str) -> Settings:
    """One interface more, for a card that the settings do not know."""
    names = {each.name for each in settings.interfaces}
    name = next(name for name in (f"lan{number}" for number in range(1, INTERFACES_MOST + 2)) if name not in names)
    return msgspec.structs.replace(settings, interfaces=(*settings.interfaces, Interface(name=name, mac=mac, place=place)))


def _with(settings: Settings, name: str, change: Any) -> Settings:
    changed = tuple(change(each) if each.name == name else each for each in settings.interfaces)
    return msgspec.structs.replace(settings, interfaces=changed)


def shown_number(number: int) -> str:
    """Nothing for what was no number, so that it can be filled in."""
    return str(number) if number > 0 else ""


def is_plain(attachment: Attachment) -> bool:
    """Whether the rarer fields are as they usually are, and may stay folded."""
    usual = Attachment()
    rare = ("learn_route", "learn_dns", "mtu", "ipv6", "addresses6", "gateway6")
    return all(getattr(attachment, name) == getattr(usual, name) for name in rare)
