"""Telephone sets on the kernel's FXS ports: they dial each other and out, are told who calls, are left off-hook, worn as headsets.

All of it at once, each step on sets of its own: the box has one line to the exchange and 12 sets, 8001 to 8012, the last one a headset. The
sets are the FXO ends of a loopback span.
"""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path

from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan
from drivers.io import Hook, LineEvent, Signalling
from drivers.media import Tone
from drivers.protocol import Presentation
from tests.lab.exchange import Exchange, FarEnd, Line, Phone
from tests.lab.fresh_box import fresh_box
from tests.lab.product import Box, Cdr
from tests.lab.records import check_recording, finished_records
from tests.lab.scenario import Report, scenario
from tests.lab.sound import noise_file

LINE, EXCHANGE_LINE = 1, 2
SETS, PHONES = range(3, 15), range(15, 27)
FOLDER = Path("/tmp/sets")
SPEECH_MS = 3000
OUTSIDE = "13800138000"
ASSUMED_S = 8.0  # no tone at all for so long counts as an answer
FLUSHED_S = 1.0
BURST_SLACK_MS = 120  # events are polled and the guest is slow
TONE_S = 6.0
CONFIG_TEXT = f"""
[[lines.groups]]
name = "trunk"
channels = "{LINE}"

[[lines.groups]]
name = "sets"
channels = "{SETS[0]}-{SETS[-1]}"
role = "extension"

[lines.sets]
first_digit_ms = {TONE_S * 1000:.0f}
busy_tone_ms = {TONE_S * 1000:.0f}
howler_ms = {TONE_S * 1000:.0f}

[[lines.sets.ports]]
channels = "{SETS[-1]}"
mode = "headset"
"""


def card_setup() -> CardSetup:
    """Box and far side as four loopback spans, A-law, zone cn."""
    return CardSetup(
        dynamic_spans=(
            DynamicSpan("loc", "1:0", 1),
            DynamicSpan("loc", "1:1", 1),
            DynamicSpan("loc", "2:0", len(SETS)),
            DynamicSpan("loc", "2:1", len(PHONES)),
        ),
        groups=(
            ChannelGroup(str(LINE), Signalling.FXSKS, law="alaw"),
            ChannelGroup(str(EXCHANGE_LINE), Signalling.FXOKS, law="alaw"),
            ChannelGroup(f"{SETS[0]}-{SETS[-1]}", Signalling.FXOKS, law="alaw"),
            ChannelGroup(f"{PHONES[0]}-{PHONES[-1]}", Signalling.FXSKS, law="alaw"),
        ),
    )


@scenario(limit_s=600)
def sets(report: Report) -> None:
    """All of it, at the same time, on one box."""
    with fresh_box(CONFIG_TEXT, card_setup()) as running:
        asyncio.run(_sets(report))
        assert not running.legs(), running.legs()


async def _sets(report: Report) -> None:
    async with Exchange((EXCHANGE_LINE,), PHONES, FOLDER) as exchange, asyncio.TaskGroup() as steps:
        phones = iter(exchange.phones)
        for name, step in {
            "internal call": _call_each_other(report, next(phones), next(phones)),
            "pulses": _dial_by_pulses(report, next(phones), next(phones)),
            "wrong number": _wrong_number(next(phones)),
            "call out": _dial_out(report, next(phones), exchange.lines[0]),
            "flash": _flash(report, next(phones), next(phones), next(phones)),
            "left off-hook": _left_off_hook(next(phones)),
            "headset": _headset(report, next(phones), next(phones)),
        }.items():
            steps.create_task(_timed(report, name, step))


async def _timed(report: Report, name: str, step: Awaitable[None]) -> None:
    began_s = time.monotonic()
    await step
    report.remark(f"{name} {time.monotonic() - began_s:.0f} s")


def _channel_of(phone: Phone) -> int:
    """The box's end of the set's line."""
    return SETS[phone.number - PHONES[0]]


def _number_of(phone: Phone) -> str:
    return str(8001 + phone.number - PHONES[0])


async def _record(phone: Phone, began_s: float) -> Cdr:
    """Of the one call the set has made since then."""
    (record,) = await finished_records(began_s, 1, _channel_of(phone))
    return record


