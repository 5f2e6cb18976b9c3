"""The `[web]` section of careline.toml and what else of that file the web application reads. Pure."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from appliance.config import HospitalConfig
from drivers.errors import ConfigError
from drivers.settings import Paths, load

NAME_PART = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")  # Source: RFC 1123, 2.1


class WebSettings(Struct, frozen=True, kw_only=True):
    """`host`, `port`: where to listen; the host is an address of this machine, its name, or "0.0.0.0" for all addresses.

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


def load_config(path: Path) -> Config:
    """Raises: ConfigError, see drivers.settings.load; CFG-016 for a host that is no address or name."""
    config = load(path, Config)
    if not _is_address(config.web.host) and not _is_name(config.web.host):
        what = f'{path}: web.host = "{config.web.host}" is neither an IP address nor the name of a machine'
        raise ConfigError("CFG-016", what, 'Write one, without "http://" and port: "0.0.0.0" for all addresses of this machine')
    return config


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
