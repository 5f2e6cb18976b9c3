"""Our configuration of the cards as structs, written as system.conf and applied by the kernel's own tool, dahdi_cfg.

Writing is pure but for one file; applying runs a program and may take seconds, so never call it on the event loop. Not
thread-safe. Source: system.conf(5) of dahdi-tools.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal

import msgspec

from drivers.dahdi import faults
from drivers.dahdi.places import SpanPlace
from drivers.errors import ConfigError
from drivers.io import Signalling

APPLY_LIMIT_S = 60.0
HIGHEST_CHANNEL = 1024
_HEAD = "# Written by Careline from its configuration; changes made here are lost."


class SpanLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A digital span as wired. `timing` 0: no clock source, 1: first choice; `line_build_out` 0 for cables under 40 m."""

    number: int
    timing: int = 1
    line_build_out: int = 0
    framing: Literal["ccs", "cas", "d4", "esf"] = "ccs"
    coding: Literal["hdb3", "ami", "b8zs"] = "hdb3"
    crc4: bool = True
    yellow: bool = False


class DynamicSpan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span without a card: driver "loc" (two of them wired together, address "KEY:ID") or "eth" (TDM over Ethernet)."""

    driver: Literal["loc", "eth"]
    address: str
    channels: int
    timing: int = 0


class ChannelGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Channels that are set up alike. `channels` as "1-15,17-31"; `idle_bits` (ABCD) for CAS only; law None: the span's own."""

    channels: str
    signalling: Signalling
    law: Literal["alaw", "mulaw"] | None = None
    echo_canceller: str | None = None
    idle_bits: str = "1101"


