"""E1 spans as a whole: what is refused with which words, alarms, and spans that are pulled and put back. See e1_bench."""

from drivers.io import ChannelIO, Hook, Signalling
from tests.contract.e1_bench import SOON_MS, Case, E, E1Bench, both, send_all, sent
from tests.contract.refusals import refusal

SPAN_CASES: dict[str, Case] = {}


def span_case(run: Case) -> Case:
    SPAN_CASES[run.__name__] = run
    return run


# --- set up for something else ---


@span_case
async def channels_are_listed_with_their_signalling(bench: E1Bench) -> None:
    for end in (bench.box, bench.far):
        specs = {spec.number: spec for spec in end.card.channels()}
        assert specs[end.link].signalling is Signalling.DCHAN
        assert specs[end.link].timeslot == 16
        assert all(specs[number].signalling is Signalling.BCHAN for number in end.bearers)
        assert all(specs[number].signalling is Signalling.CAS for number in end.cas)
        assert len(end.bearers) == 30


@span_case
async def a_channel_set_up_for_something_else_is_refused(bench: E1Bench) -> None:
    box = bench.box
    wrong = (
        (lambda: box.card.open(box.link), box.link, "dchan"),
        (lambda: box.card.open_link(box.bearers[0], print), box.bearers[0], "bchan"),
        (lambda: box.card.open_link(box.cas[0], print), box.cas[0], "cas"),
    )
    for call, number, found in wrong:
        error = refusal(call)
        assert str(number) in error.what
        assert found in error.what
    box.open_link()
    box.open(box.bearers[0])


@span_case
async def a_missing_d_channel_is_refused(bench: E1Bench) -> None:
    assert "1000" in refusal(lambda: bench.box.card.open_link(1000, print)).what


@span_case
async def what_a_channel_has_not_is_refused(bench: E1Bench) -> None:
    bearer, cas = bench.box.open(bench.box.bearers[0]), bench.box.open(bench.box.cas[0])
    for channel in (bearer, cas):
        refusal(channel.set_hook, Hook.OFF)
        refusal(channel.dial_pulses, "1")
        refusal(channel.set_polarity, True)
        refusal(channel.show_message_waiting, True)
    assert "bchan" in refusal(bearer.bits).what
    assert "bchan" in refusal(lambda: bearer.set_bits(0)).what


@span_case
async def a_channel_is_opened_once(bench: E1Bench) -> None:
    box = bench.box
    box.open_link()
    box.open(box.bearers[0])
    assert str(box.link) in refusal(lambda: box.card.open_link(box.link, print)).what
    assert str(box.bearers[0]) in refusal(lambda: box.card.open(box.bearers[0])).what


# --- alarms and pulled spans ---


async def cas_goes_on(bench: E1Bench, channel: ChannelIO, far: ChannelIO) -> None:
    """The other span is untouched."""
    for bits in (0b0110, 0b1001):
        await sent(bench, channel, bits, far)
    told = set(bench.box.events[channel.spec.number])
    assert told <= {E.BITSCHANGED}, told


@span_case
async def a_cut_span_is_in_alarm_until_it_is_back(bench: E1Bench) -> None:
    box = bench.box
    channel, far = both(bench)
    box.open_link()
    box.open(box.bearers[0])
    await bench.far_goes()
    assert await bench.until(lambda: E.ALARM in box.events[box.link] and E.ALARM in box.events[box.bearers[0]]), dict(box.events)
    status = next(each for each in box.card.spans() if each.number == bench.pri_span)
    assert status.alarms, status
    assert [
        each.number for each in box.card.spans() if each.alarms and each.number != bench.pri_span and each.number == bench.cas_span
    ] == []
    assert not box.card.open(box.bearers[1]).is_offhook()
    await cas_goes_on(bench, channel, far)
    await bench.far_returns()
    assert await bench.until(lambda: E.NOALARM in box.events[box.link] and E.NOALARM in box.events[box.bearers[0]]), dict(box.events)
    assert await bench.until(lambda: any(each.number == bench.pri_span and not each.alarms for each in box.spans)), box.spans


@span_case
async def a_span_in_alarm_can_be_opened_and_waits(bench: E1Bench) -> None:
    box = bench.box
    await bench.far_goes()
    assert await bench.until(lambda: any(each.alarms for each in box.card.spans() if each.number == bench.pri_span))
    link, bearer = box.open_link(), box.open(box.bearers[0])
    assert not bearer.is_offhook()
    link.send(b"lost")
    await bench.far_returns()
    assert await bench.until(lambda: E.NOALARM in box.events[box.link] and E.NOALARM in box.events[box.bearers[0]]), dict(box.events)
    assert await bench.until(bearer.is_offhook)
    bench.far.open_link()
    await bench.pass_ms(SOON_MS)
    await send_all(bench, link, [b"heard"])
    assert await bench.until(lambda: b"heard" in bench.far.frames), bench.far.frames


@span_case
async def frames_pass_again_after_an_alarm(bench: E1Bench) -> None:
    link = bench.box.open_link()
    await bench.far_goes()
    assert await bench.until(lambda: E.ALARM in bench.box.events[bench.box.link])
    await send_all(bench, link, [b"lost"])
    await bench.far_returns()
    assert await bench.until(lambda: E.NOALARM in bench.box.events[bench.box.link])
    bench.far.open_link()
    await bench.pass_ms(SOON_MS)
    await send_all(bench, link, [b"after"])
    assert await bench.until(lambda: b"after" in bench.far.frames), bench.far.frames


@span_case
async def a_pulled_span_tells_it_and_refuses_everything(bench: E1Bench) -> None:
    box = bench.box
    channel, far = both(bench)
    link, bearer = box.open_link(), box.open(box.bearers[0])
    await bench.pull()
    assert await bench.until(lambda: E.REMOVED in box.events[box.link] and E.REMOVED in box.events[box.bearers[0]]), dict(box.events)
    assert await bench.until(lambda: any(each.number == bench.pri_span and each.alarms == ("removed",) for each in box.spans)), box.spans
    assert link.send(b"nowhere") is False
    assert str(box.bearers[0]) in refusal(lambda: bearer.is_offhook()).what
    refusal(lambda: box.card.open(box.bearers[1]))
    assert box.link not in {spec.number for spec in box.card.channels()}
    await cas_goes_on(bench, channel, far)
    await bench.plug()


@span_case
async def a_span_put_back_works_as_before(bench: E1Bench) -> None:
    box = bench.box
    channel, far = both(bench)
    old_link, old_bearer = box.open_link(), box.open(box.bearers[0])
    await bench.pull()
    assert await bench.until(lambda: E.REMOVED in box.events[box.link] and E.REMOVED in box.events[box.bearers[0]]), dict(box.events)
    await bench.plug()
    old_link.close()
    old_bearer.close()
    box.open(box.bearers[0])
    link = box.open_link()
    bench.far.open_link()
    await bench.pass_ms(SOON_MS)
    await send_all(bench, link, [b"again"])
    assert await bench.until(lambda: b"again" in bench.far.frames), bench.far.frames
    await cas_goes_on(bench, channel, far)
