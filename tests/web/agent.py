"""The call agent's side of the control socket, for tests: the real server on a script of live state, in a thread with its own loop."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from appliance.control.live import LiveState
from appliance.control.messages import (
    AskLineSetup,
    AskMusic,
    EndLineTest,
    FlowsTold,
    LineSetupChecked,
    LineSetupTold,
    LiveSetup,
    MusicEntry,
    MusicRequest,
    MusicTold,
    PutCallBack,
    ReadPromptUpload,
    ResetLineCounters,
    RunLineTest,
    RunSelfCall,
    SelfCallEnd,
    SelfCallTold,
    SetClosing,
    SetLinesBlocked,
    SettleLineSetup,
    TryLineSetup,
    UseFlows,
    UsePrompts,
)
from appliance.control.server import ControlServer
from appliance.music_level import sampled
from drivers import line_setup
from drivers.config import LineSetup
from drivers.errors import CarelineError
from drivers.protocol import LineTest, SetupChecked
from drivers.span_plans import check_found, check_plans
from tests.web import prepared

START_LIMIT_S = 10.0
HEALTH_EVERY_S = 5.0  # as the call agent does; longer silence means that it is gone


class ScriptedAgent:
    """Serves `path`; `asked` keeps what clients asked for. `do` changes the live state in the agent's own loop."""

    def __init__(self, path: Path, now: datetime) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.setups: list[LineSetup] = []
        self.busy: tuple[int, ...] = ()
        self.outcome: LineTest | None = None
        self.refuse: CarelineError | None = None
        self.music_entries: tuple[MusicEntry, ...] = ()
        self.edition = 0
        self._path = path
        self._now = now
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scripted-agent", daemon=True)
        self.live = LiveState(prepared.health(now))

    def start(self) -> "ScriptedAgent":
        self._thread.start()
        assert self._ready.wait(START_LIMIT_S), "the scripted agent did not start"
        return self

    def stop(self) -> None:
        """Once or more often."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._server.close(), self._loop).result(START_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_LIMIT_S)
        self._loop.close()

    def do(self, change: Callable[[LiveState], object]) -> None:
        async def changed() -> None:
            change(self.live)

        asyncio.run_coroutine_threadsafe(changed(), self._loop).result(START_LIMIT_S)

    def show_day(self, troubled: bool = False) -> None:
        """The prepared lines and calls."""

        def change(live: LiveState) -> None:
            live.lines_changed(*prepared.lines(self._now))
            for test in prepared.line_tests(self._now):
                live.test_changed(test)
            for call in prepared.live_calls(self._now):
                live.call_changed(call)
            live.health_changed(prepared.health(self._now, troubled))

        self.do(change)

    async def set_blocked(self, request: SetLinesBlocked) -> None:
        self._answer("blocked at once" if request.at_once else "blocked", str(request.target), request.blocked, request.by)

    async def reset_counters(self, request: ResetLineCounters) -> None:
        self._answer("reset", str(request.target), request.by)

    async def run_test(self, request: RunLineTest) -> None:
        self._answer("test", request.channel, request.kind.value, request.limit_ms, request.by)
        if self.outcome:
            self.live.test_changed(msgspec.structs.replace(self.outcome, test_id=request.test_id))

    async def end_test(self, request: EndLineTest) -> None:
        self._answer("end test", request.channel, request.by)

    async def ask_setup(self, request: AskLineSetup) -> LineSetupTold:
        return LineSetupTold(request_id=request.request_id, told=prepared.setup_told(self.live.setup.trying_until))

    async def try_setup(self, request: TryLineSetup) -> LineSetupChecked:
        """Checked as the line server does, but for the card."""
        self._answer("apply" if request.apply else "check", request.by)
        before = line_setup.parse(prepared.setup_told().setup)
        after = line_setup.parse(request.setup)
        check_plans(after.spans, "set-up")
        check_found(after.spans, prepared.found(), "set-up")
        self.setups.append(after)
        until = datetime.now(UTC) + timedelta(seconds=60) if request.apply else None
        if until:
            self.live.setup_changed(LiveSetup(trying_until=until, by=request.by))
        diff = line_setup.diff(before, after)
        return LineSetupChecked(
            request_id=request.request_id, checked=SetupChecked(command_id=0, diff=diff, touched=(1, 2), busy=self.busy, trying_until=until)
        )

    async def settle_setup(self, request: SettleLineSetup) -> None:
        self._answer("keep" if request.keep else "undo", request.by)
        self.live.setup_changed(LiveSetup(kept=request.keep, by=request.by))

    async def music(self, request: MusicRequest) -> MusicTold:
        if not isinstance(request, AskMusic):
            self._answer(type(request).__name__, *(getattr(request, field) for field in ("name", "kind") if hasattr(request, field)))
        return MusicTold(entries=self.music_entries)

    async def use_flows(self, request: UseFlows) -> FlowsTold:
        self._answer("flows", request.by)
        return FlowsTold(edition=self.edition)

    async def use_prompts(self, request: UsePrompts) -> None:
        self._answer("prompts", request.by)

    async def read_upload(self, request: ReadPromptUpload) -> None:
        """As the call agent does it."""
        self._answer("read upload", request.kind)
        upload = self._path.parent.parent / "data" / "prompts" / "incoming" / request.upload
        await sampled(upload, upload.with_suffix(".pcm"), request.kind, 181.0)

    async def put_back(self, request: PutCallBack) -> None:
        self._answer("put back", request.call_id, request.place, request.by)

    async def run(self, request: RunSelfCall) -> SelfCallTold:
        self._answer("self-call", request.by)
        return SelfCallTold(end=SelfCallEnd.HEARD, at=datetime.now(UTC), answered_ms=900, heard_ms=1_500)

    async def set_closing(self, request: SetClosing) -> None:
        self._answer("closing", request.closing, request.by)

    async def hang_up_call(self, call_id: str, by: str) -> None:
        self._answer("hang_up", call_id, by)

    def _tell_health(self) -> None:
        self.live.health_changed(self.live.health)
        self._loop.call_later(HEALTH_EVERY_S, self._tell_health)

    def _answer(self, *asked: Any) -> None:
        if self.refuse:
            raise self.refuse
        self.asked.append(asked)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = ControlServer(self._path, self.live, self, self, self, self, self)
        self._loop.run_until_complete(self._server.start())
        self._ready.set()
        self._loop.call_later(HEALTH_EVERY_S, self._tell_health)
        self._loop.run_forever()
