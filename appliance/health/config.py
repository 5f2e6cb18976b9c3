"""Section `[health]` of careline.toml: what is wired to the box, and where it listens. Who is told is set on the page Alarms. Pure."""

from typing import Annotated, Any, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]


class SelfCallConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Every `every_min` (0: never) the box calls itself, over its inner line, or with `group` and `number` through a real trunk;
    `own_number`: the caller's number such a call comes back with. Not while more than `most_calls` go on."""

    every_min: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 5
    limit_s: Annotated[int, msgspec.Meta(ge=1, le=60)] = 20
    group: str = ""
    number: str = ""
    own_number: str = ""
    most_calls: Annotated[int, msgspec.Meta(ge=0)] = 200


class UpsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The UPS `name` of NUT's upsd; empty: none. On low battery new callers are told that the box goes down, and it does when no call is
    left, after `wait_s` in any case; `power_off` False: it is only told."""

    name: str = ""
    host: str = "127.0.0.1"
    port: Port = 3493
    user: str = ""
    password: str = ""
    wait_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 120
    power_off: bool = True


class PanelConfig(msgspec.Struct, frozen=True, kw_only=True):
    """LCDproc's LCDd; without a host there is no panel."""

    host: str = ""
    port: Port = 13_666


class InputConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that somebody else closes (`closed_is_alarm` False: opens) to tell an alarm. `line`: as ContactConfig.out, of a serial port
    cts, dsr, dcd or ri."""

    name: str
    line: str
    closed_is_alarm: bool = True


class ContactConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`out`: the relay that is held while all is well and released in an alarm, or without power: "gpio:/dev/gpiochip0:17", or of
    a serial port "serial:/dev/ttyS1:rts" (or dtr). `least`: for alarms of that severity and above."""

    out: str = ""
    least: Literal["notice", "warning", "critical"] = "critical"
    inputs: tuple[InputConfig, ...] = ()


class MetricsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Figures for Prometheus at http://host:port/metrics; port 0: none. `token`: asked for as "Authorization: Bearer …"."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    token: str = ""


class HealthConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`certificates`: PEM files whose end is watched, beside that of the web pages. `web`: whether pages are to answer
    on this machine."""

    self_call: SelfCallConfig = SelfCallConfig()
    ups: UpsConfig = UpsConfig()
    panel: PanelConfig = PanelConfig()
    contact: ContactConfig = ContactConfig()
    metrics: MetricsConfig = MetricsConfig()
    certificates: tuple[str, ...] = ()
    web: bool = True


def web_address(web: dict[str, Any]) -> str:
    """Where the pages answer on this machine."""
    host = str(web.get("host", "0.0.0.0"))
    scheme = "https" if web.get("tls_certificate") else "http"
    return f"{scheme}://{'127.0.0.1' if host in ('0.0.0.0', '::', '') else host}:{web.get('port', 8080)}/alive"