async def _call_each_other(report: Report, one: Phone, two: Phone) -> None:
    """Dial tone, number, ring in its cadence, caller id in the pause, talk, record."""
    began_s = time.time()
    one.detect()
    two.io.attach(two.port)
    two.detect()
    await one.lift()
    await one.until("dial tone", lambda: Tone.DIAL in one.tones)
    since = len(two.seen)
    await one.press(_number_of(two))
    await two.event(LineEvent.RINGBEGIN, since)
    await two.until("caller id", lambda: bool(two.callers))
    caller = two.callers[0]
    assert (caller.number, caller.presentation) == (_number_of(one), Presentation.ALLOWED), caller
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
    record = await _record(one, began_s)
    found = (record.operator_channel, record.outcome, record.ended_by)
    assert found == (_channel_of(two), "operator", "operator"), record
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


async def _dial_by_pulses(report: Report, one: Phone, two: Phone) -> None:
    """The kernel counts the pulses of the set."""
    await one.lift()
    since = len(two.seen)
    one.io.dial_pulses(_number_of(two))
    await two.event(LineEvent.RINGBEGIN, since)
    await one.rest()
    await asyncio.sleep(3)
    report.figure("pulse_calls_right", 1)


async def _wrong_number(one: Phone) -> None:
    one.detect()
    await one.lift()
    await one.press("7")
    await one.until("congestion tone", lambda: Tone.CONGESTION in one.tones)
    await one.rest()


async def _dial_out(report: Report, one: Phone, line: Line) -> None:
    """Through a line of the exchange, which hears the number without the access code."""
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
    await asyncio.sleep(ASSUMED_S + 4)
    said = await _talk(one, line)
    await _hang_up_out(one, line)
    record = await _record(one, began_s)
    assert (record.outcome, record.ended_by, record.operator_channel) == ("operator", "caller", LINE), record
    check_recording(record, said=said[one], heard=said[line])
    report.figure("outgoing_calls_right", 1)


async def _hang_up_out(one: Phone, line: Line) -> None:
    since = len(line.seen)
    await one.rest()
    await line.event(LineEvent.ONHOOK, since)
    await line.rest()


async def _flash(report: Report, one: Phone, two: Phone, three: Phone) -> None:
    """A flash of the hook is no hang-up but gives dial tone for a third, to whom the call is handed over; a longer opening is a hang-up."""
    await one.lift()
    await one.press(_number_of(two))
    await two.answer()
    await asyncio.sleep(2)
    since = len(one.seen)
    two.detect()
    await two.hook(Hook.FLASH)  # 750 ms
    await two.until("dial tone", lambda: Tone.DIAL in two.tones)
    assert not one.saw(LineEvent.ONHOOK, since), one.story()
    await two.press(_number_of(three))
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


async def _left_off_hook(one: Phone) -> None:
    """Dial tone, busy tone, howler, silence; put down it is well again."""
    one.detect()
    ear = await one.lift()
    await asyncio.sleep(3 * TONE_S + 4)
    assert one.tones[:2] == [Tone.DIAL, Tone.BUSY], one.tones
    assert f"LIN-090 channel {_channel_of(one)}:" in Box.log("lines").read_text(), "the set left off-hook was not told of"
    assert set(ear.heard()[-8000:-1600]) == {0xD5}, "a parked set is silent"
    await one.rest()
    await asyncio.sleep(3)
    one.tones.clear()
    await one.lift()
    await one.until("dial tone", lambda: Tone.DIAL in one.tones)
    await one.rest()


async def _headset(report: Report, one: Phone, headset: Phone) -> None:
    """Lifted it is silent, a call arrives by a beep and is answered at once; after it the headset is still connected."""
    one.detect()
    headset.detect()
    for count in range(2):
        ear = await headset.lift() if not count else headset.listen()
        await one.lift()
        silent = len(ear.heard())
        await one.press(_number_of(headset))
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
    await one.press(_number_of(headset))
    await one.until("busy tone", lambda: Tone.BUSY in one.tones)
    await one.rest()
    report.figure("headset_calls_right", 2)
