"""What the box wrote down about calls, compared with what the exchange knows. Guest only, in the scenario's process."""

import asyncio
import shutil
import time
from pathlib import Path
from typing import Protocol

from tests.lab import product
from tests.lab.guest import GUEST_SHARE
from tests.lab.product import Cdr
from tests.lab.sound import lacking, samples_of

CDR_WAIT_S = 30.0
LATE_MS = 3000  # a hang-up by the box is told 1.26 s late, and the guest is slow
STALLS = 3  # of the emulated card, when the host is very busy
DRIFT = 0.04  # the card's clock against the guest's, under emulation


class Watched(Protocol):
    """A call's times by the exchange's watch, in epoch seconds."""

    @property
    def rung_at_s(self) -> float: ...

    @property
    def ended_at_s(self) -> float: ...


def check_duration(line: Watched, record: Cdr) -> None:
    """The record's length against the exchange's own watch."""
    watched_ms = (line.ended_at_s - line.rung_at_s) * 1000
    assert abs(record.duration_ms - watched_ms) < LATE_MS, f"{record}: the exchange says {watched_ms:.0f} ms"


def check_recording(record: Cdr, said: bytes = b"", heard: bytes = b"") -> None:
    """The call's stereo file: complete, with this on the caller's side and that on ours."""
    path, samples, lost, error = product.recording(record.call_id)
    both = samples_of(path)
    assert (lost, error) == (0, ""), f"{record.call_id}: lost {lost} samples, {error!r}"
    assert len(both) == 2 * samples, f"{path}: {len(both)} bytes, the record says {samples} samples"
    talk_ms, slack_ms = (record.ended_s - record.answered_s) * 1000, LATE_MS / 2 + DRIFT * record.duration_ms
    # A call offered while no call agent is there is recorded from when one takes it, which is before it is answered.
    whole = talk_ms - slack_ms < samples / 8 < record.duration_ms + slack_ms
    assert whole, f"{path}: {samples} samples, talked {talk_ms:.0f} ms of {record.duration_ms} ms"
    wrong = lacking(said, both[::2], STALLS), lacking(heard, both[1::2], STALLS)
    assert wrong == ("", ""), f"{_kept(path)}: of the caller's side {wrong[0] or 'nothing'}, of ours {wrong[1] or 'nothing'}"


def _kept(path: Path) -> Path:
    """A file that is not as it should be, copied out of the guest to be looked at (`--keep`)."""
    shutil.copy(path, GUEST_SHARE)
    return path


async def finished_records(since_s: float, count: int, channel: int | None = None) -> list[Cdr]:
    """Wait until that many records (of calls that came on `channel`) are there and complete. Raises: AssertionError with what is there."""
    deadline_s = time.monotonic() + CDR_WAIT_S
    while True:
        records = [record for record in product.cdrs(since_s) if channel in (None, record.channel)]
        if len(records) == count and all(record.ended_s for record in records):
            return records
        open_ones = [record for record in records if not record.ended_s]
        assert time.monotonic() < deadline_s, f"{len(records)} records, {count} expected; unfinished: {open_ones}"
        await asyncio.sleep(0.3)
