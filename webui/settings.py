"""The `[web]` section of careline.toml and what else of that file the web application reads. Pure."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from appliance.config import HospitalConfig
from appliance.hospital.slips.address import is_address
from drivers.errors import ConfigError
from drivers.settings import Paths, load

NAME_PART = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")  # Source: RFC 1123, 2.1


class KioskSettings(Struct, frozen=True, kw_only=True):
    """A kiosk in the hall, `[[web.kiosks]]`: `secret` is typed once at the device, by whoever sets it up. `printer`: its receipt printer
    (ESC/POS), "192.168.1.50:9100" or "/dev/usb/lp0"; without one the browser prints the page. `columns`: Latin characters a line.
    """

    name: Annotated[str, Meta(min_length=1, max_length=32)]
    secret: Annotated[str, Meta(min_length=12, max_length=128)]
    printer: str = ""
    columns: Literal[32, 42, 48] = 48


class WebSettings(Struct, frozen=True, kw_only=True):
    """`host`, `port`: where to listen; the host is an address of this machine, its name, or "0.0.0.0" for all addresses. Where the service
    manager has opened the sockets (in the box: careline-web.socket), they count instead.

    With `tls_certificate` and `tls_key` (PEM files) the pages are served by https, which browsers ask for before they let a page on
    another machine use the microphone.
    """

    host: str = "0.0.0.0"
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    tls_certificate: str = ""
    tls_key: str = ""
    threads: Annotated[int, Meta(ge=8, le=1000)] = 96
    session_hours: Annotated[int, Meta(ge=1, le=168)] = 12
    lock_after_failures: Annotated[int, Meta(ge=3, le=20)] = 5
    lock_minutes: Annotated[int, Meta(ge=1, le=1440)] = 15
    kiosks: tuple[KioskSettings, ...] = ()

    @property
    def https(self) -> bool:
        return bool(self.tls_certificate)


class Config(Struct, frozen=True, kw_only=True):
    """careline.toml as the web application sees it; the sections of other processes are left alone."""

    paths: Paths = Paths()
    web: WebSettings = WebSettings()
    hospital: HospitalConfig = HospitalConfig()
    lines: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, Any] = field(default_factory=dict)
    console: dict[str, Any] = field(default_factory=dict)
    sms: dict[str, Any] = field(default_factory=dict)
    smdr: dict[str, Any] = field(default_factory=dict)
    smdi: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)
    health: dict[str, Any] = field(default_factory=dict)


def load_config(path: Path) -> Config:
    """Raises: ConfigError, see drivers.settings.load; CFG-016 for a host that is no address or name; CFG-017 for a kiosk's printer that is
    none, or two kiosks of one name."""
    config = load(path, Config)
    _check_kiosks(config.web.kiosks, path)
    if not _is_address(config.web.host) and not _is_name(config.web.host):
        what = f'{path}: web.host = "{config.web.host}" is neither an IP address nor the name of a machine'
        raise ConfigError("CFG-016", what, 'Write one, without "http://" and port: "0.0.0.0" for all addresses of this machine')
    return config


def _check_kiosks(kiosks: tuple[KioskSettings, ...], path: Path) -> None:
    names = [kiosk.name for kiosk in kiosks]
    if len(set(names)) < len(names):
        raise ConfigError("CFG-017", f"{path}: two of web.kiosks have one name", "Give each kiosk a name of its own")
    wrong = next((kiosk for kiosk in kiosks if kiosk.printer and not is_address(kiosk.printer)), None)
    if wrong is not None:
        what = f'{path}: the printer "{wrong.printer}" of the kiosk "{wrong.name}" is no address of one'
        raise ConfigError("CFG-017", what, 'Write "192.168.1.50:9100" or "/dev/usb/lp0"; nothing, when the browser prints')


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_name(host: str) -> bool:
    """The last part is no number: that was meant as an address."""
    parts = host.split(".")
    return all(map(NAME_PART.fullmatch, parts)) and not parts[-1].isdigit()
