"""A hospital's day in a folder: a store with calls, messages, accounts and audits, recordings on disk; and what would be said live.

Everything hangs on one instant, `now`, so that tests see the same day every time.
"""

import math
import shutil
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from appliance.control.messages import Check, Grade, Health, LiveCall
from appliance.events import (
    AnyHappened,
    CallAnswered,
    CallBridged,
    CallerSilent,
    CallFailed,
    CallOffered,
    CallReleased,
    CallRouted,
    DigitPressed,
    KeyRefused,
    LanguageChosen,
    MessageLeft,
    PlaceEntered,
    PromptPlayed,
    RecordingEnded,
    RecordingGapped,
    RecordingStarted,
    TransferAnswered,
    TransferFailed,
    TransferStarted,
)
from appliance.store import accounts
from appliance.store.database import open_store
from appliance.store.models import Account, Audit, CallEvent, CallRecord, Recording, VoiceMessage
from appliance.store.place import StorePlace
from tests.postgresql import toml_of
from tests.web.prepared_hospital import fill_hospital
from tests.web.prepared_lines import found, keep_history, line_tests, lines, setup_told

__all__ = ["found", "line_tests", "lines", "setup_told"]

PASSWORD = "Wisteria-42-lane"
NAMES = {"administrator": "chen", "technician": "liwei", "inspector": "wang"}
NAMES |= {"registrar": "huang", "cashier": "qian", "business": "zhou", "supervisor": "wu"}
STORY_CALL = "20260308-100500-0007"
LIVE_CALL = "20260308-101000-0099"
NUMBERS = ("13800138000", "13911112222", "01065551234", "15822223333", None, "18755556666")
OUTCOMES = ("completed", "message", "operator", "operator_missed", "abandoned", "completed", "operator", "failed")
CALLS = 130


@dataclass(frozen=True)
class Place:
    """A data folder and the configuration file that points to it."""

    root: Path
    config: Path

    @property
    def data_dir(self) -> Path:
        return self.root / "data"

    @property
    def run_dir(self) -> Path:
        return self.root / "run"


def make_place(
    root: Path, port: int = 8080, empty: bool = False, template: Path | None = None, store_place: StorePlace | None = None
) -> Place:
    """Folders, configuration and, copied from `template` if given, the data of a day. `store_place`: the store lies there."""
    place = Place(root, root / "careline.toml")
    place.run_dir.mkdir(parents=True)
    if template:
        shutil.copytree(template, place.data_dir)
    else:
        place.data_dir.mkdir()
    place.config.write_text(
        f'[paths]\nrun_dir = "{place.run_dir}"\ndata_dir = "{place.data_dir}"\n{toml_of(store_place)}'
        f'[web]\nhost = "127.0.0.1"\nport = {port}\n[hospital]\nname_zh = "示范医院"\nname_en = "Careline Demo Hospital"\n'
    )
    if empty:
        open_store(store_place or place.data_dir / "careline.db").close()
    return place


def fill(data_dir: Path, now: datetime, store_place: StorePlace | None = None) -> None:
    """Make the day's store and sounds in `data_dir`; the store elsewhere, if that is given."""
    data_dir.mkdir(parents=True, exist_ok=True)
    database = open_store(store_place or data_dir / "careline.db")
    with database.atomic():
        people = _people(now)
        for number in range(CALLS):
            _short_call(number, now)
        _story(data_dir, now)
        _live_record(now)
        _messages(data_dir, now)
        _audits(people, now)
        keep_history(now)
        fill_hospital(now)
    database.close()


def _people(now: datetime) -> dict[str, Account]:
    made = now - timedelta(days=40)
    hashed = accounts.hashed(PASSWORD)
    people = {role: accounts.create(name, hashed, role, "zh", made) for role, name in NAMES.items()}
    locked = accounts.create("zhao", hashed, "inspector", "zh", made)
    locked.locked_until = now + timedelta(days=3650)
    locked.save()
    gone = accounts.create("sun", hashed, "technician", "en", made)
    gone.disabled = True
    gone.save()
    return people


def _short_call(number: int, now: datetime) -> None:
    started = now - timedelta(minutes=7 * number + 20, seconds=number % 60)
    length_ms = 20_000 + (number * 7919) % 200_000
    answered = OUTCOMES[number % 8] != "abandoned"
    CallRecord.create(
        call_id=f"{started:%Y%m%d-%H%M%S}-{number:04}",
        direction="inbound",
        group="trunk" if number % 3 else "vip",
        channel=1 + number % 8,
        ani=NUMBERS[number % 6],
        dnis="01088886666",
        started_at=started,
        answered_at=started + timedelta(seconds=3) if answered else None,
        ended_at=started + timedelta(milliseconds=length_ms),
        duration_ms=length_ms,
        talk_ms=length_ms - 3000 if answered else 0,
        cause=16,
        ended_by="caller",
        outcome=OUTCOMES[number % 8],
        language="en" if number % 11 == 0 else "zh",
        path="greeting>main_menu",
        digits="1" if number % 2 else "3#",
    )


