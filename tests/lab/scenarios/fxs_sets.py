"""Telephone sets on the kernel's FXS ports: they dial each other and out, are told who calls, are left off-hook, worn as headsets.

The sets are the FXO ends of a loopback span (53-56, extensions 8001-8004 of the box; 8004 is a headset).
"""

import asyncio
import time
from pathlib import Path

from drivers.io import Hook, LineEvent
from drivers.media import Tone
from drivers.protocol import Presentation
from tests.lab import product
from tests.lab.exchange import Exchange, FarEnd, Line, Phone
from tests.lab.product import box
from tests.lab.records import check_recording, finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import noise_file

FOLDER = Path("/tmp/sets")
SPEECH_MS = 3000
OUTSIDE = "13800138000"
FLUSHED_S = 1.0
BURST_SLACK_MS = 120  # events are polled and the guest is slow
MORE = """
[lines.sets]
first_digit_ms = 6000
busy_tone_ms = 6000
howler_ms = 6000

[[lines.sets.ports]]
channels = "52"
mode = "headset"
"""


@scenario(limit_s=900)
def sets(report: Report) -> None:
    """All of it, one after another, on one box."""
    with box(MORE) as running:
        asyncio.run(_sets(report))
        assert not running.legs(), running.legs()


async def _sets(report: Report) -> None:
    async with Exchange(product.EXCHANGE_LINES[:1], product.PHONES, FOLDER) as exchange:
        for step in (_call_each_other, _dial_by_pulses, _wrong_number, _dial_out, _flash, _left_off_hook, _headset):
            began_s = time.monotonic()
            await step(report, exchange)
            report.remark(f"{step.__name__.strip('_')} {time.monotonic() - began_s:.0f} s")


async def _call_each_other(report: Report, exchange: Exchange) -> None:
    """Dial tone, number, ring in its cadence, caller id in the pause, talk, record."""
    one, two = exchange.phones[:2]
    began_s = time.time()
    one.detect()
    two.io.attach(two.port)
    two.detect()
    await one.lift()
    await one.until("dial tone", lambda: Tone.DIAL in one.tones)
    since = len(two.seen)
    await one.press("8002")
    await two.event(LineEvent.RINGBEGIN, since)
    await two.until("caller id", lambda: bool(two.callers))
    caller = two.callers[0]
    assert (caller.number, caller.presentation) == ("8001", Presentation.ALLOWED), caller
    await asyncio.sleep(5)
    bursts_ms = _bursts_ms(two, since)
    report.remark(f"bursts {bursts_ms}")
    assert all(abs(burst - 400) < BURST_SLACK_MS for burst in bursts_ms[:4]), bursts_ms
    assert Tone.RINGBACK in one.tones, one.tones
    two.listen()
    await two.hook(Hook.OFF)
    await asyncio.sleep(2)
    said = await _talk(one, two)
    await two.rest()
    await one.event(LineEvent.ONHOOK, since=0)
    await one.rest()
    (record,) = await finished_records(began_s, 1)
    found = (record.channel, record.operator_channel, record.outcome, record.ended_by)
    assert found == (product.SETS[0], product.SETS[1], "operator", "operator"), record
    check_recording(record, said=said[one], heard=said[two])
    report.figure("internal_calls_right", 1)


def _bursts_ms(phone: Phone, since: int) -> list[int]:
    """Lengths of the ring bursts: a burst's end is told 50 ms late."""
    begins = [seen.at_s for seen in phone.seen[since:] if seen.event is LineEvent.RINGBEGIN]
    ends = [seen.at_s for seen in phone.seen[since:] if seen.event is LineEvent.RINGOFFHOOK]
    return [round((end - begin) * 1000) - 50 for begin, end in zip(begins, ends, strict=False)]


async def _talk(one: FarEnd, two: FarEnd) -> dict[FarEnd, bytes]:
    """Each speaks in turn and is heard by the other, sample for sample."""
    said: dict[FarEnd, bytes] = {}
    for speaker, listener in ((one, two), (two, one)):
        path = FOLDER / f"say-{speaker.number}.wav"
        said[speaker] = noise_file(path, speaker.number, SPEECH_MS)
        await speaker.speak(path)
        await listener.hears(said[speaker])
        await asyncio.sleep(FLUSHED_S)
        assert listener.ear is not None
        wrong = listener.ear.lacking(said[speaker])
        assert not wrong, f"{listener.number} did not hear all that {speaker.number} said: {wrong}"
    return said


