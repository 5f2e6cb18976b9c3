"""Frames of a D-channel: every length, order, content, loss, bad ones, and audio beside them. See e1_bench."""

import random

from drivers.io import MAX_FRAME_BYTES, LinkIO
from tests.contract.e1_bench import LIMIT_MS, SOON_MS, Case, E, E1Bench, send_all
from tests.contract.e1_end import E1End
from tests.contract.refusals import refusal

LINK_CASES: dict[str, Case] = {}


def link_case(run: Case) -> Case:
    LINK_CASES[run.__name__] = run
    return run


def frames_of_every_length() -> list[bytes]:
    chance = random.Random(16)
    return [chance.randbytes(length) for length in range(1, MAX_FRAME_BYTES + 1)]


async def arrived(bench: E1Bench, at: E1End, wanted: list[bytes]) -> None:
    """Wait for these frames and no others."""
    await bench.until(lambda: len(at.frames) >= len(wanted), 2 * LIMIT_MS)
    lengths = ([len(frame) for frame in at.frames], [len(frame) for frame in wanted])
    assert at.frames == wanted, f"lengths {lengths[0]} instead of {lengths[1]}; events {dict(at.events)}"


def both_links(bench: E1Bench) -> tuple[LinkIO, LinkIO]:
    return bench.box.open_link(), bench.far.open_link()


@link_case
async def frames_of_every_length_go_both_ways_in_order(bench: E1Bench) -> None:
    box, far = both_links(bench)
    frames = frames_of_every_length()
    backwards = frames[::-1]
    for out, back in zip(frames, backwards, strict=True):
        await send_all(bench, box, [out])
        await send_all(bench, far, [back])
    await arrived(bench, bench.far, frames)
    await arrived(bench, bench.box, backwards)
    assert bench.box.events[bench.box.link] == []
    assert bench.far.events[bench.far.link] == []


@link_case
async def a_burst_keeps_its_order(bench: E1Bench) -> None:
    box, _ = both_links(bench)
    frames = [bytes([number]) * 30 for number in range(20)]
    assert all(box.send(frame) for frame in frames)
    await arrived(bench, bench.far, frames)


@link_case
async def any_content_passes(bench: E1Bench) -> None:
    box, _ = both_links(bench)
    frames = [bytes([value]) * 40 for value in (0x00, 0x7E, 0x7F, 0x7D, 0xFF, 0xFE, 0x3F, 0xAA)]
    await send_all(bench, box, frames)
    await arrived(bench, bench.far, frames)


@link_case
async def the_same_frame_twice_arrives_twice(bench: E1Bench) -> None:
    box, _ = both_links(bench)
    await send_all(bench, box, [b"\x02\x01\x7f"] * 3)
    await arrived(bench, bench.far, [b"\x02\x01\x7f"] * 3)


@link_case
async def a_full_queue_says_so_and_loses_nothing_else(bench: E1Bench) -> None:
    box, _ = both_links(bench)
    taken = [frame for frame in (bytes([number]) * 200 for number in range(100)) if box.send(frame)]
    assert 4 <= len(taken) < 100
    await arrived(bench, bench.far, taken)


@link_case
async def a_frame_that_is_empty_or_too_long_is_refused(bench: E1Bench) -> None:
    box, _ = both_links(bench)
    for length in (0, MAX_FRAME_BYTES + 1):
        assert str(length) in refusal(box.send, bytes(length)).what
    await send_all(bench, box, [b"after"])
    await arrived(bench, bench.far, [b"after"])


@link_case
async def frames_in_a_cut_are_lost_and_later_ones_arrive(bench: E1Bench) -> None:
    box, _ = both_links(bench)
    await send_all(bench, box, [b"before"])
    await arrived(bench, bench.far, [b"before"])
    bench.cut_link(True)
    await send_all(bench, box, [b"lost"])
    await bench.pass_ms(SOON_MS)
    bench.cut_link(False)
    await bench.pass_ms(SOON_MS)
    await send_all(bench, box, [b"after"])
    await arrived(bench, bench.far, [b"before", b"after"])


@link_case
async def a_frame_with_a_bad_check_sum_is_an_event(bench: E1Bench) -> None:
    assert await bench.spoil(E.BADFCS) == [E.BADFCS]


@link_case
async def a_frame_that_breaks_off_is_an_event(bench: E1Bench) -> None:
    assert await bench.spoil(E.ABORT) == [E.ABORT]


@link_case
async def a_closed_link_hears_nothing_and_opens_again(bench: E1Bench) -> None:
    box, far = both_links(bench)
    far.close()
    await send_all(bench, box, [b"nobody"])
    await bench.pass_ms(SOON_MS)
    bench.far.open_link()
    await bench.pass_ms(SOON_MS)
    await send_all(bench, box, [b"somebody"])
    await arrived(bench, bench.far, [b"somebody"])
    assert far.send(b"of a closed one") is False


@link_case
async def audio_of_bearers_and_frames_do_not_disturb_each_other(bench: E1Bench) -> None:
    box_link, _ = both_links(bench)
    numbers = [(bench.box, bench.box.bearers[0]), (bench.far, bench.far.bearers[0])]
    for end, number in numbers:
        end.attach(end.open(number))
    await bench.pass_ms(SOON_MS)
    bench.box.say(bench.box.bearers[0], "147A")
    frames = frames_of_every_length()[:60]
    await send_all(bench, box_link, frames)
    assert await bench.until(lambda: bench.far.heard[bench.far.bearers[0]] == "147A"), dict(bench.far.heard)
    bench.far.say(bench.far.bearers[0], "2580")
    assert await bench.until(lambda: bench.box.heard[bench.box.bearers[0]] == "2580"), dict(bench.box.heard)
    await arrived(bench, bench.far, frames)


@link_case
async def bearers_are_joined_in_the_card(bench: E1Bench) -> None:
    first, second = (bench.box.open(number) for number in bench.box.bearers[:2])
    here, there = bench.far.bearers[:2]
    for number in (here, there):
        bench.far.attach(bench.far.open(number))
    for channel in (first, second):
        bench.box.attach(channel)
    assert first.native_bridge(second)
    assert (first.native_peer(), second.native_peer()) == (second.spec.number, first.spec.number)
    await bench.pass_ms(SOON_MS)
    bench.far.say(here, "369")
    assert await bench.until(lambda: bench.far.heard[there] == "369"), dict(bench.far.heard)
    first.native_unbridge()
    assert second.native_peer() is None
