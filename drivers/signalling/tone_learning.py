"""What the tones of a switch are, from what was heard on one call of it: stretches of sound become rhythms, rhythms get names. Pure."""

from collections.abc import Iterator, Sequence
from statistics import median

import msgspec

from drivers.signalling.fxo_profile import LineTones
from drivers.signalling.tone_text import TonePart, tone_text

LONGEST_PERIOD = 3  # bursts in one cycle; the United Kingdom's ringback has two
DIAL_LEAST_MS = 600
RINGBACK_PAUSE_MS = 1500  # busy and congestion pause for less, in all zones of libtonezone
RINGBACK_LEAST_MS = 200
ENGAGED_CYCLES = 4
VOICE_MS = 1500  # more than edges of tones and clicks make together
SAME_MS, SAME_PART = 60, 0.15
SAME_HZ = 12
ROUND_MS, ROUND_HZ = 5, 5


class Stretch(msgspec.Struct, frozen=True):
    """One kind of sound for so long. `hz1` 0: a pause, OTHER: neither tone nor pause. `hz2` 0: one frequency."""

    ms: float
    hz1: float = 0.0
    hz2: float = 0.0


OTHER = -1.0


class Burst(msgspec.Struct, frozen=True):
    """A tone and the pause after it; `late`: listening began within the tone; `cut`: the pause ended with something else, or we stopped."""

    tone: Stretch
    pause_ms: float
    late: bool = False
    cut: bool = False


class Rhythm(msgspec.Struct, frozen=True):
    """Bursts that came again; `cycles` times."""

    bursts: tuple[Burst, ...]
    cycles: int

    @property
    def longest_pause_ms(self) -> float:
        return max(burst.pause_ms for burst in self.bursts)

    @property
    def text(self) -> str:
        parts = ((_tone_part(burst.tone), TonePart(0, 0, _rounded(burst.pause_ms, ROUND_MS))) for burst in self.bursts)
        return tone_text(tuple(part for pair in parts for part in pair))


def learn(before: Sequence[Stretch], after: Sequence[Stretch]) -> LineTones:
    """Tones heard before the number was dialled, and after. What was not heard stays empty."""
    found = rhythms(after)
    ringback = next((each for each in found if each.longest_pause_ms >= RINGBACK_PAUSE_MS), None) or _rang_once(after)
    engaged = [each.text for each in found if each.longest_pause_ms < RINGBACK_PAUSE_MS]
    different = list(dict.fromkeys(engaged))
    return LineTones(
        dial=dial_tone(before),
        ringback=ringback.text if ringback else "",
        busy=different[0] if different else "",
        congestion=different[1] if len(different) > 1 else "",
    )


def has_ended(after: Sequence[Stretch]) -> bool:
    """There is no more to come: busy or congestion tone for ENGAGED_CYCLES, or somebody answered."""
    engaged = any(each.longest_pause_ms < RINGBACK_PAUSE_MS and each.cycles >= ENGAGED_CYCLES for each in rhythms(after))
    return engaged or sum(stretch.ms for stretch in after if stretch.hz1 < 0) >= VOICE_MS


def dial_tone(before: Sequence[Stretch]) -> str:
    """The longest tone without a pause; none that lasts: a rhythm; or nothing."""
    tones = [stretch for stretch in before if stretch.hz1 > 0]
    longest = max(tones, key=lambda stretch: stretch.ms, default=Stretch(0))
    if longest.ms >= DIAL_LEAST_MS:
        return tone_text((TonePart(_rounded(longest.hz1, ROUND_HZ), _rounded(longest.hz2, ROUND_HZ)),))
    return next((each.text for each in rhythms(before)), "")


def rhythms(stretches: Sequence[Stretch]) -> list[Rhythm]:
    """What came at least twice in a row, in the order it began."""
    bursts = list(_bursts(stretches))
    found: list[Rhythm] = []
    at = 0
    while at < len(bursts):
        rhythm = _rhythm_at(bursts, at)
        at += len(rhythm.bursts) * rhythm.cycles if rhythm else 1
        if rhythm:
            found.append(rhythm)
    return found


def _rhythm_at(bursts: list[Burst], at: int) -> Rhythm | None:
    """The period that explains most of what follows; of equals, the shortest."""
    covered = {period: period * _cycles(bursts, at, period) for period in range(1, LONGEST_PERIOD + 1)}
    period = max(covered, key=lambda each: (covered[each] if covered[each] > each else 0, -each))
    cycles = covered[period] // period
    return Rhythm(_middle(bursts, at, period, cycles), cycles) if cycles > 1 else None


def _cycles(bursts: list[Burst], at: int, period: int) -> int:
    cycles = 1
    while _again(bursts, at, period, cycles):
        cycles += 1
    return cycles


def _again(bursts: list[Burst], at: int, period: int, cycles: int) -> bool:
    first, later = bursts[at : at + period], bursts[at + period * cycles : at + period * (cycles + 1)]
    return len(later) == period and not any(each.cut for each in first) and all(map(_same, first, later))


def _same(first: Burst, later: Burst) -> bool:
    same_tone = abs(first.tone.hz1 - later.tone.hz1) <= SAME_HZ and abs(first.tone.hz2 - later.tone.hz2) <= SAME_HZ
    paused = later.pause_ms <= first.pause_ms + SAME_MS if later.cut else _close(first.pause_ms, later.pause_ms)
    return same_tone and _close(first.tone.ms, later.tone.ms) and paused


def _close(first_ms: float, later_ms: float) -> bool:
    return abs(first_ms - later_ms) <= max(SAME_MS, SAME_PART * first_ms)


def _middle(bursts: list[Burst], at: int, period: int, cycles: int) -> tuple[Burst, ...]:
    """From the burst after the longest pause to that pause."""
    middle = [_middle_burst(bursts[at + k : at + period * cycles : period]) for k in range(period)]
    begin = 1 + max(range(period), key=lambda k: middle[k].pause_ms)
    return tuple(middle[begin:] + middle[:begin])


def _middle_burst(bursts: list[Burst]) -> Burst:
    """By the median: sound that came late lengthens one burst or pause, and is not what is learnt."""
    whole = [burst.tone for burst in bursts if not burst.late]
    tone = Stretch(median(each.ms for each in whole), median(each.hz1 for each in whole), median(each.hz2 for each in whole))
    return Burst(tone, median(burst.pause_ms for burst in bursts if not burst.cut))


def _bursts(stretches: Sequence[Stretch]) -> Iterator[Burst]:
    """Each tone with its pause. A tone that something else follows, or that still sounds, tells nothing of its length."""
    for at in range(len(stretches) - 1):
        tone, pause = stretches[at], stretches[at + 1]
        if tone.hz1 > 0 and pause.hz1 == 0:
            follower = stretches[at + 2].hz1 if at + 2 < len(stretches) else OTHER
            yield Burst(tone, pause.ms, at == 0, follower <= 0)


def _rang_once(stretches: Sequence[Stretch]) -> Rhythm | None:
    """Ringback that stopped in its second burst: its first pause tells."""
    found = (each for each in _bursts(stretches) if each.pause_ms >= RINGBACK_PAUSE_MS and not each.cut)
    return next((Rhythm((each,), 1) for each in found if each.tone.ms >= RINGBACK_LEAST_MS), None)


def _tone_part(tone: Stretch) -> TonePart:
    return TonePart(_rounded(tone.hz1, ROUND_HZ), _rounded(tone.hz2, ROUND_HZ), _rounded(tone.ms, ROUND_MS))


def _rounded(number: float, to: int) -> int:
    return to * round(number / to)
