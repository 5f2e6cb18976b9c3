"""Figures for Prometheus, at an address of their own. Thread `metrics`; prometheus_client is loaded only when it is on."""

import hmac
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from appliance.control.messages import Grade
from appliance.health.config import MetricsConfig
from appliance.health.facts import Facts

LIMIT_S = 5.0


class MetricsServer:
    """`alarms`: open ones by rule and severity. Raises: OSError when the port cannot be had."""

    def __init__(self, config: MetricsConfig, facts: Callable[[], Facts | None], alarms: Callable[[], dict[tuple[str, str], int]]) -> None:
        from prometheus_client import CollectorRegistry

        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Figures(facts, alarms))
        self._server = ThreadingHTTPServer((config.host, config.port), _handler(registry, config.token))
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(registry: Any, token: str) -> type[BaseHTTPRequestHandler]:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    class Handler(BaseHTTPRequestHandler):
        timeout = LIMIT_S
        server_version = "careline"
        sys_version = ""

        def do_GET(self) -> None:
            if self.path != "/metrics":
                return self.send_error(404)
            if token and not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
                return self.send_error(401)
            body = generate_latest(registry)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return None

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads that."""

    return Handler


class _Figures:
    """What prometheus_client asks for at each look."""

    def __init__(self, facts: Callable[[], Facts | None], alarms: Callable[[], dict[tuple[str, str], int]]) -> None:
        self._facts, self._alarms = facts, alarms

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        open_ = GaugeMetricFamily("careline_alarms", "Open alarms.", labels=("rule", "severity"))
        for (rule, severity), count in self._alarms().items():
            open_.add_metric((rule, severity), count)
        yield open_
        if (facts := self._facts()) is None:
            return
        for name, said, value in _single(facts):
            if value is not None:
                yield GaugeMetricFamily(name, said, value=value)
        yield from _labelled(facts, GaugeMetricFamily)


def _single(facts: Facts) -> Iterator[tuple[str, str, float | None]]:
    lines, told, ups = facts.lines, facts.self_call, facts.ups
    yield "careline_call_agent_up", "Whether the call agent answers.", float(lines is not None)
    if lines is not None:
        yield "careline_calls", "Calls going on.", lines.calls
        yield "careline_calls_ringing", "Callers not answered yet.", lines.ringing
        yield "careline_calls_today", "Calls since midnight.", lines.calls_today
        yield "careline_tick_late_milliseconds", "How late sound is, 99.9th percentile.", lines.tick_late_ms
    yield "careline_web_up", "Whether the pages answer.", None if facts.web_fault is None else float(not facts.web_fault)
    yield "careline_memory_free_percent", "Memory programs can still have.", facts.memory_free_percent
    yield "careline_clock_synchronised", "Whether the clock is.", _flag(facts.clock_synchronised)
    yield "careline_backup_age_hours", "Age of the last good backup.", facts.backup_age_h
    if told is not None:
        yield "careline_self_call_answered_seconds", "Of the last self-call.", told.answered_ms and told.answered_ms / 1000
        yield "careline_self_call_heard", "Whether something was heard in it.", float(told.end.value == "heard")
    if ups is not None:
        yield "careline_ups_on_battery", "Whether mains failed.", float(ups.on_battery)
        yield "careline_ups_charge_percent", "Of its battery.", ups.charge_percent


def _flag(value: bool | None) -> float | None:
    return None if value is None else float(value)


def _labelled(facts: Facts, family: Any) -> Iterator[Any]:
    for name, said, label, values in (
        ("careline_disk_free_percent", "Free space.", "folder", facts.disk_free_percent),
        ("careline_temperature_celsius", "By sensor.", "sensor", facts.temperatures),
        ("careline_certificate_days_left", "Until it expires.", "file", facts.certificates),
    ):
        made = family(name, said, labels=(label,))
        for about, value in values.items():
            made.add_metric((about,), value)
        yield made
    if facts.lines is not None:
        spans = family("careline_span_up", "Whether a span is free of alarms and its D-channel up.", labels=("span",))
        for span in facts.lines.spans:
            spans.add_metric((str(span.number),), float(not span.alarms and span.link_up is not False))
        yield spans
        checks = family("careline_check_ok", "Checks of the call agent.", labels=("check",))
        for check in {each.name: each for each in facts.lines.checks}.values():
            checks.add_metric((check.name,), float(check.grade is Grade.OK))
        yield checks