def story_events(started: datetime) -> list[AnyHappened]:
    """One call with everything in it."""
    call = STORY_CALL
    told: list[tuple[float, type[AnyHappened], dict[str, Any]]] = [
        (0, CallOffered, {"leg": "L7", "group": "trunk", "channel": 3, "direction": "inbound", "ani": NUMBERS[0], "dnis": "01088886666"}),
        (0.1, CallRouted, {"service": "hotline", "rule": "default"}),
        (3.0, CallAnswered, {}),
        (3.0, RecordingStarted, {"recording_id": "R7", "path": "2026/r7.wav", "sides": "both"}),
        (3.1, PlaceEntered, {"place": "main_menu"}),
        (9.5, PromptPlayed, {"prompts": ("greeting", "recording_notice", "main_menu"), "end": "barged"}),
        (9.5, DigitPressed, {"digit": "9", "leg": "L7", "leg_seq": 1}),
        (9.6, LanguageChosen, {"language": "en"}),
        (14.0, DigitPressed, {"digit": "7", "leg": "L7", "leg_seq": 2}),
        (14.0, KeyRefused, {"digit": "7"}),
        (17.0, CallerSilent, {}),
        (18.0, DigitPressed, {"digit": "0", "leg": "L7", "leg_seq": 3}),
        (18.1, TransferStarted, {"leg": "L8", "to": "sets", "group": "sets"}),
        (20.0, TransferFailed, {"leg": "L8", "outcome": "no_answer", "cause": 19}),
        (20.2, TransferStarted, {"leg": "L9", "to": "62345678", "group": "trunk"}),
        (22.0, TransferAnswered, {"leg": "L9", "channel": 21}),
        (22.0, CallBridged, {"leg": "L9", "native": True}),
        (25.0, RecordingGapped, {"recording_id": "R7", "lost_samples": 320, "reason": "slow disk"}),
        (27.0, CallFailed, {"code": "MED-004", "what": "prompt goodbye cannot be read", "remedy": "Run make prompts"}),
        (28.0, MessageLeft, {"reference": "700123", "recording_id": "M1", "path": "2026/m1.wav", "duration_ms": 6500, "language": "en"}),
        (30.0, RecordingEnded, {"recording_id": "R7", "path": "2026/r7.wav", "samples": 216000, "lost_samples": 320}),
        (30.0, CallReleased, {"cause": 16, "ended_by": "caller"}),
    ]
    return [
        kind(call_id=call, seq=seq, at=started + timedelta(seconds=seconds), **fields)
        for seq, (seconds, kind, fields) in enumerate(told, 1)
    ]


def _story(data_dir: Path, now: datetime) -> None:
    started = now - timedelta(minutes=5)
    CallRecord.create(
        call_id=STORY_CALL,
        direction="inbound",
        group="trunk",
        channel=3,
        ani=NUMBERS[0],
        dnis="01088886666",
        started_at=started,
        answered_at=started + timedelta(seconds=3),
        ended_at=started + timedelta(seconds=30),
        duration_ms=30_000,
        talk_ms=27_000,
        cause=16,
        ended_by="caller",
        outcome="operator",
        language="en",
        path="main_menu>operator",
        digits="970",
        operator_channel=21,
        transferred_to="62345678",
        transfer_outcome="answered",
    )
    for event in story_events(started):
        body = msgspec.json.encode(event).decode()
        CallEvent.create(call=STORY_CALL, seq=event.seq, at=event.at, kind=type(event).__name__, body=body)
    recorded = started + timedelta(seconds=3)
    Recording.create(
        recording_id="R7",
        call=STORY_CALL,
        path="2026/r7.wav",
        started_at=recorded,
        ended_at=recorded + timedelta(seconds=27),
        samples=216000,
        lost_samples=320,
    )
    sound = data_dir / "recordings" / "2026" / "r7.wav"
    sound.parent.mkdir(parents=True, exist_ok=True)
    sound.write_bytes(wav(tones(27.0, 1), tones(27.0, 2)))


def _live_record(now: datetime) -> None:
    CallRecord.create(
        call_id=LIVE_CALL,
        direction="inbound",
        group="trunk",
        channel=1,
        ani=NUMBERS[1],
        dnis="01088886666",
        started_at=now - timedelta(seconds=42),
        answered_at=now - timedelta(seconds=39),
    )


