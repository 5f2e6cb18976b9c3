"""ABCD bits of CAS channels: every value both ways, events, neighbours, audio beside them. See e1_bench."""

from tests.contract.e1_bench import SOON_MS, Case, E, E1Bench, both, sent
from tests.contract.refusals import refusal

BIT_CASES: dict[str, Case] = {}


def bit_case(run: Case) -> Case:
    BIT_CASES[run.__name__] = run
    return run


@bit_case
async def all_sixteen_values_go_both_ways(bench: E1Bench) -> None:
    box, far = both(bench)
    for bits in (*range(16), *reversed(range(16))):
        await sent(bench, box, bits, far)
        await sent(bench, far, bits ^ 0b1111, box)


@bit_case
async def each_change_is_one_event(bench: E1Bench) -> None:
    box, far = both(bench)
    await bench.pass_ms(SOON_MS)
    before = bench.far.count(bench.far.cas[0], E.BITSCHANGED)
    for bits in (0b1001, 0b0001, 0b1101, 0b0000):
        await sent(bench, box, bits, far)
        await bench.pass_ms(SOON_MS)
    assert bench.far.count(bench.far.cas[0], E.BITSCHANGED) == before + 4
    assert bench.box.events[bench.box.cas[0]] == []


@bit_case
async def the_same_bits_again_are_no_event(bench: E1Bench) -> None:
    box, far = both(bench)
    await sent(bench, box, 0b1001, far)
    await bench.pass_ms(SOON_MS)
    told = len(bench.far.events[bench.far.cas[0]])
    box.set_bits(0b1001)
    await bench.pass_ms(SOON_MS)
    assert len(bench.far.events[bench.far.cas[0]]) == told


@bit_case
async def neighbours_neither_see_nor_are_told_anothers_bits(bench: E1Bench) -> None:
    box = [bench.box.open(number) for number in bench.box.cas]
    far = [bench.far.open(number) for number in bench.far.cas]
    for mine, theirs in zip(box, far, strict=True):
        await sent(bench, mine, 0b1001, theirs)
    await bench.pass_ms(SOON_MS)
    for at, (mine, theirs) in enumerate(zip(box, far, strict=True)):
        bench.far.events.clear()
        for bits in (0b0000, 0b1111, 0b0110, 0b1001):
            await sent(bench, mine, bits, theirs)
            assert [each.bits() for each in far if each is not theirs] == [0b1001] * (len(far) - 1)
        await bench.pass_ms(SOON_MS)
        assert set(bench.far.events) <= {bench.far.cas[at]}, f"neighbours of {bench.far.cas[at]} were told {dict(bench.far.events)}"


@bit_case
async def all_channels_at_once_differ(bench: E1Bench) -> None:
    box = [bench.box.open(number) for number in bench.box.cas]
    far = [bench.far.open(number) for number in bench.far.cas]
    for turn in range(16):
        wanted = [(turn + 5 * at) % 16 for at in range(len(box))]
        for channel, bits in zip(box, wanted, strict=True):
            channel.set_bits(bits)
        assert await bench.until(lambda: [each.bits() for each in far] == wanted), [each.bits() for each in far]  # noqa: B023


@bit_case
async def bits_change_while_audio_moves(bench: E1Bench) -> None:
    box, far = both(bench)
    bench.box.attach(box)
    bench.far.attach(far)
    await bench.pass_ms(SOON_MS)
    told = bench.far.count(bench.far.cas[0], E.BITSCHANGED)
    bench.box.say(bench.box.cas[0], "159D")
    for bits in (0b0001, 0b1001, 0b0101):
        await sent(bench, box, bits, far)
        await bench.pass_ms(SOON_MS)
    assert await bench.until(lambda: bench.far.heard[bench.far.cas[0]] == "159D"), dict(bench.far.heard)
    assert await bench.until(lambda: bench.far.count(bench.far.cas[0], E.BITSCHANGED) == told + 3), dict(bench.far.events)


@bit_case
async def a_closed_channel_sends_idle_bits(bench: E1Bench) -> None:
    box, far = both(bench)
    idle = far.bits()
    await sent(bench, box, idle ^ 0b1100, far)
    box.close()
    assert await bench.until(lambda: far.bits() == idle), f"{far.bits():04b} instead of {idle:04b}"


@bit_case
async def bits_can_be_asked_at_once_by_who_opens(bench: E1Bench) -> None:
    box = bench.box.open(bench.box.cas[1])
    box.set_bits(0b0101)
    await bench.pass_ms(SOON_MS)
    assert bench.far.open(bench.far.cas[1]).bits() == 0b0101


@bit_case
async def more_than_four_bits_are_refused(bench: E1Bench) -> None:
    box, far = both(bench)
    await sent(bench, box, 0b0011, far)
    assert "16" in refusal(lambda: box.set_bits(16)).what
    await bench.pass_ms(SOON_MS)
    assert far.bits() == 0b0011
