"""Audio through wired pairs of channels: bit exactness, gain, law, flush of what is queued, native bridge, descriptors kept elsewhere."""

import os
import time

from drivers.dahdi.device import Channel
from drivers.dahdi.gains import IDENTITY, gain_table
from drivers.dahdi.records import BufferPolicy, EchoCanceller, Flush, Law, Policy
from drivers.io import Hook
from tests.lab import cards
from tests.lab.audio import CHUNKS_PER_BLOCK, Voice, numbered_block, numbers_in
from tests.lab.scenario import Report, scenario

DEEP = BufferPolicy(16, Policy.IMMEDIATE)
ALL_BYTES = bytes(range(256)) * 5  # 1280 bytes, 8 blocks


def _opened(pairs: int) -> list[Voice]:
    """Voices of channels 1..2*pairs, each channel's loop closed so that audio counts as a call's."""
    cards.install(cards.analogue_pairs(pairs))
    channels = [Channel(number) for number in range(1, 2 * pairs + 1)]
    for channel in channels:
        channel.set_buffers(DEEP)
        channel.set_hook(Hook.OFF)
    voices = [Voice(channel) for channel in channels]
    for voice in voices:
        voice.hear_for(0.3)
    return voices


@scenario()
def bit_exact(report: Report) -> None:
    """Every byte value arrives as it was sent, both ways."""
    trunk, handset = _opened(1)
    for speaker, listener in ((trunk, handset), (handset, trunk)):
        listener.heard = b""
        speaker.say(ALL_BYTES)
        listener.hear_for(1.0)
        assert ALL_BYTES in listener.heard, listener.heard.strip(b"\xd5")[:64].hex()
    report.figure("bytes_each_way", len(ALL_BYTES))


@scenario()
def bit_exact_with_idle_canceller(report: Report) -> None:
    """The same with the echo canceller running: does it change what is received when nothing is sent?"""
    trunk, handset = _opened(1)
    trunk.channel.set_echo_canceller(EchoCanceller(256))
    handset.say(ALL_BYTES)
    trunk.hear_for(1.0)
    report.figure("exact", int(ALL_BYTES in trunk.heard))
    trunk.channel.set_echo_canceller(None)
    trunk.heard = b""
    handset.say(ALL_BYTES)
    trunk.hear_for(1.0)
    assert ALL_BYTES in trunk.heard


@scenario()
def mg2_parameters(report: Report) -> None:
    """A parameter of the module is taken, an unknown one refused or ignored."""
    trunk, _ = _opened(1)
    trunk.channel.set_echo_canceller(EchoCanceller(128, (("aggressive", 1),)))
    try:
        trunk.channel.set_echo_canceller(EchoCanceller(128, (("no_such", 1),)))
        report.remark("unknown parameter: accepted")
    except Exception as error:
        report.remark(f"unknown parameter: {error}")


@scenario()
def gain_and_law(report: Report) -> None:
    """Gain tables are applied and read back; the law can be changed for a call."""
    trunk, handset = _opened(1)
    louder = gain_table(Law.ALAW, 6.0)
    trunk.channel.set_gain_tables(IDENTITY, louder)
    assert trunk.channel.gain_tables() == (IDENTITY, louder)
    trunk.say(ALL_BYTES)
    handset.hear_for(1.0)
    assert ALL_BYTES.translate(louder) in handset.heard
    trunk.channel.set_law(Law.ULAW)
    assert trunk.channel.params().law is Law.ULAW
    trunk.channel.set_law(Law.DEFAULT)
    assert trunk.channel.params().law is Law.ALAW
    report.figure("gain_table_entries", len(louder))


@scenario()
def flush_while_sending(report: Report) -> None:
    """Barge-in: with audio queued, the write side is flushed and something else written. How much of the old is still heard?"""
    for ahead in (4, 8, 15):
        trunk, handset = _opened(1)
        old = b"".join(numbered_block(at * CHUNKS_PER_BLOCK) for at in range(ahead))
        new = b"".join(numbered_block(100000 + at * CHUNKS_PER_BLOCK) for at in range(2))
        trunk.say(old)
        time.sleep(0.02)
        handset.listen()
        handset.heard = b""
        trunk.channel.flush(Flush.WRITE)
        trunk.say(new)
        handset.hear_for(1.0)
        numbers = numbers_in(handset.heard)
        before = numbers[: numbers.index(100000)]
        old_ms = sum(number is not None for number in before)
        report.figure(f"old_audio_ms_after_flush_{ahead}_ahead", old_ms)
        assert old_ms <= 20, "more than the block that was being sent"
        assert numbers[numbers.index(100000) :][:40] == list(range(100000, 100040))
        trunk.channel.close()
        handset.channel.close()


