"""The box calls itself and listens whether it is answered: over its inner line, or out through a trunk group to its own number.

Runs in the call agent's event loop; told of the lines as the switchboard is. What comes in is a call as any, but marked "self": it is in no
statistics, not recorded, and not shown among the calls that go on.
"""

import asyncio
import contextlib
import logging

from appliance.call import tag as tags
from appliance.call.tag import PartyTag
from appliance.control.live import LiveState
from appliance.control.messages import RunSelfCall, SelfCallEnd, SelfCallTold
from appliance.errors import LinesError
from appliance.lines import Lines
from appliance.switchboard import Switchboard
from drivers.clock import Clock
from drivers.errors import CarelineError
from drivers.protocol import (
    SELF_CALL_CHANNEL,
    Answered,
    Cause,
    CommandFailed,
    DetectSpeech,
    Event,
    Forget,
    Release,
    Released,
    Seize,
    SpeechBegan,
    Welcome,
)

log = logging.getLogger("careline.calls")

RELEASE_LIMIT_S = 5.0
SPEECH_PAUSE_MS = 2_000
LIMIT_MS = range(1_000, 60_001)
TAG = tags.encode(PartyTag(call_id="self-call"))
NO_CHANNEL = (Cause.NO_CHANNEL, Cause.CHANNEL_NOT_AVAILABLE, Cause.SWITCH_CONGESTION, Cause.USER_BUSY)


class _OverError(Exception):
    """The call is over before all was heard; `cause` is 0 when the line server refused or went."""

    def __init__(self, cause: int, why: str) -> None:
        super().__init__(why)
        self.cause, self.why = cause, why


class SelfCalls:
    """One at a time; who asks meanwhile waits."""

    def __init__(self, lines: Lines, live: LiveState, switchboard: Switchboard, clock: Clock) -> None:
        self._lines, self._live, self._switchboard, self._clock = lines, live, switchboard, clock
        self._one = asyncio.Lock()
        self._leg = ""
        self._news: asyncio.Queue[Event | CarelineError] = asyncio.Queue()

    # --- told by the lines ---------------------------------------------------------------------------------------------

    def adopted(self, welcome: Welcome) -> None:
        """Of no interest: one that was under way is over with the connection."""

    def lost(self, error: CarelineError) -> None:
        self._news.put_nowait(error)

    def event(self, event: Event) -> None:
        if self._leg and getattr(event, "leg", "") == self._leg:
            self._news.put_nowait(event)

    # --- asked by the control socket -----------------------------------------------------------------------------------

    async def run(self, request: RunSelfCall) -> SelfCallTold:
        """Raises: CarelineError when the line server is not there or the request makes no sense."""
        if request.limit_ms not in LIMIT_MS or bool(request.group) != bool(request.number):
            remedy = f"limit_ms {LIMIT_MS.start} to {LIMIT_MS.stop - 1}; group and number both, or neither"
            raise LinesError("APP-110", "this self-call makes no sense", remedy)
        async with self._one:
            if self._lines.fault:
                raise self._lines.fault
            if why := self._why_not(request.group):
                return SelfCallTold(end=SelfCallEnd.SKIPPED, at=self._clock.now(), detail=why)
            return await self._call(request)

    def _why_not(self, group: str) -> str:
        """Empty when it can be made: it takes one channel out and one in, and leaves one for a caller. The inner line is always there."""
        lines = [each for each in self._live.channels.values() if each.group == group]
        free = [each for each in lines if not (each.leg or each.blocked or each.alarms)]
        if not group or len(free) >= 3:
            return ""
        return f"the lines of {group} are busy" if lines else f"no line to call over: {group} has none"

    async def _call(self, request: RunSelfCall) -> SelfCallTold:
        self._leg = f"self-{int(self._clock.now().timestamp() * 1000):x}"
        self._news = asyncio.Queue()
        self._switchboard.own_number = request.own_number if request.group else ""
        try:
            return await self._measure(request, self._clock.monotonic_s())
        finally:
            await self._hang_up()
            self._leg = self._switchboard.own_number = ""

    async def _measure(self, request: RunSelfCall, begun_s: float) -> SelfCallTold:
        answered_ms: int | None = None
        limit_s = request.limit_ms / 1000
        self._lines.send(self._seize(request))
        try:
            async with asyncio.timeout(limit_s):
                await self._told(Answered)
                answered_ms = self._since_ms(begun_s)
                self._lines.send(DetectSpeech(leg=self._leg, silence_ms=SPEECH_PAUSE_MS))
                await self._told(SpeechBegan)
        except TimeoutError:
            end = SelfCallEnd.NOT_ANSWERED if answered_ms is None else SelfCallEnd.SILENT
            return SelfCallTold(end=end, at=self._clock.now(), answered_ms=answered_ms, detail=f"nothing for {limit_s:.0f} s")
        except _OverError as over:
            end = SelfCallEnd.SKIPPED if over.cause in NO_CHANNEL else SelfCallEnd.FAILED
            return SelfCallTold(end=end, at=self._clock.now(), answered_ms=answered_ms, detail=over.why)
        return SelfCallTold(end=SelfCallEnd.HEARD, at=self._clock.now(), answered_ms=answered_ms, heard_ms=self._since_ms(begun_s))

    def _seize(self, request: RunSelfCall) -> Seize:
        if request.group:
            return Seize(leg=self._leg, group=request.group, number=request.number, no_answer_ms=request.limit_ms, tag=TAG)
        return Seize(leg=self._leg, channel=SELF_CALL_CHANNEL, no_answer_ms=request.limit_ms, tag=TAG)

    def _since_ms(self, begun_s: float) -> int:
        return round((self._clock.monotonic_s() - begun_s) * 1000)

    async def _told(self, wanted: type[Event]) -> None:
        """Raises: _OverError."""
        while not isinstance(news := await self._news.get(), wanted):
            match news:
                case Released(cause=cause):
                    raise _OverError(cause, f"released with cause {cause}")
                case CommandFailed(code=code, what=what):
                    raise _OverError(0, f"{code}: {what}")
                case CarelineError():
                    raise _OverError(0, str(news))

    async def _hang_up(self) -> None:
        """It is forgotten when it is over; what is not over by then the next start of the call agent lets go."""
        self._lines.send(Release(leg=self._leg))
        with contextlib.suppress(TimeoutError, _OverError):
            async with asyncio.timeout(RELEASE_LIMIT_S):
                await self._told(Released)
        self._lines.send(Forget(leg=self._leg))
