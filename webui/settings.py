"""The `[web]` section of careline.toml and what else of that file the web application reads. Pure."""

from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from appliance.config import HospitalConfig
from drivers.settings import Paths, load


class WebSettings(Struct, frozen=True, kw_only=True):
    """`host`, `port`: where to listen. With `tls_certificate` and `tls_key` (PEM files) the pages are served by https,
    which browsers ask for before they let a page on another machine use the microphone."""

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
    """Raises: ConfigError, see drivers.settings.load."""
    return load(path, Config)
