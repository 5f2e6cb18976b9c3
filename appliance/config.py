"""Configuration of the call agent: `[paths]`, `[calls]` and `[hospital]` of careline.toml. `[lines]` belongs to the line
server, `[web]` to the web; both are taken as they are. Pure but for reading the file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from appliance.calendar import Calendar, CalendarConfig
from appliance.console.settings import ConsoleConfig
from appliance.health.config import HealthConfig
from appliance.hospital.complaints.rules import ComplaintRules
from appliance.hospital.dispatch.limits import DispatchLimits
from appliance.hospital.four_eyes import FourEyes
from appliance.peripherals import config as peripherals
from appliance.peripherals.config import SmdiConfig, SmdrConfig, SmsConfig
from appliance.routing import Route
from appliance.system.network.places import NetworkConfig
from drivers import settings
from drivers.errors import ConfigError
from drivers.settings import Paths

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
DIALLED = set("0123456789*#ABCDw")


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a caller is transferred to: a free set of a group, exactly one channel, or `number` dialled through a trunk group.

    ring_ms: how long it may ring, dialling included. how: joined here ("bridge"), or by the switch the lines belong to: by hook flash and
    digits ("flash", then group and channel mean nothing), or asked to join both calls ("switch", ISDN; if it does not, here).
    """

    group: str = "sets"
    channel: int | None = None
    number: str = ""
    ring_ms: int = 25_000
    how: Literal["bridge", "flash", "switch"] = "bridge"

    @property
    def label(self) -> str:
        """To whom, as records show it: the number that is dialled, else the group ("sets"), else the channel ("sets/5")."""
        return self.number or (self.group if self.channel is None else f"{self.group}/{self.channel}")


class CallsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Section `[calls]`.

    first_key_ms: silence after a menu before "are you still there"; still_there_ms: silence after that before it
    counts as a try. attempts: tries of a menu before it gives up. message_*: limits of a caller's message.
    talk_limit_min, call_limit_min: a call that nobody ends is ended. extension_ring_ms: how long a number dialled at a set may
    ring. record: which calls are recorded; record_hold: also while the caller is on hold. message_lamps: extensions that show when
    callers' messages wait to be heard.
    call_waiting: a number dialled whose set is taken beeps there; a flash switches.
    """

    language: Language = "zh"
    routes: tuple[Route, ...] = ()
    operator: Destination = Destination()
    first_key_ms: int = 6_000
    still_there_ms: int = 5_000
    attempts: int = 3
    message_max_ms: int = 120_000
    message_silence_ms: int = 5_000
    message_min_ms: int = 1_500
    message_attempts: int = 3
    talk_limit_min: int = 240
    call_limit_min: int = 360
    extension_ring_ms: int = 60_000
    message_lamps: tuple[str, ...] = ()
    call_waiting: bool = True
    record_hold: bool = True
    record: tuple[Literal["inbound", "outbound", "internal"], ...] = ("inbound", "outbound", "internal")


class HospitalConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Section `[hospital]`. sponsored: callers are offered sponsored items, said to be such. day_end: when, after midnight, a day is over
    and who did not come has lost the booking; later than clocks are ever wrong.
    card_wrong_passwords: a card is locked at so many wrong passwords, from whatever lines. vip_by_caller_id: a number that can be forged
    (told by an analogue line, or by the caller's own equipment) puts a VIP through as well; it never opens an account.
    """

    name_zh: str = "示范医院"
    name_en: str = "Careline Demo Hospital"
    card_wrong_passwords: int = 3
    vip_by_caller_id: bool = True
    calendar: CalendarConfig = CalendarConfig()
    complaints: ComplaintRules = ComplaintRules()
    dispatch: DispatchLimits = DispatchLimits()
    four_eyes: FourEyes = FourEyes()
    sponsored: bool = False
    day_end: Annotated[str, msgspec.Meta(pattern=r"^(0\d|1[01]):[0-5]\d$")] = "01:30"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file as the call agent sees it."""

    paths: Paths = Paths()
    lines: dict[str, Any] = {}
    calls: CallsConfig = CallsConfig()
    hospital: HospitalConfig = HospitalConfig()
    network: NetworkConfig = NetworkConfig()
    sms: SmsConfig = SmsConfig()
    smdr: SmdrConfig = SmdrConfig()
    smdi: SmdiConfig = SmdiConfig()
    console: ConsoleConfig = ConsoleConfig()
    health: HealthConfig = HealthConfig()
    web: dict[str, Any] = {}


def load(path: Path) -> Config:
    """Read and check `path`.

    Raises: ConfigError CFG-001..004 (see drivers.settings), CFG-050, CFG-051 (calendar), CFG-052 (a number out of
    range), CFG-053 (two routes of one name), CFG-056 (a number that cannot be dialled), CFG-090 to CFG-093 (peripherals).
    """
    config = settings.load(path, Config)
    check(config, str(path))
    return config


def check(config: Config, file: str = "careline.toml") -> None:
    """What the types alone cannot say. Raises: the first of `faults`."""
    for fault in faults(config, file):
        raise fault


def faults(config: Config, file: str = "careline.toml") -> Iterator[ConfigError]:
    """What is wrong with each part by itself, of each the first: CFG-050 to CFG-053, CFG-056."""
    for part in (_check_calendar, _check_ranges, _check_routes, _check_operator, _check_peripherals):
        try:
            part(config, file)
        except ConfigError as error:
            yield error


def _check_calendar(config: Config, file: str) -> None:
    try:
        Calendar(config.hospital.calendar)
    except ConfigError as error:
        raise ConfigError(error.code, f"{file}: {error.what}", error.remedy) from error


def _check_ranges(config: Config, file: str) -> None:
    calls = config.calls
    limits = (
        ("calls.first_key_ms", calls.first_key_ms, 1_000, 60_000),
        ("calls.still_there_ms", calls.still_there_ms, 1_000, 60_000),
        ("calls.attempts", calls.attempts, 1, 10),
        ("calls.message_max_ms", calls.message_max_ms, 5_000, 3_600_000),
        ("calls.message_silence_ms", calls.message_silence_ms, 1_000, 60_000),
        ("calls.message_min_ms", calls.message_min_ms, 0, 60_000),
        ("calls.message_attempts", calls.message_attempts, 1, 10),
        ("calls.operator.ring_ms", calls.operator.ring_ms, 5_000, 300_000),
        ("calls.extension_ring_ms", calls.extension_ring_ms, 5_000, 300_000),
        ("calls.talk_limit_min", calls.talk_limit_min, 1, 1_440),
        ("calls.call_limit_min", calls.call_limit_min, 1, 1_440),
        ("hospital.card_wrong_passwords", config.hospital.card_wrong_passwords, 1, 10),
        ("hospital.complaints.days", config.hospital.complaints.days, 0, 365),
        *((f"hospital.dispatch.{name}", value, 1, 86_400) for name, value in msgspec.structs.asdict(config.hospital.dispatch).items()),
    )
    settings.check_ranges(f"{file}: ", limits, "CFG-052")


def _check_operator(config: Config, file: str) -> None:
    number = config.calls.operator.number
    if not set(number) <= DIALLED:
        remedy = "Digits, * and # are dialled, w waits 500 ms; nothing between them"
        raise ConfigError("CFG-056", f"{file}: calls.operator.number = {number!r}", remedy)


def _check_routes(config: Config, file: str) -> None:
    seen: set[str] = set()
    for place, route in enumerate(config.calls.routes):
        if not route.name or route.name in seen:
            raise ConfigError("CFG-053", f"{file}: calls.routes[{place}].name = {route.name!r}", "Give every route a name of its own")
        seen.add(route.name)


def _check_peripherals(config: Config, file: str) -> None:
    peripherals.check(config.sms, config.smdr, config.smdi, file)
