"""Setting lines up for somebody: asked of the line server, written down with who did it, shown live. Call agent's event loop."""

import asyncio
import logging
from collections.abc import Callable

from appliance.control.live import LiveState
from appliance.control.messages import LineSetupChecked, LineSetupTold, LiveSetup, SettleLineSetup, TryLineSetup
from appliance.errors import LinesError
from appliance.lines import Lines
from drivers.errors import CarelineError
from drivers.protocol import AskSetup, Command, CommandFailed, Event, SettleSetup, SetupChecked, SetupSettled, SetupTold, TrySetup, Welcome

log = logging.getLogger("careline.care")

ANSWER_LIMIT_S = 3.0
APPLY_LIMIT_S = 100.0  # real cards take their time

Note = Callable[[str, str, str, str], object]
"""By whom, which action, on what, what came of it."""


class LineSetups:
    """Told of the lines as the switchboard is; `note` writes an action down."""

    def __init__(self, lines: Lines, live: LiveState, note: Note) -> None:
        self._lines = lines
        self._live = live
        self._note = note
        self._answers: dict[int, asyncio.Future[Event]] = {}
        self._settling: set[int] = set()
        self._by = ""

    # --- told by the lines ---------------------------------------------------------------------------------------------

    def adopted(self, welcome: Welcome) -> None:
        """Whether a set-up is being tried: one that an earlier call agent began, or none any more."""
        self._lines.send(AskSetup())

    def lost(self, error: CarelineError) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)

    def event(self, event: Event) -> None:
        match event:
            case SetupTold():
                self._trying(event)
                self._settle(event.command_id, event)
            case SetupChecked():
                self._settle(event.command_id, event)
            case CommandFailed() if event.command_id in self._answers:
                answer = self._answers[event.command_id]
                if not answer.done():
                    answer.set_exception(LinesError(event.code, event.what, event.remedy))
            case SetupSettled():
                self._settled(event)

    def _trying(self, told: SetupTold) -> None:
        before = self._live.setup.trying_until
        if told.trying_until == before:
            return
        if told.trying_until is None:
            what = "the line server was started anew while a set-up was being tried"
            self._settled(SetupSettled(kept=False, code="LIN-185", what=what, remedy="Apply it again and confirm it when the lines work"))
        else:
            self._live.setup_changed(LiveSetup(trying_until=told.trying_until))

    def _settle(self, command_id: int, event: Event) -> None:
        answer = self._answers.get(command_id)
        if answer is not None and not answer.done():
            answer.set_result(event)

    def _settled(self, event: SetupSettled) -> None:
        self._live.setup_changed(LiveSetup(by=self._by, kept=event.kept, code=event.code, what=event.what, remedy=event.remedy))
        detail = f"refused: {event.code}: {event.what}" if event.code else ""
        for number in self._settling:
            self._settle(number, event)
        self._note(self._by, "setup_kept" if event.kept else "setup_undone", "lines", detail)
        self._by = ""

    # --- asked by the control socket -----------------------------------------------------------------------------------

    async def ask(self, request_id: int) -> LineSetupTold:
        """Raises: CarelineError."""
        told = await self._answer(AskSetup(), ANSWER_LIMIT_S)
        assert isinstance(told, SetupTold)
        return LineSetupTold(request_id=request_id, told=told)

    async def attempt(self, request: TryLineSetup) -> LineSetupChecked:
        """Raises: CarelineError saying what is wrong with it."""
        command = TrySetup(setup=request.setup, apply=request.apply)
        try:
            checked = await self._answer(command, APPLY_LIMIT_S if request.apply else ANSWER_LIMIT_S)
        except CarelineError as error:
            if request.apply:
                self._note(request.by, "setup_tried", "lines", f"refused: {error.code}: {error.what}")
            raise
        assert isinstance(checked, SetupChecked)
        if request.apply:
            self._by = request.by
            self._live.setup_changed(LiveSetup(trying_until=checked.trying_until, by=request.by))
            self._note(request.by, "setup_tried", "lines", "")
        return LineSetupChecked(request_id=request.request_id, checked=checked)

    async def settle(self, request: SettleLineSetup) -> None:
        """Raises: CarelineError."""
        before, self._by = self._by, request.by
        try:
            await self._answer(SettleSetup(keep=request.keep), APPLY_LIMIT_S)
        except CarelineError:
            self._by = before
            raise

    async def _answer(self, command: Command, limit_s: float) -> Event:
        """What answers it; SetupSettled answers every SettleSetup. Raises: CarelineError."""
        if self._lines.fault:
            raise self._lines.fault
        number = self._lines.send(command)
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        if isinstance(command, SettleSetup):
            self._settling.add(number)
        try:
            async with asyncio.timeout(limit_s):
                await answer
        except TimeoutError:
            raise LinesError("APP-101", "the line server did not answer in time", "See the log of careline-lines") from None
        finally:
            del self._answers[number]
            self._settling.discard(number)
        return answer.result()
