"""Things counted: people, messages, money, durations. Pure."""

from enum import StrEnum

from appliance.ivr.prompts.catalogue import Lang
from appliance.ivr.speech.numbers import Clips, say_number


class Unit(StrEnum):
    """What can be counted aloud. Each has clips one_X, two_X and unit_X in both languages."""

    YUAN = "yuan"
    JIAO = "jiao"
    FEN = "fen"
    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    PERSON = "person"  # 位
    MESSAGE = "message"  # 条
    TIME = "time"  # 次


_DURATIONS = ((86_400, Unit.DAY), (3600, Unit.HOUR), (60, Unit.MINUTE), (1, Unit.SECOND))


def say_count(n: int, unit: Unit, lang: Lang) -> Clips:
    """两位, 十二元; "two people", "twelve yuan". Raises: ValueError as `say_number`."""
    if n < 0:
        return ("minus", *say_count(-n, unit, lang))
    if n in (1, 2):
        return (f"{'one' if n == 1 else 'two'}_{unit}",)
    return (*say_number(n, lang), f"unit_{unit}")


def say_money_fen(fen: int, lang: Lang) -> Clips:
    """A sum in fen: 305 is 三元零五分, "three yuan and five fen". Raises: ValueError as `say_number`."""
    if fen < 0:
        return ("minus", *say_money_fen(-fen, lang))
    return _mandarin_money(fen) if lang == "zh" else _english_money(fen)


def say_duration_s(seconds: int, lang: Lang) -> Clips:
    """一小时零五分钟; "one hour and five minutes". Raises: ValueError if negative."""
    if seconds < 0:
        raise ValueError(f"a duration of {seconds} s cannot be said")
    parts = [(seconds // size % (size_above // size) if size_above else seconds // size, unit) for size, unit, size_above in _sizes()]
    spoken = [(n, unit) for n, unit in parts if n]
    if not spoken:
        return say_count(0, Unit.SECOND, lang)
    return _mandarin_duration(parts) if lang == "zh" else _english_duration(spoken)


def _sizes() -> list[tuple[int, Unit, int]]:
    """Seconds in a unit, the unit, seconds in the next larger one (0: none)."""
    above = (0, *(size for size, _ in _DURATIONS))
    return [(size, unit, larger) for (size, unit), larger in zip(_DURATIONS, above, strict=False)]


def _mandarin_duration(parts: list[tuple[int, Unit]]) -> Clips:
    """零 where a unit is passed over or a value is under ten, so that the listener expects what follows."""
    said: Clips = ()
    gap = False
    for n, unit in parts:
        zero: Clips = ("num_0",) if said and (gap or n < 10) else ()
        said, gap = ((*said, *zero, *say_count(n, unit, "zh")), False) if n else (said, bool(said))
    return said


def _english_duration(spoken: list[tuple[int, Unit]]) -> Clips:
    *most, last = (say_count(n, unit, "en") for n, unit in spoken)
    before: Clips = tuple(clip for part in most for clip in part)
    return (*before, "and", *last) if before else last


def _mandarin_money(fen: int) -> Clips:
    yuan, jiao, rest = fen // 100, fen // 10 % 10, fen % 10
    said: Clips = say_count(yuan, Unit.YUAN, "zh") if yuan or not fen else ()
    if jiao:
        said += _coin(jiao, Unit.JIAO, head=not said)
    if rest:
        zero: Clips = ("num_0",) if said and not jiao else ()
        said += (*zero, *_coin(rest, Unit.FEN, head=not said))
    return said


def _coin(n: int, unit: Unit, *, head: bool) -> Clips:
    """两角 alone, 二角 after yuan."""
    return ("num_2", f"unit_{unit}") if n == 2 and not head else say_count(n, unit, "zh")


def _english_money(fen: int) -> Clips:
    """Like dollars and cents: a hundred fen to the yuan, no jiao."""
    yuan, rest = divmod(fen, 100)
    if not rest:
        return say_count(yuan, Unit.YUAN, "en")
    coins = say_count(rest, Unit.FEN, "en")
    return (*say_count(yuan, Unit.YUAN, "en"), "and", *coins) if yuan else coins