class CardSetup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything system.conf says, and where the spans of each card are counted (`places`, see places.py; cards it does not name keep the
    numbers they got first). The default zone is the first one; zones give ring cadence and tones."""

    spans: tuple[SpanLine, ...] = ()
    dynamic_spans: tuple[DynamicSpan, ...] = ()
    groups: tuple[ChannelGroup, ...] = ()
    zones: tuple[str, ...] = ("cn",)
    places: tuple[SpanPlace, ...] = ()


def channel_numbers(text: str) -> tuple[int, ...]:
    """Numbers of "1-15,17-31". Raises: ConfigError LIN-113."""
    numbers: list[int] = []
    for part in text.split(","):
        bounds = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if bounds is None:
            raise _invalid(f"channels = {text!r}: {part.strip()!r} is no channel or range", "Write it like 1-15,17-31")
        first = int(bounds[1])
        last = int(bounds[2] or first)
        if not 1 <= first <= last <= HIGHEST_CHANNEL:
            raise _invalid(f"channels = {text!r}: {part.strip()!r} is out of order or range", "Use 1 to 1024")
        numbers += range(first, last + 1)
    return tuple(numbers)


def channel_text(numbers: Iterable[int]) -> str:
    """The shortest "1-15,17-31" for these numbers."""
    runs = groupby(enumerate(sorted(numbers)), key=lambda pair: pair[1] - pair[0])
    return ",".join(_run_text([number for _, number in run]) for _, run in runs)


def check(setup: CardSetup) -> None:
    """Refuse what dahdi_cfg would refuse or quietly do wrong. Raises: ConfigError LIN-113."""
    _check_no_channel_twice(setup)
    _check_bits(setup)
    if not setup.zones:
        raise _invalid("zones is empty", "Name at least one tone zone, such as cn")
    numbers = [span.number for span in setup.spans]
    if len(set(numbers)) != len(numbers):
        raise _invalid(f"spans = {numbers}: a span is there twice", "Give each span one entry")
    _check_places(setup)


def render(setup: CardSetup) -> str:
    """Text of system.conf, in the order dahdi_cfg wants: spans, channels, law, echo cancellers, zones."""
    check(setup)
    return "\n".join([_HEAD, *_lines(setup), ""])


def write(setup: CardSetup, path: Path) -> None:
    """Write system.conf so that a power cut leaves the old or the new one. Raises: ConfigError LIN-113, LIN-119."""
    text = render(setup)
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(
            faults.CONFIG_UNWRITABLE, f"cannot write {path}: {error.strerror}", "Check its folder, rights and free space"
        ) from error


def keep_own(path: Path) -> None:
    """A system.conf that somebody else wrote is kept beside ours. Raises: ConfigError LIN-119."""
    if path.exists() and not _is_ours(path):
        _copy(path, _own(path))


def bring_back_own(path: Path) -> None:
    """What `keep_own` kept is the system.conf again. Raises: ConfigError LIN-119."""
    if _is_ours(path) and _own(path).exists():
        _copy(_own(path), path)


def _own(path: Path) -> Path:
    return path.with_name(path.name + ".own")


def _is_ours(path: Path) -> bool:
    return path.read_text(errors="replace").startswith(_HEAD)


def _copy(source: Path, target: Path) -> None:
    fresh = target.with_name(target.name + ".new")
    try:
        fresh.write_bytes(source.read_bytes())
        fresh.replace(target)
    except OSError as error:
        raise ConfigError(
            faults.CONFIG_UNWRITABLE, f"cannot write {target}: {error.strerror}", "Check its folder, rights and free space"
        ) from error


def apply(path: Path, existing: frozenset[str] = frozenset(), program: str = "dahdi_cfg", limit_s: float = APPLY_LIMIT_S) -> None:
    """Configure the kernel from that file; quick when nothing changed. Needs root.

    `existing`: names of the spans there are, such as "DYN/loc/1:0"; dahdi_cfg would refuse to make a dynamic span again.
    Raises: ConfigError LIN-110 (with the line refused), LIN-111 (no dahdi_cfg), LIN-112 (too slow).
    """
    text = path.read_text()
    try:
        done = subprocess.run(
            [program, "-c", "-"],
            input=_without_existing(text, existing),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise ConfigError(faults.CONFIG_TOOL_MISSING, f"{program} is not installed", "Install the package dahdi") from error
    except subprocess.TimeoutExpired as error:
        what = f"{program} was not done within {limit_s:.0f} s"
        raise ConfigError(faults.CONFIG_TIMEOUT, what, "See the kernel log (dmesg); a card may hang") from error
    if done.returncode != 0:
        raise refusal(text, done.stdout + done.stderr)


def refusal(text: str, messages: str) -> ConfigError:
    """dahdi_cfg's complaint as an error that shows the line of `text` it is about, and what to do."""
    said = (line.strip() for line in messages.splitlines())
    complaint = next((line for line in said if line and not line.startswith("Notice:")), "no message")
    line = _line_complained_of(text, complaint)
    where = f" at '{line}'" if line else ""
    return ConfigError(faults.CONFIG_REFUSED, f"dahdi_cfg refused the card setup{where}: {complaint}", _remedy(complaint))


_REMEDIES = (
    (r"mutex|master device", "Run it as root, with the DAHDI modules loaded and /dev/shm mounted"),
    (r"SPANCONFIG failed", "That span is not there: check the cards (dahdi_scan) and the span numbers"),
    (
        r"dynamic span creation",
        "Load dahdi_dynamic and the module of its driver (dahdi_dynamic_loc, dahdi_dynamic_eth)",
    ),
    (
        r"CHANCONFIG failed",
        "The port at that channel cannot do this signalling, or there is no such channel (dahdi_scan)",
    ),
    (r"ATTACH_ECHOCAN", "Load the echo canceller's module (dahdi_echocan_mg2) or take it out of the setup"),
    (r"already configured", "Name each channel once"),
    (r"Unknown keyword", f"Signalling is one of {', '.join(Signalling)}; for other words see system.conf's manual"),
    (r"Syntax error", "Write channels and ranges as in 1-15,17-31"),
    (r"CAS Signalling requires", "Write the idle bits ABCD behind the channels, as in cas=1-15,17-31:1101"),
    (r"tone zone", "Use a zone libtonezone knows, such as cn"),
)


def _without_existing(text: str, existing: frozenset[str]) -> str:
    # The lines become comments, so that line numbers in complaints stay true.
    return "\n".join(f"# {line}" if _dynamic_name(line) in existing else line for line in text.splitlines()) + "\n"


