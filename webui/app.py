"""The application factory: wires the shared parts, the guard, the views and what templates can say."""

import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask
from flask_sock import Sock
from werkzeug.routing import IntegerConverter, Map

from appliance.control.client import ControlClient
from appliance.hospital.registry.telephone import normaliser
from appliance.store.place import place_of
from drivers.clock import Clock, RealClock
from drivers.errors import ConfigError
from webui import faults, guard, line_words, page, patient_pages, secret, store, uploads
from webui.errors import WebError
from webui.limits import Once, RateLimit
from webui.live import LiveHub, Source
from webui.settings import Config
from webui.shared import Shared
from webui.today import TodayCounter
from webui.views import (
    account,
    alarm_settings,
    alarms,
    backup,
    backup_places,
    bans,
    bookings,
    calls,
    cards,
    channels,
    clinics,
    complaints,
    dashboard,
    day_ends,
    desk,
    flow_editor,
    flow_versions,
    flow_walk,
    flows,
    handset,
    health,
    hospital,
    imports,
    keeping,
    kiosk,
    ledger,
    line_setup,
    lines,
    messages,
    money,
    music,
    network,
    patient_account,
    patient_booking,
    patient_cards,
    patient_choosing,
    patient_entry,
    patient_family,
    patient_visits,
    patient_waiting,
    patients,
    people,
    prices,
    prompt_audio,
    prompts,
    recordings,
    rules,
    scratch_cards,
    setup,
    setup_restore,
    smdr,
    sms,
    start,
    update,
    waiting,
    work,
)
from webui.wording import load_wording

SIGN_IN_TRIES_A_MINUTE = 20
SETUP_TRIES_A_MINUTE = 6
POSTS_A_MINUTE = 120
LISTENED_AGAIN_S = 600.0
BODY_BYTES_MOST = 64 * 1024
FILES_KEPT_S = 7 * 24 * 3600

log = logging.getLogger("careline.web")


class RowNumber(IntegerConverter):
    """A number in an address: one that no row can have is no such page."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=2**63 - 1)  # Source: sqlite.org/datatype3, PostgreSQL's bigint


def create_app(config: Config, source: Source | None = None, clock: Clock | None = None) -> Flask:
    """The application on the store of `config`. `source` makes the stream of live messages; the call agent's socket if None.

    Raises: WebError WEB-002, WEB-004, WEB-005, WEB-006; ConfigError; StoreError.
    """
    _check_files()
    store.bind(place_of(config.paths))
    app = Flask("webui", static_folder="static", template_folder="templates")
    _configure(app, config)
    app.url_map.converters["int"] = RowNumber
    app.extensions["careline"] = _shared(config, source or _call_agent(config), clock or RealClock())
    _add_views(app)
    uploads.install(app)
    music.install(app)
    cards.install(app)
    ledger.install(app)
    imports.install(app)
    guard.install(app)
    faults.install(app)
    page.install(app)
    patient_pages.install(app)
    line_words.install(app)
    guard.check_views(app)
    return app


def hub_of(app: Flask) -> LiveHub:
    shared: Shared = app.extensions["careline"]
    return shared.hub


def _configure(app: Flask, config: Config) -> None:
    app.secret_key = secret.secret_key(Path(config.paths.data_dir))
    app.config.update(
        SESSION_COOKIE_NAME="careline",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=config.web.https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=config.web.session_hours),
        MAX_CONTENT_LENGTH=BODY_BYTES_MOST,
        SEND_FILE_MAX_AGE_DEFAULT=FILES_KEPT_S,
        SOCK_SERVER_OPTIONS={"ping_interval": 20, "max_message_size": 16 * 1024},
    )


def _shared(config: Config, source: Source, clock: Clock) -> Shared:
    zone = _zone(config.hospital.calendar.time_zone)
    return Shared(
        config=config,
        clock=clock,
        wording=load_wording(),
        hub=LiveHub(source),
        zone=zone,
        normalise=normaliser(config.lines),
        hospital_name={"zh": config.hospital.name_zh, "en": config.hospital.name_en},
        sign_in_limit=RateLimit(SIGN_IN_TRIES_A_MINUTE, 60.0, clock),
        setup_limit=RateLimit(SETUP_TRIES_A_MINUTE, 60.0, clock),
        post_limit=RateLimit(POSTS_A_MINUTE, 60.0, clock),
        listened=Once(LISTENED_AGAIN_S, clock),
        today=TodayCounter(clock, zone),
        files_version=_files_version(),
    )


def _add_views(app: Flask) -> None:
    for blueprint in (
        start.blueprint,
        setup.blueprint,
        setup_restore.blueprint,
        backup.blueprint,
        backup_places.blueprint,
        account.blueprint,
        people.blueprint,
        patients.blueprint,
        desk.blueprint,
        bookings.blueprint,
        money.blueprint,
        hospital.blueprint,
        clinics.blueprint,
        imports.blueprint,
        complaints.blueprint,
        work.blueprint,
        rules.blueprint,
        keeping.blueprint,
        prices.blueprint,
        ledger.blueprint,
        day_ends.blueprint,
        scratch_cards.blueprint,
        bans.blueprint,
        waiting.blueprint,
        patient_cards.blueprint,
        patient_entry.blueprint,
        patient_visits.blueprint,
        patient_choosing.blueprint,
        patient_booking.blueprint,
        patient_account.blueprint,
        patient_family.blueprint,
        patient_waiting.blueprint,
        kiosk.blueprint,
        dashboard.blueprint,
        channels.blueprint,
        lines.blueprint,
        line_setup.blueprint,
        calls.blueprint,
        recordings.blueprint,
        messages.blueprint,
        health.blueprint,
        network.blueprint,
        alarms.blueprint,
        alarm_settings.blueprint,
        music.blueprint,
        flows.blueprint,
        flow_versions.blueprint,
        flow_walk.blueprint,
        prompts.blueprint,
        prompt_audio.blueprint,
        flow_editor.blueprint,
        handset.blueprint,
        sms.blueprint,
        smdr.blueprint,
        update.blueprint,
        cards.blueprint,
    ):
        app.register_blueprint(blueprint)
    handset.add_socket(Sock(app))


def _call_agent(config: Config) -> Source:
    def messages() -> Iterator[object]:
        with ControlClient(config.paths.control_socket) as client:
            yield from client.subscribe()

    return messages


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        what = f"[hospital.calendar] time_zone: there is no time zone `{name}`"
        raise ConfigError("CFG-004", what, "Use a name like Asia/Shanghai") from error


def _check_files() -> None:
    needed = ("tabler/tabler.min.css", "tabler/tabler.min.js", "htmx/htmx.min.js", "htmx/sse.min.js", "echarts/echarts.min.js")
    missing = [name for name in needed if not (Path(__file__).parent / "static" / "vendor" / name).is_file()]
    if missing:
        raise WebError("WEB-005", f"missing below webui/static/vendor: {', '.join(missing)}", "Run setup/web-assets")


def _files_version() -> str:
    """Changes with our own scripts and style sheets, so that browsers never mix old and new ones."""
    digest = hashlib.sha256()
    for file in sorted((Path(__file__).parent / "static").rglob("*.*")):
        digest.update(f"{file.name} {file.stat().st_mtime_ns} ".encode())
    return digest.hexdigest()[:10]
