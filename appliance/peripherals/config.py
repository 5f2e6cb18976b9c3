"""The sections `[sms]`, `[smdr]` and `[smdi]` of careline.toml, all off without a device. Pure."""

import re
from datetime import time
from typing import Annotated, Literal

import msgspec

from drivers.errors import ConfigError
from drivers.modem.finding import is_device
from drivers.smdi import is_station
from drivers.smdr.models import MODELS
from drivers.smdr.table import Table, fault_of
from drivers.smdr.where import Flow, Framing, Where, address_of

QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


class SmsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`[sms]`. device: "/dev/serial/by-id/…" or "usb:12d1:1001/02"; empty: no text messages. pin_file: its first line is the SIM's PIN.
    memory: where the modem keeps what arrives. per_minute, per_day: most parts sent. quiet: "21:30-07:30", when only urgent ones go.
    parts_most: a longer text is not sent. attempts: of a part that the network refuses for now. valid_h: an older message is not sent.
    """

    device: str = ""
    baud: Annotated[int, msgspec.Meta(ge=1200, le=921_600)] = 115_200
    rtscts: bool = False
    memory: Literal["SM", "ME", "MT"] = "SM"
    pin_file: str = ""
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=60)] = 10
    per_day: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 500
    quiet: str = ""
    parts_most: Annotated[int, msgspec.Meta(ge=1, le=20)] = 8
    attempts: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5
    valid_h: Annotated[int, msgspec.Meta(ge=1, le=720)] = 48

    @property
    def quiet_hours(self) -> tuple[time, time] | None:
        """When only urgent messages go: from, until."""
        found = QUIET.fullmatch(self.quiet)
        return (time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))) if found else None


class RecordSource(msgspec.Struct, frozen=True, kw_only=True):
    """`[[smdr.sources]]`: a switch whose call records are kept. One of device, listen (host:port, the switch calls us) and connect (we call
    it). table: of MODELS or `[[smdr.tables]]`. encoding: of its lines."""

    name: str
    table: str
    device: str = ""
    baud: Annotated[int, msgspec.Meta(ge=300, le=115_200)] = 9_600
    framing: Framing = "8N1"
    flow: Flow = "none"
    listen: str = ""
    connect: str = ""
    encoding: Literal["latin-1", "utf-8", "gb18030"] = "latin-1"

    @property
    def where(self) -> Where:
        return _where(self)


class SmdrConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`[smdr]`."""

    sources: tuple[RecordSource, ...] = ()
    tables: tuple[Table, ...] = ()

    def table(self, name: str) -> Table | None:
        """One of careline.toml goes before ours of the same name."""
        return next((table for table in self.tables if table.name == name), MODELS.get(name))


class SmdiConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`[smdi]`. message_lamps: stations of the switch whose lamps show that callers' messages wait to be heard."""

    device: str = ""
    baud: Annotated[int, msgspec.Meta(ge=300, le=115_200)] = 9_600
    framing: Framing = "7E1"
    flow: Flow = "none"
    listen: str = ""
    connect: str = ""
    message_lamps: tuple[str, ...] = ()

    @property
    def where(self) -> Where:
        return _where(self)

    @property
    def is_on(self) -> bool:
        return bool(self.device or self.listen or self.connect)


def called_at(section: RecordSource | SmdiConfig) -> tuple[str, int] | None:
    """Host and port at which the switch calls us; None when it does not."""
    return address_of(section.listen)


def _where(section: RecordSource | SmdiConfig) -> Where:
    return Where(
        device=section.device,
        baud=section.baud,
        framing=section.framing,
        flow=section.flow,
        listen=section.listen,
        connect=section.connect,
    )


def check(sms: SmsConfig, smdr: SmdrConfig, smdi: SmdiConfig, file: str) -> None:
    """Raises: ConfigError CFG-090 to CFG-093."""
    _check_sms(sms, file)
    names = [source.name for source in smdr.sources]
    for place, source in enumerate(smdr.sources):
        where = f"{file}: smdr.sources[{place}]"
        if not NAME.fullmatch(source.name) or names.count(source.name) > 1:
            raise ConfigError("CFG-091", f"{where}.name = {source.name!r}", "Give each a name of its own: letters, digits, - and _")
        if smdr.table(source.table) is None:
            there = ", ".join(sorted({*MODELS, *(table.name for table in smdr.tables)}))
            raise ConfigError("CFG-091", f"{where}.table = {source.table!r} is none", f"There are: {there}")
        _check_where(source.where, where)
    for place, table in enumerate(smdr.tables):
        if fault := fault_of(table):
            raise ConfigError("CFG-092", f"{file}: smdr.tables[{place}] ({table.name}): {fault}", "Correct it")
    _check_smdi(smdi, file)


def _check_sms(sms: SmsConfig, file: str) -> None:
    if sms.device and not is_device(sms.device):
        raise ConfigError("CFG-090", f"{file}: sms.device = {sms.device!r}", 'Write "/dev/serial/by-id/…" or "usb:12d1:1001/02"')
    if sms.quiet and sms.quiet_hours is None:
        raise ConfigError("CFG-090", f"{file}: sms.quiet = {sms.quiet!r}", 'Write it as "21:30-07:30"; "" for none')


def _check_smdi(smdi: SmdiConfig, file: str) -> None:
    if smdi.is_on:
        _check_where(smdi.where, f"{file}: smdi")
    wrong = next((station for station in smdi.message_lamps if not is_station(station)), None)
    if wrong is not None:
        raise ConfigError("CFG-093", f"{file}: smdi.message_lamps: {wrong!r} is no station", "Write digits, up to 15")


def _check_where(where: Where, told: str) -> None:
    ways = [way for way in (where.device, where.listen, where.connect) if way]
    if len(ways) != 1:
        raise ConfigError("CFG-091", f"{told} has {len(ways)} of device, listen and connect", "Write exactly one of them")
    if not where.device and address_of(str(where)) is None:
        raise ConfigError("CFG-091", f"{told}: {where} is no address", 'Write "127.0.0.1:5100"')