@scenario()
def native_bridge(report: Report) -> None:
    """Trunks 1 and 2 are joined in the kernel; their sets 3 and 4 hear each other, and each trunk still receives its own side."""
    trunk1, trunk2, set3, set4 = _opened(2)
    trunk1.channel.listen_to(2)
    trunk2.channel.listen_to(1)
    assert (trunk1.channel.bridged_to(), trunk2.channel.bridged_to()) == (2, 1)
    voices = (trunk1, trunk2, set3, set4)
    for voice in voices:
        voice.listen()
        voice.heard = b""
    audio = b"".join(numbered_block(at * CHUNKS_PER_BLOCK) for at in range(10))
    answer = b"".join(numbered_block(5000 + at * CHUNKS_PER_BLOCK) for at in range(10))
    set3.say(audio)
    set4.say(answer)
    trunk1.say(ALL_BYTES)
    set3.hear_for(1.0, *voices)
    report.figure("set4_hears_set3", int(audio in set4.heard))
    report.figure("set3_hears_set4", int(answer in set3.heard))
    report.figure("trunk1_reads_own_set", int(audio in trunk1.heard))
    report.figure("trunk2_reads_own_set", int(answer in trunk2.heard))
    report.figure("written_to_bridged_trunk_is_heard", int(ALL_BYTES[:160] in set3.heard))
    assert audio in set4.heard
    assert answer in set3.heard
    assert audio in trunk1.heard
    assert answer in trunk2.heard
    assert ALL_BYTES[:160] not in set3.heard
    trunk1.channel.leave_bridge()
    assert (trunk1.channel.bridged_to(), trunk2.channel.bridged_to()) == (None, 1)
    trunk1.say(ALL_BYTES)
    set3.heard = b""
    set3.hear_for(0.5)
    assert ALL_BYTES in set3.heard


@scenario()
def bridge_outlives_the_process(report: Report) -> None:
    """A child holds copies of the descriptors; the bridge and both loops stay when the first process closes its own."""
    trunk1, trunk2, set3, set4 = _opened(2)
    trunk1.channel.listen_to(2)
    trunk2.channel.listen_to(1)
    kept = os.dup(trunk1.channel.fileno()), os.dup(trunk2.channel.fileno())
    holder = os.fork()
    if holder == 0:
        time.sleep(100)
        os._exit(0)
    for fd in kept:
        os.close(fd)
    trunk1.channel.close()
    trunk2.channel.close()
    audio = b"".join(numbered_block(at * CHUNKS_PER_BLOCK) for at in range(10))
    set3.say(audio)
    set4.hear_for(1.0, set3)
    report.figure("still_bridged_with_copies_held", int(audio in set4.heard))
    report.figure("set3_events", str(set3.events))
    assert audio in set4.heard
    os.kill(holder, 9)
    os.waitpid(holder, 0)
    set3.hear_for(2.0, set4)
    report.figure("set3_events_after_last_copy_closed", str(set3.events))
    assert 1 in set3.events, "closing the last copy hangs up"


@scenario()
def closing_hangs_up(report: Report) -> None:
    """A single descriptor: closing it puts the loop on-hook; it can be opened again at once."""
    trunk, handset = _opened(1)
    trunk.channel.close()
    started = time.monotonic()
    while 1 not in handset.events and time.monotonic() - started < 10:
        handset.hear_for(0.05)
    report.figure("set_sees_onhook_after_ms", round((time.monotonic() - started) * 1000))
    assert 1 in handset.events
    Channel(1).close()


@scenario()
def adoption(report: Report) -> None:
    """A descriptor is taken over under its number, and refused under another's."""
    trunk, handset = _opened(1)
    again = Channel.adopt(os.dup(trunk.channel.fileno()), 1)
    trunk.channel.close()
    handset.say(ALL_BYTES)
    voice = Voice(again)
    voice.hear_for(1.0)
    assert ALL_BYTES in voice.heard
    try:
        Channel.adopt(os.dup(again.fileno()), 2)
        raise AssertionError("a foreign descriptor was accepted")
    except Exception as error:
        report.remark(str(error))