async def _dial_by_pulses(report: Report, exchange: Exchange) -> None:
    """The kernel counts the pulses of the set."""
    one, two = exchange.phones[:2]
    await one.lift()
    since = len(two.seen)
    one.io.dial_pulses("8002")
    await two.event(LineEvent.RINGBEGIN, since)
    await one.rest()
    await asyncio.sleep(3)
    report.figure("pulse_calls_right", 1)


async def _wrong_number(report: Report, exchange: Exchange) -> None:
    one = exchange.phones[0]
    one.tones.clear()
    await one.lift()
    await one.press("7")
    await one.until("congestion tone", lambda: Tone.CONGESTION in one.tones)
    await one.rest()


async def _dial_out(report: Report, exchange: Exchange) -> None:
    """Through a line of the exchange, which hears the number without the access code."""
    one, line = exchange.phones[0], exchange.lines[0]
    began_s = time.time()
    await line.quiet()
    line.detect()
    await one.lift()
    since = len(line.seen)
    await one.press(f"9{OUTSIDE}")
    await line.event(LineEvent.RINGOFFHOOK, since)
    line.io.attach(line.port)
    line.listen()
    await line.hook(Hook.OFF)
    await line.until("number", lambda: line.keys == OUTSIDE)
    await asyncio.sleep(12)  # no tone at all for 8 s counts as an answer
    said = await _talk(one, line)
    await _hang_up_out(one, line)
    (record,) = await finished_records(began_s, 1)
    assert (record.outcome, record.ended_by, record.operator_channel) == ("operator", "caller", product.LINES[0]), record
    check_recording(record, said=said[one], heard=said[line])
    report.figure("outgoing_calls_right", 1)


async def _hang_up_out(one: Phone, line: Line) -> None:
    since = len(line.seen)
    await one.rest()
    await line.event(LineEvent.ONHOOK, since)
    await line.rest()


async def _flash(report: Report, exchange: Exchange) -> None:
    """A flash of the hook is no hang-up but gives dial tone for a third, to whom the call is handed over; a longer opening is a hang-up."""
    one, two, three = exchange.phones[:3]
    await one.lift()
    await one.press("8002")
    await two.answer()
    await asyncio.sleep(2)
    since = len(one.seen)
    two.detect()
    two.tones.clear()
    await two.hook(Hook.FLASH)  # 750 ms
    await two.until("dial tone", lambda: Tone.DIAL in two.tones)
    assert not one.saw(LineEvent.ONHOOK, since), one.story()
    await two.press("8003")
    await three.answer()
    await asyncio.sleep(3)
    await _talk(two, three)
    await two.rest()
    await asyncio.sleep(4)
    await _talk(one, three)
    report.figure("calls_handed_over", 1)
    await one.hook(Hook.ON)
    await asyncio.sleep(1.15)
    await one.hook(Hook.OFF)
    await three.event(LineEvent.ONHOOK, since=0)
    for phone in (one, three):
        await phone.rest()
    await asyncio.sleep(3)


async def _left_off_hook(report: Report, exchange: Exchange) -> None:
    """Dial tone, busy tone, howler, silence; put down it is well again."""
    one = exchange.phones[0]
    one.tones.clear()
    ear = await one.lift()
    await asyncio.sleep(6 + 6 + 6 + 4)
    assert one.tones[:2] == [Tone.DIAL, Tone.BUSY], one.tones
    assert "LIN-090" in product.Box.log("lines").read_text(), "the set left off-hook was not told of"
    assert set(ear.heard()[-8000:-1600]) == {0xD5}, "a parked set is silent"
    await one.rest()
    await asyncio.sleep(3)
    one.tones.clear()
    await one.lift()
    await one.until("dial tone", lambda: Tone.DIAL in one.tones)
    await one.rest()


async def _headset(report: Report, exchange: Exchange) -> None:
    """8004: lifted it is silent, a call arrives by a beep and is answered at once; after it the headset is still connected."""
    one, headset = exchange.phones[0], exchange.phones[3]
    headset.detect()
    for count in range(2):
        ear = await headset.lift() if not count else headset.listen()
        await one.lift()
        silent = len(ear.heard())
        await one.press("8004")
        await asyncio.sleep(4)
        assert set(ear.heard()[silent:]) > {0xD5}, "no beep"
        await _talk(one, headset)
        since = len(headset.seen)
        await one.rest()
        await asyncio.sleep(3)
        assert not headset.saw(LineEvent.ONHOOK, since), headset.story()
    assert not headset.tones, headset.tones
    await headset.rest()
    await one.lift()
    one.tones.clear()
    await one.press("8004")
    await one.until("busy tone", lambda: Tone.BUSY in one.tones)
    await one.rest()
    report.figure("headset_calls_right", 2)