def _dynamic_name(line: str) -> str:
    keyword, _, value = line.partition("=")
    fields = value.split(",")
    return f"DYN/{fields[0]}/{fields[1]}" if keyword == "dynamic" and len(fields) > 1 else ""


def _remedy(complaint: str) -> str:
    found = (remedy for pattern, remedy in _REMEDIES if re.search(pattern, complaint))
    return next(found, "Correct the card setup, or see system.conf's manual")


def _line_complained_of(text: str, complaint: str) -> str:
    if numbered := re.match(r"[Ll]ine (\d+)", complaint):
        return _line_numbered(text, int(numbered[1]))
    if channel := re.search(r"on channel (\d+)", complaint):
        return _line_of_channel(text, int(channel[1]), "echocanceller" if "ECHOCAN" in complaint else "")
    return ""


def _line_numbered(text: str, number: int) -> str:
    # Line 0 is dahdi_cfg's way to say that the fault is not in the file.
    lines = text.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def _line_of_channel(text: str, channel: int, wanted: str) -> str:
    for line in text.splitlines():
        keyword, _, value = line.partition("=")
        if wanted == keyword and channel in channel_numbers(value.partition(",")[2]):
            return line
        if not wanted and keyword in set(Signalling) and channel in channel_numbers(value.partition(":")[0]):
            return line
    return ""


def _lines(setup: CardSetup) -> Iterator[str]:
    yield from map(_span_text, setup.spans)
    for dynamic in setup.dynamic_spans:
        yield f"dynamic={dynamic.driver},{dynamic.address},{dynamic.channels},{dynamic.timing}"
    for group in setup.groups:
        bits = f":{group.idle_bits}" if group.signalling is Signalling.CAS else ""
        yield f"{group.signalling}={_channels(group)}{bits}"
    for group in setup.groups:
        if group.law is not None:
            yield f"{group.law}={_channels(group)}"
    for group in setup.groups:
        if group.echo_canceller is not None:
            yield f"echocanceller={group.echo_canceller},{_channels(group)}"
    for zone in setup.zones:
        yield f"loadzone={zone}"
    yield f"defaultzone={setup.zones[0]}"


def _span_text(span: SpanLine) -> str:
    flags = [name for name, on in (("crc4", span.crc4), ("yellow", span.yellow)) if on]
    fields = [span.number, span.timing, span.line_build_out, span.framing, span.coding, *flags]
    return "span=" + ",".join(map(str, fields))


def _channels(group: ChannelGroup) -> str:
    return channel_text(channel_numbers(group.channels))


def _run_text(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"


def _check_no_channel_twice(setup: CardSetup) -> None:
    seen: dict[int, ChannelGroup] = {}
    for group in setup.groups:
        for number in channel_numbers(group.channels):
            if number in seen:
                what = f"channel {number} is in {seen[number].channels!r} and in {group.channels!r}"
                raise _invalid(what, "Put each channel into one group")
            seen[number] = group


def _check_places(setup: CardSetup) -> None:
    seen: set[object] = set()
    for place in sorted(setup.places, key=lambda place: place.span):
        for mark in (place.span, (place.card, place.local)):
            if mark in seen:
                raise _invalid(f"places: span {place.span} or span {place.local} of {place.card} is there twice", "Give each one place")
            seen.add(mark)
    firsts = [place.first_channel for place in sorted(setup.places, key=lambda place: place.span)]
    if firsts != sorted(set(firsts)) or any(place.span < 1 or place.first_channel < 1 for place in setup.places):
        raise _invalid("places: first_channel does not grow with span", "Larger span numbers have larger channels, both from 1")


def _check_bits(setup: CardSetup) -> None:
    for group in setup.groups:
        if group.signalling is Signalling.CAS and not re.fullmatch("[01]{4}", group.idle_bits):
            raise _invalid(f"idle_bits = {group.idle_bits!r}", "Write the idle bits ABCD, such as 1101")


def _invalid(what: str, remedy: str) -> ConfigError:
    return ConfigError(faults.CONFIG_INVALID, f"card setup: {what}", remedy)
