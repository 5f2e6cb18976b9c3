"""Causes of Q.850 both ways: what libpri tells and takes, and what `Cause` knows. Pure.

Causes cross the seam as they are; only what is not a cause of Q.850, or what libpri would take for something else, is changed here.
Source: Q.850 table 1; Q.931 clause 5.3.2 (which message carries a cause).
"""

from drivers.protocol import Cause

# The last of each class stands for all that are not known. Source: Q.850 clause 2.2.5, "unspecified".
UNSPECIFIED = (
    Cause.NORMAL_UNSPECIFIED,
    Cause.NORMAL_UNSPECIFIED,
    Cause.RESOURCE_UNAVAILABLE,
    Cause.SERVICE_NOT_AVAILABLE,
    Cause.SERVICE_NOT_IMPLEMENTED,
    Cause.INVALID_MESSAGE,
    Cause.PROTOCOL_ERROR,
    Cause.INTERWORKING,
)
# libpri would answer these with RELEASE or RELEASE COMPLETE, which ends a call that has got further than SETUP wrongly.
UNSENDABLE = {
    Cause.CHANNEL_UNACCEPTABLE: Cause.CHANNEL_NOT_AVAILABLE,
    Cause.CALL_AWARDED: Cause.NORMAL,
    Cause.NON_SELECTED_USER: Cause.NORMAL,
    Cause.INVALID_CALL_REFERENCE: Cause.NORMAL_UNSPECIFIED,
    Cause.MANDATORY_ELEMENT_MISSING: Cause.NORMAL_UNSPECIFIED,
}
_KNOWN = frozenset(Cause)


def from_wire(cause: int) -> Cause:
    """What the far side told; a cause Q.850 does not list is the unspecified one of its class, none at all a normal end."""
    if cause in _KNOWN:
        return Cause(cause)
    return UNSPECIFIED[cause >> 4] if 0 < cause < 128 else Cause.NORMAL


def to_wire(cause: int) -> int:
    """What may be sent for it."""
    known = from_wire(cause)
    return int(UNSENDABLE.get(known, known))
