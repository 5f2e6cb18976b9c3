"""How a channel has been: calls, failures in a row, and who keeps it from taking calls. Pure but for the clock it was given; line server's
event loop only.
"""

from datetime import datetime

import msgspec

from drivers.clock import Clock
from drivers.protocol import BlockedBy, Cause

# Ends of a call that say something about the line rather than about the people.
FAULTS = frozenset({Cause.NETWORK_OUT_OF_ORDER, Cause.TEMPORARY_FAILURE, Cause.INTERWORKING, Cause.DESTINATION_OUT_OF_ORDER})


class CareConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`[lines.care]`: so many failed calls in a row block a channel (0: never) for so many minutes (0: until a person unblocks it).

    `sets`: telephone sets too. What counts as a failure: see FAULTS; busy, no answer and a wrong number say nothing about the line.
    """

    block_after_failures: int = 5
    unblock_after_min: int = 30
    sets: bool = False


class ChannelCare:
    """Counters of one channel. A block of a person outlasts everything; one for failures ends by itself."""

    def __init__(self, clock: Clock, config: CareConfig, extension: bool) -> None:
        self._clock = clock
        self._limit = config.block_after_failures if config.sets or not extension else 0
        self._unblock_s = config.unblock_after_min * 60.0
        self._blocked_s = 0.0
        self.blocked_by = BlockedBy.NOBODY
        self.calls = 0
        self.failures = 0
        self.failures_in_a_row = 0
        self.last_cause: int | None = None
        self.last_call_at: datetime | None = None

    @property
    def blocked(self) -> bool:
        return self.blocked_by is not BlockedBy.NOBODY

    def began(self) -> None:
        """A call came or was placed."""
        self.calls += 1
        self.last_call_at = self._clock.now()

    def ended(self, cause: int, in_alarm: bool) -> None:
        """A call is over. What an alarm ended counts, but is no reason to block: the alarm keeps calls away already."""
        self.last_cause = cause
        if cause not in FAULTS:
            self.failures_in_a_row = 0
        else:
            self.failed(in_alarm)

    def failed(self, in_alarm: bool = False) -> None:
        """Something on the channel went wrong, with or without a call."""
        self.failures += 1
        if in_alarm:
            return
        self.failures_in_a_row += 1
        if 0 < self._limit <= self.failures_in_a_row and not self.blocked:
            self.block(BlockedBy.FAILURES)

    def failed_elsewhere(self) -> None:
        """A call failed on it for a reason that says nothing about the line."""
        self.failures += 1

    def block(self, by: BlockedBy) -> bool:
        """Block for this reason, or unblock (NOBODY); a person goes before failures. False when nothing changed."""
        if by is self.blocked_by or (by is BlockedBy.FAILURES and self.blocked_by is BlockedBy.PERSON):
            return False
        self.blocked_by = by
        self._blocked_s = self._clock.monotonic_s()
        if by is BlockedBy.NOBODY:
            self.failures_in_a_row = 0
        return True

    def may_try_again(self) -> bool:
        """True when the time of a block for failures is over: unblocked then, and one more failure blocks it at once."""
        if self.blocked_by is not BlockedBy.FAILURES or not self._unblock_s:
            return False
        if self._clock.monotonic_s() - self._blocked_s < self._unblock_s:
            return False
        self.block(BlockedBy.NOBODY)
        self.failures_in_a_row = self._limit - 1
        return True

    def reset(self) -> None:
        """Count anew. A block stays."""
        self.calls = self.failures = self.failures_in_a_row = 0
        self.last_cause = None
