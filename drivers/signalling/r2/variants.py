"""What the register signals mean, country by country: data alone. Pure.

Forward signals are group I (digits) and group II (who calls); backward signals are group A (what is wanted next) and group B (how the
called line is). Once the calling number is asked for, a second set of meanings holds for backward signals: in China A1 then asks for its
next digit, in Mexico it is a group of its own, C. A signal is written as its number, "1" to "15"; digit 0 is signal 10.
Source: ITU-T Q.441 tables 6 to 9; GF 002-9002 (China: KA, KD and group B); for Mexico, Brazil and Argentina the values that libopenr2's
users report from the field.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec

from drivers.protocol import Cause


class Order(StrEnum):
    """What a backward signal asks of the calling side, or tells it."""

    NEXT = "next digit"
    BACK_1 = "one digit before"
    BACK_2 = "two digits before"
    BACK_3 = "three digits before"
    FROM_FIRST = "all digits again"
    CALLER = "category of the caller, then the calling number"
    NEXT_OF_CALLER = "next digit of the calling number"
    TO_B = "number complete, category for group B"
    SET_UP = "number complete, line free, no group B"
    CONGESTED = "congestion"
    UNALLOCATED = "no such number"
    FREE = "line free, charge"
    FREE_OF_CHARGE = "line free, no charge"
    BUSY = "line busy"
    CHANGED = "number changed"
    OUT_OF_ORDER = "line out of order"
    SPECIAL = "special information tone"


ACCEPTED = frozenset({Order.FREE, Order.FREE_OF_CHARGE, Order.SET_UP})

CAUSES: Mapping[Order, int] = {
    Order.CONGESTED: Cause.SWITCH_CONGESTION,
    Order.UNALLOCATED: Cause.UNALLOCATED_NUMBER,
    Order.BUSY: Cause.USER_BUSY,
    Order.CHANGED: Cause.NUMBER_CHANGED,
    Order.OUT_OF_ORDER: Cause.DESTINATION_OUT_OF_ORDER,
    Order.SPECIAL: Cause.SPECIAL_TONE,
}
"""Of a call the far side refuses. Source: Q.850; the pairs as in Q.699 for signals that both have."""

REFUSALS: Mapping[int, Order] = {
    Cause.UNALLOCATED_NUMBER: Order.UNALLOCATED,
    Cause.INVALID_NUMBER: Order.UNALLOCATED,
    Cause.NUMBER_CHANGED: Order.CHANGED,
    Cause.DESTINATION_OUT_OF_ORDER: Order.OUT_OF_ORDER,
    Cause.NO_CHANNEL: Order.CONGESTED,
    Cause.NETWORK_OUT_OF_ORDER: Order.CONGESTED,
    Cause.TEMPORARY_FAILURE: Order.CONGESTED,
    Cause.SWITCH_CONGESTION: Order.CONGESTED,
    Cause.CHANNEL_NOT_AVAILABLE: Order.CONGESTED,
    Cause.INTERWORKING: Order.CONGESTED,
}
"""How a call is refused for a cause; for any other the line is busy."""

Meanings = Mapping[str, Order]


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One country's R2.

    a, caller, b: backward signals while the called number is sent, once the caller was asked for, and in group B; `b_for`: group B where
    the category says so. back_to_a: when `caller` gives way to `a` again: never, at the next digit of the called number, or at the end of
    the calling number. end_of_dnis, end_of_caller, withheld: forward signals, empty where there is none. caller_categories: answers to
    CALLER (China: KA), categories: answers to TO_B (group II; China: KD), by signal. cd_bits: what bits C and D are always. metering_ms:
    longest change of the bits in a call that is a charge pulse and no hang-up.
    """

    country: str
    a: Meanings
    caller: Meanings
    b: Meanings
    b_for: Mapping[str, Meanings] = {}
    back_to_a: Literal["never", "digit", "end"] = "never"
    end_of_dnis: str = ""
    end_of_caller: str = "15"
    withheld: str = ""
    caller_categories: Mapping[str, str]
    categories: Mapping[str, str]
    cd_bits: int = 0b01
    metering_ms: int = 0

    def group_b(self, category: str) -> Meanings:
        """Meanings of group B after that answer to TO_B."""
        return self.b_for.get(category, self.b)


def signal_for(meanings: Meanings, order: Order) -> str:
    """The signal that gives this order, empty if none does."""
    return next((signal for signal, meant in meanings.items() if meant is order), "")


def refusal(meanings: Meanings, order: Order) -> str:
    """The signal of group B that refuses a call so, or as near to it as there is."""
    nearest = (order, Order.CONGESTED if order is Order.OUT_OF_ORDER else Order.BUSY, Order.CONGESTED, Order.BUSY)
    return next(signal for signal in (signal_for(meanings, each) for each in nearest) if signal)


O = Order  # noqa: E741  # the tables below are read by column

