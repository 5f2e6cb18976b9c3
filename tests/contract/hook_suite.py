"""What the two ports of one line tell when orders are given to them at certain milliseconds, written once.

The virtual card's hooks must tell exactly this (test_hooks.py); in the lab the kernel must (scenario hook_contract), but for the
lateness of an emulated machine. Both ports have been open and on-hook for longer than the deafness after opening; zone cn.
"""

from enum import StrEnum

import msgspec

from drivers.io import Hook, LineEvent


class Side(StrEnum):
    """LINE: the FXO port (fxsks). SET: the FXS port (fxoks) at its other end."""

    LINE = "line"
    SET = "set"


class Happening(StrEnum):
    """What is no order of the loop, and what is no event."""

    OPEN = "open"
    CLOSE = "close"
    REFUSED = "refused"


Act = tuple[int, Side, Hook | Happening]
Told = tuple[int, Side, LineEvent | Happening]


class Script(msgspec.Struct, frozen=True):
    """`acts` are done, `told` is what comes of it until `until_ms`; times since the beginning."""

    name: str
    acts: tuple[Act, ...]
    told: tuple[Told, ...]
    until_ms: int = 8000


L, S, H, E = Side.LINE, Side.SET, Hook, LineEvent
OPEN, CLOSE, REFUSED = Happening.OPEN, Happening.CLOSE, Happening.REFUSED

TALKING: tuple[Act, ...] = ((0, L, H.OFF), (20, S, H.OFF))
TALKED: Told = (0, S, E.RINGOFFHOOK)
FIRST_RINGS: tuple[Told, ...] = (
    (0, L, E.RINGBEGIN),
    (1000, S, E.RINGEROFF),
    (1050, L, E.RINGOFFHOOK),
    (5000, L, E.RINGBEGIN),
    (5000, S, E.RINGERON),
    (6000, S, E.RINGEROFF),
    (6050, L, E.RINGOFFHOOK),
)

