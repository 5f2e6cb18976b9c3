"""Numbers, decimals and ordinals as clips. Pure."""

from decimal import Decimal

from appliance.ivr.prompts.catalogue import Lang

Clips = tuple[str, ...]
LIMIT = 10**12  # under a trillion (万亿): above it nobody listens
_WAN, _YI = 10**4, 10**8
_ORDINALS_WHOLE = range(1, 32)


def say_number(n: int, lang: Lang) -> Clips:
    """A whole number: 两万零五十, "twelve thousand and five". Raises: ValueError at 10^12 and beyond, either sign."""
    if abs(n) >= LIMIT:
        raise ValueError(f"{n} is too large to be said (limit {LIMIT})")
    if n < 0:
        return ("minus", *say_number(-n, lang))
    return _mandarin(n) if lang == "zh" else _english(n)


def say_decimal(value: Decimal, lang: Lang) -> Clips:
    """A decimal, its fraction digit by digit as given: Decimal("36.50") is 三十六点五零.

    Raises: ValueError as `say_number`, or if not finite.
    """
    if not value.is_finite():
        raise ValueError(f"{value} cannot be said")
    whole, _, fraction = f"{abs(value):f}".partition(".")
    sign: Clips = ("minus",) if value < 0 else ()
    point: Clips = ("point",) if fraction else ()
    return (*sign, *say_number(int(whole), lang), *point, *(f"num_{digit}" for digit in fraction))


def say_ordinal(n: int, lang: Lang) -> Clips:
    """第三, "third". Raises: ValueError under 1, or as `say_number`."""
    if n < 1:
        raise ValueError(f"there is no ordinal of {n}")
    if n in _ORDINALS_WHOLE:
        return (f"ordinal_{n}",)
    return _mandarin_ordinal(n) if lang == "zh" else _english_ordinal(n)


def _mandarin(n: int) -> Clips:
    """Three sections of four digits: 亿, 万, ones."""
    said: Clips = ()
    gap = False
    for scale, unit in ((_YI, "yi"), (_WAN, "wan"), (1, "")):
        section = n // scale % _WAN
        gap = gap or (bool(said) and section < 1000)
        if section:
            zero: Clips = ("num_0",) if gap else ()
            said, gap = (*said, *zero, *_mandarin_unit(section, unit, head=not said)), False
    return said or ("num_0",)


def _mandarin_unit(section: int, unit: str, *, head: bool) -> Clips:
    if not unit:
        return _mandarin_section(section, head=head)
    if section < 10:
        return (f"{unit}_{section}",)
    return (*_mandarin_section(section, head=head), f"unit_{unit}")


def _mandarin_section(section: int, *, head: bool) -> Clips:
    """1 to 9999; `head`: nothing of the number was said before it."""
    thousands, hundreds, tens = section // 1000, section // 100 % 10, section % 100
    said: Clips = (f"thousand_{thousands}",) if thousands else ()
    if hundreds:
        inner = "_inner" if hundreds == 2 and not (head and not said) else ""
        said += (f"hundred_{hundreds}{inner}",)
    if tens:
        zero: Clips = ("num_0",) if said and (not hundreds or tens < 10) else ()
        inner = "inner_" if 10 <= tens < 20 and not (head and not said) else ""
        said += (*zero, f"num_{inner}{tens}")
    return said


def _mandarin_ordinal(n: int) -> Clips:
    first, *rest = _mandarin(n)
    return ("ordinal_prefix", "hundred_2_inner" if first == "hundred_2" else first, *rest)


def _english(n: int) -> Clips:
    """With "and" before the last two digits, as in British English, because it is the easier one to follow by ear."""
    said: Clips = ()
    for scale, unit in ((10**9, "unit_billion"), (10**6, "unit_million"), (1000, "unit_thousand")):
        said += _english_unit(n // scale % 1000, unit)
    rest = n % 1000
    if said and 0 < rest < 100:
        return (*said, "and", f"num_{rest}")
    return (*said, *_english_section(rest)) if rest or not said else said


def _english_unit(section: int, unit: str) -> Clips:
    if not section:
        return ()
    if unit == "unit_thousand" and section < 10:
        return (f"thousand_{section}",)
    return (*_english_section(section), unit)


def _english_section(section: int) -> Clips:
    """0 to 999."""
    hundreds, rest = divmod(section, 100)
    if not hundreds:
        return (f"num_{rest}",)
    return (f"hundred_{hundreds}", "and", f"num_{rest}") if rest else (f"hundred_{hundreds}",)


def _english_ordinal(n: int) -> Clips:
    """The cardinal with its last word made ordinal."""
    if n % 100:
        above, below = n - n % 100, n % 100
        return (*_english(above), "and", *_english_ordinal_under_100(below)) if above else _english_ordinal_under_100(below)
    if n % 1000:
        above = n - n % 1000
        return (*(_english(above) if above else ()), f"num_{n // 100 % 10}", "ordinal_hundred")
    return _english_ordinal_of_scale(n)


def _english_ordinal_under_100(n: int) -> Clips:
    if n in _ORDINALS_WHOLE:
        return (f"ordinal_{n}",)
    tens, ones = divmod(n, 10)
    return (f"num_{tens * 10}", f"ordinal_{ones}") if ones else (f"ordinal_{n}",)


def _english_ordinal_of_scale(n: int) -> Clips:
    """Whole thousands, millions or billions: "twelve thousandth"."""
    scale, unit = next((scale, unit) for scale, unit in ((10**9, "billion"), (10**6, "million"), (1000, "thousand")) if n % scale == 0)
    above = n - n // scale % 1000 * scale
    return (*(_english(above) if above else ()), *_english_section(n // scale % 1000), f"ordinal_{unit}")