def _messages(data_dir: Path, now: datetime) -> None:
    (data_dir / "recordings" / "2026" / "m1.wav").write_bytes(wav(tones(6.5, 1)))
    for number in range(6):
        VoiceMessage.create(
            call=STORY_CALL if number == 0 else f"call-{number}",
            reference=f"{700123 + number}",
            path="2026/m1.wav",
            language="zh" if number % 2 else "en",
            ani=NUMBERS[number % 6],
            left_at=now - timedelta(minutes=5 + 50 * number),
            duration_ms=6500 + 9000 * number,
            heard_at=now - timedelta(minutes=2) if number > 2 else None,
            heard_by="wang" if number > 2 else None,
        )


def _audits(people: dict[str, Account], now: datetime) -> None:
    chen, wang = people["administrator"], people["inspector"]
    lines = (
        (None, "sign_in_refused", "root", "192.168.1.77"),
        (chen, "signed_in", "chen", "192.168.1.20"),
        (chen, "account_created", "wang", "inspector"),
        (wang, "signed_in", "wang", "192.168.1.31"),
        (wang, "listened", f"call {STORY_CALL}", ""),
        (chen, "channel_blocked", "5", ""),
        (chen, "downloaded", f"call {STORY_CALL}", ""),
    )
    for age, (who, action, subject, detail) in enumerate(lines):
        Audit.create(at=now - timedelta(minutes=3 * (len(lines) - age)), account=who, action=action, subject=subject, detail=detail)


# --- what the call agent says live ---


def health(now: datetime, troubled: bool = False) -> Health:
    detail = "41.0 GB of 500.0 GB free below /data"
    disk = Check(name="disk", grade=Grade.WARNING, code="APP-051", detail=detail, remedy="Move old recordings away")
    return Health(
        at=now,
        started_at=now - timedelta(days=3, hours=4),
        checks=(
            Check(name="line_server", grade=Grade.OK),
            Check(name="engine", grade=Grade.OK),
            disk if troubled else Check(name="disk", grade=Grade.OK),
            Check(name="store", grade=Grade.OK),
            Check(name="prompts", grade=Grade.OK),
        ),
        lines_connected=True,
        tick_late_ms_p999=0.42,
        underruns=0,
        disk_free_bytes=41 * 2**30,
        disk_total_bytes=500 * 2**30,
        calls_today=CALLS,
    )


def live_calls(now: datetime) -> list[LiveCall]:
    def call(call_id: str, phase: str, channel: int, ani: str | None, age_s: float, place: str, **more: Any) -> LiveCall:
        started = now - timedelta(seconds=age_s)
        answered = None if phase == "ringing" else started + timedelta(seconds=3)
        known = {"direction": "inbound", "group": "trunk", "dnis": "01088886666", "language": "zh", "digits": ""}
        fields: dict[str, Any] = {**known, **more}
        return LiveCall(
            call_id=call_id, phase=phase, channel=channel, ani=ani, started_at=started, answered_at=answered, place=place, **fields
        )

    return [
        call(LIVE_CALL, "talking", 1, NUMBERS[1], 42, "main_menu", digits="1", recording=True),
        call("live-2", "bridged", 2, NUMBERS[2], 187, "operator", digits="0", recording=True, operator_channel=21),
        call("live-3", "ringing", 4, None, 2, ""),
    ]


# --- sound ---


def tones(seconds: float, seed: int) -> list[int]:
    """Something like syllables: bursts of a rising tone, 16-bit samples at 8000 Hz."""
    samples = []
    for at in range(int(seconds * 8000)):
        t = at / 8000
        envelope = max(0.0, math.sin(2 * math.pi * t * (1.3 + 0.4 * seed))) * max(0.0, math.sin(2 * math.pi * t * 0.11 * seed + seed))
        samples.append(int(12000 * envelope * math.sin(2 * math.pi * t * (200 + 90 * seed))))
    return samples


def alaw(sample: int) -> int:
    """G.711 A-law of a 16-bit sample, written apart from the application's decoder."""
    size, sign = min(abs(sample), 32767) >> 3, 0x80 if sample >= 0 else 0
    segment = max(0, size.bit_length() - 5)
    interval = (size >> 1 if segment == 0 else size >> segment) & 15
    return (sign | segment << 4 | interval) ^ 0x55


def wav(*sides: list[int]) -> bytes:
    """An A-law WAV file, one or two sides."""
    count = len(sides)
    data = bytearray(len(sides[0]) * count)
    for side, samples in enumerate(sides):
        data[side::count] = bytes(alaw(sample) for sample in samples)
    fmt = struct.pack("<HHIIHH", 6, count, 8000, 8000 * count, count, 8)
    head = struct.pack("<4sI8sI", b"RIFF", 36 + len(data), b"WAVEfmt ", 16)
    return head + fmt + struct.pack("<4sI", b"data", len(data)) + bytes(data)
