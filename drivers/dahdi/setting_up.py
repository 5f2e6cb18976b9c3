"""Real cards set up anew while the line server runs: what is found on them, and bringing them to a new configuration.

The kernel lets root alone configure channels. A line server that is root (a box without systemd) does it itself, in a thread; otherwise
`careline-cards` does, which systemd starts because the set-up that is tried was written (systemd/careline-cards.path). Either way it is
done when the kernel says so.
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from drivers.dahdi import faults
from drivers.dahdi.configure import SYSTEM_CONF, configure
from drivers.dahdi.control import Control
from drivers.dahdi.records import DIGITAL_SPANS, ChannelParams, Law, SpanRecord, alarm_words
from drivers.dahdi.setup import CardSetup, channel_numbers
from drivers.errors import ConfigError
from drivers.io import Signalling
from drivers.protocol import PortFound, SpanFound

LOOK_S = 0.5
APPLIED_LIMIT_S = 90.0  # dahdi_cfg itself is given 60

LAW_WORDS: dict[Law, Literal["alaw", "mulaw"]] = {Law.ALAW: "alaw", Law.ULAW: "mulaw"}
DIGITAL = frozenset({Signalling.BCHAN, Signalling.DCHAN, Signalling.CAS})


def found(device_dir: str) -> tuple[SpanFound, ...]:
    """Raises: LineError LIN-101, LIN-102, LIN-103."""
    with Control(device_dir) as control:
        spans = control.require_spans()
        channels = tuple(control.channels())
    return tuple(found_of(span, channels) for span in spans)


async def reconfigure(wanted: CardSetup, device_dir: str, system_conf: Path = SYSTEM_CONF) -> None:
    """Until the kernel's channels are what is wanted.

    Raises: ConfigError LIN-110 .. LIN-113 dahdi_cfg's complaint, LIN-112 when it takes too long; LineError.
    """
    wanted = _with_laws(wanted, device_dir)
    uses = {number: group.signalling for group in wanted.groups for number in channel_numbers(group.channels)}
    if os.geteuid() == 0:
        await asyncio.to_thread(configure, wanted, system_conf, device_dir)
    waited_s = 0.0
    while _differs(uses, device_dir):
        if waited_s > APPLIED_LIMIT_S:
            what = f"channel {_differs(uses, device_dir)} was not set up within {APPLIED_LIMIT_S:.0f} s"
            raise ConfigError(faults.CONFIG_TIMEOUT, what, "See the log of careline-cards; is careline-cards.path enabled?")
        await asyncio.sleep(LOOK_S)
        waited_s += LOOK_S


def _with_laws(wanted: CardSetup, device_dir: str) -> CardSetup:
    """Channels whose companding nobody wrote keep the one they have."""
    with Control(device_dir) as control:
        laws = {params.number: LAW_WORDS.get(params.law) for params in control.channels()}
    groups = tuple(msgspec.structs.replace(group, law=group.law or laws.get(channel_numbers(group.channels)[0])) for group in wanted.groups)
    return msgspec.structs.replace(wanted, groups=groups)


def _differs(uses: Mapping[int, Signalling], device_dir: str) -> int:
    """The first channel that is not as it should be, 0 when all are."""
    with Control(device_dir) as control:
        now = {params.number: params.signalling for params in control.channels()}
    return next((number for number, signalling in sorted(uses.items()) if now.get(number) is not signalling), 0)


def found_of(span: SpanRecord, channels: tuple[ChannelParams, ...]) -> SpanFound:
    """The span with its ports, of all `channels` there are."""
    mine = [params for params in channels if params.span == span.number]
    # A dynamic span can be anything, and tells no type: it is what it is used for.
    digital = span.span_type in DIGITAL_SPANS or any(params.signalling in DIGITAL for params in mine)
    ports = tuple(_port(params, digital) for params in mine)
    return SpanFound(
        number=span.number, name=span.name, description=span.description, digital=digital, ports=ports, alarms=alarm_words(span.alarms)
    )


def _port(params: ChannelParams, digital: bool) -> PortFound:
    """Ports of analog cards could be bare channels too; nobody wants that."""
    can = tuple(word.value for word in params.possible if digital or word not in DIGITAL)
    now = params.signalling.value if params.signalling else ""
    return PortFound(number=params.number, timeslot=params.timeslot, name=params.name, can=can or ((now,) if now else ()), now=now)
