"""Alarms as SNMP notifications, version 2c or 3, by pysnmp; see docs/CARELINE-MIB.txt. In the thread `snmp`; pysnmp is loaded when the
first one is sent.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import msgspec

from appliance.health.words import Story, title
from appliance.store.alarm_rules import SEVERITIES

ROOT = "1.3.6.1.4.1.8072.9999.9999.7"  # netSnmpPlaypen, free for whoever has no number of his own. Source: NET-SNMP-MIB
EVENTS = ("began", "ended", "escalated", "test")
PORT = 162
LIMIT_S = 5.0
V3 = "v3"
BOOTS_FROM = 100_000_000
PASSWORD_LEAST = 8  # Source: RFC 3414, 11.2


class TrapSender:
    """`secret_of`: the community of a station, or "v3 USER PASSWORD PRIVACY-PASSWORD" (SHA, AES-128). Used by one thread."""

    def __init__(self, secret_of: Callable[[str], str], is_wanted: Callable[[], bool]) -> None:
        self._secret_of, self._is_wanted = secret_of, is_wanted
        self._runner = asyncio.Runner()
        self._engine: Any = None

    def ready(self) -> bool:
        return self._is_wanted()

    def send(self, to: str, text: str, once_key: str) -> None:
        """Nobody answers a trap: what was sent may still be lost. Raises: OSError, ValueError for a wrong station or secret."""
        from pysnmp.error import PySnmpError  # type: ignore[import-untyped]  # it has no types

        story = msgspec.json.decode(text, type=Story)
        try:
            self._runner.run(asyncio.wait_for(self._send(*station(to), self._secret_of(to) or "public", story), LIMIT_S))
        except PySnmpError as error:
            raise OSError(str(error)) from error

    async def _send(self, host: str, port: int, secret: str, story: Story) -> None:
        from pysnmp.hlapi.v3arch import asyncio as snmp  # type: ignore[import-untyped]  # it has no types

        self._engine = self._engine or _engine(snmp)
        target = await (snmp.Udp6TransportTarget if ":" in host else snmp.UdpTransportTarget).create((host, port))
        fault, *_ = await snmp.send_notification(
            self._engine, _identity(snmp, secret), target, snmp.ContextData(), "trap", _notification(snmp, story)
        )
        if fault:
            raise OSError(str(fault))

    def close(self) -> None:
        """In the thread that sent."""
        if self._engine is not None:
            self._engine.close_dispatcher()
        self._runner.close()


def engine_id() -> bytes:
    """Who sends, for version 3: this machine's name. Source: RFC 3411, SnmpEngineID (format 4, text)."""
    return bytes.fromhex("80001f8804") + f"careline-{socket.gethostname()}".encode()[:27]


def _engine(snmp: Any) -> Any:
    """One for the life of the process; its boots rise with each start, as stations ask (RFC 3414, 2.2)."""
    engine = snmp.SnmpEngine(snmp.OctetString(engine_id()))
    builder = engine.message_dispatcher.mib_instrum_controller.get_mib_builder()
    (boots,) = builder.import_symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineBoots")
    boots.syntax = boots.syntax.clone(int(time.time()) // 10 - BOOTS_FROM)
    return engine


def station(to: str) -> tuple[str, int]:
    """HOST, HOST:PORT or [ADDRESS]:PORT. Raises: ValueError."""
    bare, _, port = to.rpartition(":") if to.startswith("[") or to.count(":") == 1 else (to, "", str(PORT))
    return bare.strip("[]") or to, int(port)


def _identity(snmp: Any, secret: str) -> Any:
    """Raises: ValueError."""
    if not secret.startswith(f"{V3} "):
        return snmp.CommunityData(secret, mpModel=1)
    words = secret.split()
    if len(words) != 4 or min(len(words[2]), len(words[3])) < PASSWORD_LEAST:
        raise ValueError(f'write "v3 USER PASSWORD PRIVACY-PASSWORD", each password of {PASSWORD_LEAST} characters or more')
    return snmp.UsmUserData(words[1], words[2], words[3], authProtocol=snmp.usmHMACSHAAuthProtocol, privProtocol=snmp.usmAesCfb128Protocol)


def _notification(snmp: Any, story: Story) -> Any:
    event = EVENTS.index(story.event) + 1
    values = (
        snmp.Unsigned32(story.number),
        snmp.Integer32(event),
        snmp.OctetString(story.rule.encode()),
        snmp.Integer32(SEVERITIES.index(story.severity) + 1),
        snmp.OctetString(f"{story.key.subject} {story.key.number} {story.key.alarm}".strip().encode()),
        snmp.OctetString(f"{title(story, 'en')} {story.detail}".strip().encode()[:255]),
        snmp.OctetString(story.at.isoformat(timespec="seconds").encode()),
    )
    notification = snmp.NotificationType(snmp.ObjectIdentity(f"{ROOT}.0.{event}"))
    return notification.add_varbinds(*((snmp.ObjectIdentity(f"{ROOT}.1.{at}.0"), value) for at, value in enumerate(values, 1)))
