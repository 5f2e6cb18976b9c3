"""How long things may take in dispatch: `[hospital.dispatch]`. Pure."""

import msgspec


class DispatchLimits(msgspec.Struct, frozen=True, kw_only=True):
    """gone_s: a desk not heard of for so long is gone, what was offered there goes to another. untaken_s: offered for so long where nobody
    took anything, it goes to another desk. offers_most: then it is a dead letter; so is what no desk was there for patience_s, and what
    a desk took that was gone for lost_s. at_desk_most: more are not offered to a desk at once, what is urgent excepted."""

    gone_s: int = 20
    untaken_s: int = 120
    offers_most: int = 5
    patience_s: int = 600
    lost_s: int = 1_800
    at_desk_most: int = 10