SCRIPTS = (
    Script("ringing unanswered", ((0, S, H.RING), (7000, S, H.ON)), FIRST_RINGS, 12_000),
    Script("given up within the burst", ((0, S, H.RING), (500, S, H.ON)), ((0, L, E.RINGBEGIN), (550, L, E.RINGOFFHOOK))),
    Script(
        "answered within the burst",
        ((0, S, H.RING), (500, L, H.OFF), (700, S, H.OFF)),
        ((0, L, E.RINGBEGIN), (500, S, E.RINGOFFHOOK), (750, L, E.RINGOFFHOOK)),
    ),
    Script(
        "answered between bursts",
        ((0, S, H.RING), (2000, L, H.OFF), (2200, S, H.OFF)),
        ((0, L, E.RINGBEGIN), (1000, S, E.RINGEROFF), (1050, L, E.RINGOFFHOOK), (2000, S, E.RINGOFFHOOK)),
    ),
    Script(
        "answered, and the ringing side does not stop",
        ((0, S, H.RING), (2500, L, H.OFF)),
        tuple(sorted((*FIRST_RINGS, (2500, S, E.RINGOFFHOOK)), key=lambda told: told[0])),
    ),
    Script(
        "hung up by the battery, the line follows in the drop",
        (*TALKING, (2000, S, H.ON), (2250, L, H.ON)),
        (TALKED, (2000, L, E.ONHOOK), (2500, S, E.HOOKCOMPLETE), (2800, S, E.ONHOOK)),
    ),
    Script(
        "hung up by the battery, the line follows later",
        (*TALKING, (2000, S, H.ON), (4000, L, H.ON)),
        (TALKED, (2000, L, E.ONHOOK), (2500, S, E.HOOKCOMPLETE), (5250, S, E.ONHOOK)),
    ),
    Script(
        "no order but on-hook during the drop and after it",
        (*TALKING, (2000, S, H.ON), (2250, S, H.RING), (2350, S, H.OFF), (2650, S, H.OFF), (4500, S, H.OFF)),
        (TALKED, (2000, L, E.ONHOOK), (2250, S, REFUSED), (2350, S, REFUSED), (2500, S, E.HOOKCOMPLETE), (2650, S, REFUSED)),
    ),
    Script(
        "a drop within the debounce time is told as a ring",
        (*TALKING, (300, S, H.ON)),
        (TALKED, (800, S, E.HOOKCOMPLETE), (1850, L, E.RINGOFFHOOK)),
    ),
    Script("a drop over before the debounce time is lost", (*TALKING, (50, S, H.ON)), (TALKED, (550, S, E.HOOKCOMPLETE))),
    Script("hung up by the line", (*TALKING, (2000, L, H.ON)), (TALKED, (3250, S, E.ONHOOK))),
    Script("hung up by the line: no drop afterwards", (*TALKING, (2000, L, H.ON), (4500, S, H.ON)), (TALKED, (3250, S, E.ONHOOK))),
    Script("hung up by the line within the debounce time", (*TALKING, (300, L, H.ON)), (TALKED, (1870, S, E.ONHOOK))),
    Script("flash", (*TALKING, (2000, L, H.FLASH)), (TALKED, (2800, L, E.HOOKCOMPLETE), (2800, S, E.WINKFLASH))),
    Script("no flash while it settles", (*TALKING, (200, L, H.FLASH)), (TALKED, (200, L, REFUSED))),
    Script(
        "open for longer than a flash",
        (*TALKING, (2000, L, H.ON), (3700, L, H.OFF)),
        (TALKED, (3250, S, E.ONHOOK), (3700, S, E.RINGOFFHOOK)),
    ),
    Script("seized", ((0, L, H.START),), ((0, S, E.RINGOFFHOOK), (2000, L, E.HOOKCOMPLETE))),
    Script("seized and left", ((0, L, H.START), (500, L, H.ON)), ((0, S, E.RINGOFFHOOK), (1750, S, E.ONHOOK))),
    Script("wink", ((0, L, H.WINK),), ((50, S, E.RINGOFFHOOK), (200, L, E.HOOKCOMPLETE), (1450, S, E.ONHOOK))),
    Script(
        "rung again soon after hanging up: the first burst is lost",
        (*TALKING, (2000, S, H.ON), (2300, L, H.ON), (3000, S, H.RING)),
        (
            TALKED,
            (2000, L, E.ONHOOK),
            (2500, S, E.HOOKCOMPLETE),
            (2800, S, E.ONHOOK),
            (4000, S, E.RINGEROFF),
            (8000, L, E.RINGBEGIN),
            (8000, S, E.RINGERON),
            (9000, S, E.RINGEROFF),
            (9050, L, E.RINGOFFHOOK),
        ),
        10_000,
    ),
    Script(
        "a burst that outlasts the deafness is told at its end",
        (*TALKING, (2000, S, H.ON), (2250, L, H.ON), (3750, S, H.RING)),
        (
            TALKED,
            (2000, L, E.ONHOOK),
            (2500, S, E.HOOKCOMPLETE),
            (2800, S, E.ONHOOK),
            (4750, S, E.RINGEROFF),
            (4800, L, E.RINGOFFHOOK),
        ),
    ),
    Script(
        "a line just opened is deaf",
        ((0, L, CLOSE), (100, L, OPEN), (500, S, H.RING)),
        ((1500, S, E.RINGEROFF), (5500, L, E.RINGBEGIN), (5500, S, E.RINGERON), (6500, S, E.RINGEROFF), (6550, L, E.RINGOFFHOOK)),
    ),
    Script("closing hangs up by the battery", (*TALKING, (2000, S, CLOSE)), (TALKED, (2000, L, E.ONHOOK))),
    Script(
        "opened again within the drop",
        (*TALKING, (2000, S, CLOSE), (2250, S, OPEN)),
        (TALKED, (2000, L, E.ONHOOK), (2750, S, E.HOOKCOMPLETE)),
    ),
    Script("a line that is closed hangs up", (*TALKING, (2000, L, CLOSE)), (TALKED, (3250, S, E.ONHOOK))),
)