_ITU_A: Meanings = {
    "1": O.NEXT, "2": O.BACK_1, "3": O.TO_B, "4": O.CONGESTED, "5": O.CALLER, "6": O.SET_UP, "7": O.BACK_2, "8": O.BACK_3,
    "15": O.CONGESTED,
}  # fmt: skip
_ITU_B: Meanings = {
    "2": O.SPECIAL, "3": O.BUSY, "4": O.CONGESTED, "5": O.UNALLOCATED, "6": O.FREE, "7": O.FREE_OF_CHARGE, "8": O.OUT_OF_ORDER,
}  # fmt: skip
_ITU_CATEGORIES: Mapping[str, str] = {
    "1": "ordinary", "2": "priority", "3": "maintenance", "5": "operator", "6": "data", "7": "international", "8": "international_data",
    "9": "international_priority", "10": "international_operator",
}  # fmt: skip

ITU = Variant(
    country="ITU-T",
    a=_ITU_A,
    caller={**_ITU_A, "5": O.NEXT_OF_CALLER},
    b=_ITU_B,
    end_of_dnis="15",
    withheld="12",
    caller_categories=_ITU_CATEGORIES,
    categories=_ITU_CATEGORIES,
)

# Group B is read by KD: for toll and test calls (1, 2, 5, 6) and for local ones (3, 4), where 4 stands for busy too and 2 and 3 are spare;
# some exchanges send those all the same.
_CHINA_LOCAL_B: Meanings = {"1": O.FREE, "4": O.BUSY, "2": O.BUSY, "3": O.BUSY, "5": O.UNALLOCATED, "6": O.FREE}

CHINA = Variant(
    country="China",
    a={"1": O.NEXT, "2": O.FROM_FIRST, "3": O.TO_B, "4": O.CONGESTED, "5": O.UNALLOCATED, "6": O.CALLER},
    caller={"1": O.NEXT_OF_CALLER, "2": O.FROM_FIRST, "3": O.TO_B, "4": O.CONGESTED, "5": O.UNALLOCATED},
    b={"1": O.FREE, "2": O.BUSY, "3": O.BUSY, "4": O.CONGESTED, "5": O.UNALLOCATED, "6": O.FREE},
    b_for={"3": _CHINA_LOCAL_B, "4": _CHINA_LOCAL_B},
    back_to_a="end",
    caller_categories={
        "1": "ordinary", "2": "ordinary_metered", "3": "ordinary_printed", "5": "ordinary_free", "8": "priority", "10": "priority_free",
    },
    categories={"1": "operator", "2": "toll", "3": "ordinary", "4": "data", "5": "operator_check", "6": "test"},
    cd_bits=0b11,  # bit C is the operator's (ringing again, forced release: 0); nobody rings an answering machine again
)  # fmt: skip

MEXICO = Variant(
    country="Mexico",
    a={"1": O.NEXT, "2": O.FROM_FIRST, "3": O.TO_B, "4": O.CONGESTED, "6": O.CALLER},
    caller={"1": O.NEXT_OF_CALLER, "2": O.FROM_FIRST, "3": O.TO_B, "4": O.CONGESTED, "5": O.NEXT},
    b={"1": O.FREE, "2": O.BUSY, "4": O.CONGESTED, "5": O.FREE_OF_CHARGE},
    back_to_a="digit",
    withheld="15",
    caller_categories=_ITU_CATEGORIES,
    categories=_ITU_CATEGORIES,
)

_BRAZIL_A: Meanings = {
    "1": O.NEXT, "2": O.FROM_FIRST, "3": O.TO_B, "4": O.CONGESTED, "5": O.CALLER, "7": O.BACK_2, "8": O.BACK_3, "9": O.BACK_1,
}  # fmt: skip
_BRAZIL_CATEGORIES: Mapping[str, str] = {
    "1": "ordinary", "2": "priority", "3": "maintenance", "4": "payphone", "5": "operator", "6": "data", "7": "payphone_toll",
    "8": "collect",
}  # fmt: skip

_BRAZIL_B: Meanings = {
    "1": O.FREE, "2": O.BUSY, "3": O.CHANGED, "4": O.CONGESTED, "5": O.FREE_OF_CHARGE, "6": O.FREE, "7": O.UNALLOCATED, "8": O.OUT_OF_ORDER,
}  # fmt: skip

BRAZIL = Variant(
    country="Brazil",
    a=_BRAZIL_A,
    caller={**_BRAZIL_A, "5": O.NEXT_OF_CALLER},
    b={
        "1": O.FREE,
        "2": O.BUSY,
        "3": O.CHANGED,
        "4": O.CONGESTED,
        "5": O.FREE_OF_CHARGE,
        "6": O.FREE,
        "7": O.UNALLOCATED,
        "8": O.OUT_OF_ORDER,
    },
    withheld="12",
    caller_categories=_BRAZIL_CATEGORIES,
    categories=_BRAZIL_CATEGORIES,
)

ARGENTINA = Variant(
    country="Argentina",
    a=_ITU_A,
    caller={**_ITU_A, "5": O.NEXT_OF_CALLER},
    b=_ITU_B,
    end_of_caller="12",
    withheld="15",
    caller_categories={**_ITU_CATEGORIES, "4": "payphone"},
    categories={**_ITU_CATEGORIES, "4": "payphone"},
    metering_ms=400,
)

VARIANTS: Mapping[str, Variant] = {"cn": CHINA, "itu": ITU, "mx": MEXICO, "br": BRAZIL, "ar": ARGENTINA}
