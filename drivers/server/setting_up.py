"""Setting the lines up from the web: told, checked, tried, and kept or undone. Line server's event loop only.

A set-up that is tried is undone when nobody says within a minute that all is well, and when this process ends (see drivers.line_setup).
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from drivers import line_setup
from drivers.config import GroupConfig, LinesConfig, LineSetup, check_card, setup_of, usable, with_setup
from drivers.errors import CarelineError, ConfigError, LineError
from drivers.io import ChannelSpec, Signalling
from drivers.protocol import AskSetup, CommandFailed, SettleSetup, SetupChecked, SetupSettled, SetupTold, TrySetup
from drivers.server.adoption import groups_for, plan_for
from drivers.server.checks import in_range
from drivers.server.lines import Lines
from drivers.server.presence import ABOUT, absence
from drivers.server.reload import Configurable, Reload, predicted
from drivers.span_plans import check_found, plan_of

log = logging.getLogger("careline.lines")

CONFIRM_S = (10, 600)
LOOK_S = 3.0
LOOKS = 20  # for the ports of a card that has just come
FILE = "set-up"

Groups = tuple[GroupConfig, ...]


class SettingUp:
    """At most one set-up is tried at a time."""

    def __init__(self, lines: Lines, reload: Reload) -> None:
        self._lines = lines
        self._reload = reload
        self._data_dir = Path(lines.paths.data_dir)
        self._before: LinesConfig | None = None
        self._until: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._whole: LinesConfig | None = None
        self._seen: Groups | None = None
        self._looks_left: int | None = None
        self._look_timer: asyncio.TimerHandle | None = None
        line_setup.forget(self._data_dir)  # what an earlier process tried and nobody confirmed

    def start(self, whole: LinesConfig) -> None:
        """Look for channels that the cards do not have, if there are such: a card may be plugged in later."""
        self._whole = whole if whole.groups != self._lines.config.groups or not self._lines.channels else None
        self._looks_left = None
        self._look_later()

    def card_came(self) -> None:
        """Of a span that was not there before. Its channels are taken once they are set up, unless the configuration says which are."""
        if self._whole is None and not self._lines.config.groups and self._before is None:
            self._whole, self._looks_left = self._lines.config, LOOKS
            self._look_later()
        elif self._looks_left is not None:
            self._looks_left = LOOKS

    def close(self) -> None:
        """A set-up nobody confirmed is not there for the next process."""
        if self._timer:
            self._timer.cancel()
        if self._task:
            self._task.cancel()
        if self._look_timer:
            self._look_timer.cancel()
        line_setup.forget(self._data_dir)

    # --- commands ------------------------------------------------------------------------------------------------------

    def ask(self, command: AskSetup) -> None:
        """Raises: LineError."""
        told = SetupTold(
            command_id=command.command_id,
            setup=msgspec.json.encode(self._now()),
            card=self._lines.config.card,
            found=self._card().found(),
            fields=line_setup.fields(),
            trying_until=self._until,
        )
        self._lines.outbox.emit(told)

    def attempt(self, command: TrySetup) -> None:
        """Raises: CarelineError saying what is wrong with it, or why it cannot be applied now."""
        in_range("confirm_s", command.confirm_s, *CONFIRM_S)
        setup = line_setup.parse(command.setup)
        wanted, specs = self._checked(setup)
        touched = self._reload.touched(wanted, specs)
        busy = self._reload.busy(touched)
        if not command.apply:
            self._tell_checked(command.command_id, setup, touched, busy)
            return
        self._may_apply(busy)
        self._begin(self._apply(command, setup, wanted, specs, touched))

    def settle(self, command: SettleSetup) -> None:
        """Raises: LineError LIN-178, ConfigError CFG-099."""
        if self._before is None:
            raise LineError("LIN-178", "no set-up is being tried", "It was kept or undone already; look at the page again")
        if command.keep:
            line_setup.keep(self._data_dir)
            self._over(SetupSettled(kept=True))
        else:
            self._begin(self._undo(SetupSettled(kept=False)))

    # --- checking --------------------------------------------------------------------------------------------------------

    def _card(self) -> Configurable:
        card = self._lines.card
        if not isinstance(card, Configurable):
            raise LineError("LIN-179", f"the {self._lines.config.card} card cannot be set up from here", "Edit careline.toml")
        return card

    def _now(self) -> LineSetup:
        """The tables in use; where there are none, what the line server made up."""
        now = setup_of(self._lines.config)
        spans = now.spans or tuple(plan_of(span) for span in self._card().found())
        return msgspec.structs.replace(now, spans=spans, groups=groups_for(now.groups, tuple(self._reload.specs().values())))

    def _checked(self, setup: LineSetup) -> tuple[LinesConfig, dict[int, ChannelSpec]]:
        """The configuration it makes and the channels there will be. Raises: CarelineError."""
        found, now = self._card().found(), self._now()
        wanted = with_setup(self._lines.config, setup)
        # A card that is pulled may stay as it is.
        check_found([plan for plan in setup.spans if plan not in now.spans], found, FILE)
        specs = predicted(found, setup.spans, self._reload.specs())
        check_card(wanted, tuple(specs.values()), FILE)
        for group in setup.groups:
            links = [number for number in group.numbers if specs[number].signalling is Signalling.DCHAN]
            if links:
                what = f'{FILE}: group "{group.name}": channel {links[0]} is a D-channel'
                raise ConfigError("CFG-093", what, "Leave it out of the group; it carries no calls itself")
        plan_for(wanted.dial_plan, groups_for(setup.groups, tuple(specs.values())), FILE)
        return wanted, specs

    # --- channels that are missing -----------------------------------------------------------------------------------------

    def _look_later(self) -> None:
        if self._looks_left is not None:
            self._looks_left -= 1
            self._whole = self._whole if self._looks_left > 0 else None
        if self._whole is not None:
            self._look_timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        """Opened when two looks running found the same: a card is there before all of its channels are set up."""
        if self._whole is None:  # meanwhile another set-up took its place
            return None
        try:
            specs = tuple(self._reload.specs().values())
            found, faults = usable(self._whole, specs)
        except CarelineError:  # still none at all
            self._tell_absence()
            return self._look_later()
        groups = groups_for(found.groups, specs)
        now = tuple(group.config for group in self._lines.groups.values())
        if groups != now and self._seen == groups and self._before is None and self._task is None:
            self._complete(found, faults)
        self._seen = groups
        self._tell_absence()
        return self._look_later()

    def _complete(self, found: LinesConfig, faults: Sequence[ConfigError]) -> None:
        try:
            self._reload.complete(found)
        except CarelineError as error:
            self._lines.fault("groups", error)
            return
        self.tell_missing(faults)
        log.warning("LIN-184 channels that were missing are there and taken into use")
        if not faults:  # lines that no group names may be those of a card whose other ports are still being set up
            self._looks_left = 0 if self._whole and self._whole.groups else LOOKS

    def _tell_absence(self) -> None:
        """Of any line at all, as long as there is none."""
        try:
            fault = absence(self._lines.card)
        except LineError as error:
            fault = error
        told = self._lines.faults.get(ABOUT)
        if fault is None:
            self._lines.mended(ABOUT)
        elif told is None or told.code != fault.code:
            self._lines.fault(ABOUT, fault)

    def tell_missing(self, faults: Sequence[ConfigError]) -> None:
        """What the cards lack just now."""
        for about in [about for about in self._lines.faults if about.startswith("groups")]:
            self._lines.mended(about)
        for at, fault in enumerate(faults):
            self._lines.fault(f"groups {at}", fault)
        self._tell_absence()

    def _may_apply(self, busy: list[int]) -> None:
        if self._before is not None or self._task is not None:
            raise LineError("LIN-180", "another set-up is being tried", "Keep or undo that one first")
        if busy:
            what = f"channels {', '.join(map(str, busy))} change and carry calls or tests"
            raise LineError("LIN-181", what, "Block them and wait until they are free, or end the calls")

    # --- applying --------------------------------------------------------------------------------------------------------

    async def _apply(
        self, command: TrySetup, setup: LineSetup, wanted: LinesConfig, specs: dict[int, ChannelSpec], touched: set[int]
    ) -> None:
        now = self._now()
        before, diff = with_setup(msgspec.structs.replace(self._lines.config, spans=now.spans), None), line_setup.diff(now, setup)
        try:
            line_setup.write_trying(self._data_dir, setup)
            await self._reload.apply(wanted, specs)
        except CarelineError as error:
            self._not_applied(command, error)
            return
        except Exception as error:  # the outer border of a command: the lines are as before whatever is wrong with it
            log.exception("LIN-059 the set-up failed")
            self._not_applied(command, LineError("LIN-059", f"the set-up failed: {error!r}", "This is a fault of the program; see its log"))
            return
        self._whole = None
        self.tell_missing(())
        self._before = before
        self._until = self._lines.clock.now() + timedelta(seconds=command.confirm_s)
        self._timer = asyncio.get_running_loop().call_later(command.confirm_s, self._nobody_confirmed, command.confirm_s)
        log.warning("LIN-182 lines set up anew, %d channels changed; undone in %d s unless kept", len(touched), command.confirm_s)
        self._lines.outbox.emit(
            SetupChecked(command_id=command.command_id, diff=diff, touched=tuple(sorted(touched)), trying_until=self._until)
        )

    def _not_applied(self, command: TrySetup, error: CarelineError) -> None:
        line_setup.forget(self._data_dir)
        log.error("%s the set-up was not applied: %s. %s", error.code, error.what, error.remedy)
        failed = CommandFailed(command_id=command.command_id, code=error.code, what=error.what, remedy=error.remedy)
        self._lines.outbox.emit(failed)

    def _nobody_confirmed(self, waited_s: int) -> None:
        what = f"nobody confirmed the set-up within {waited_s} s"
        settled = SetupSettled(kept=False, code="LIN-183", what=what, remedy="Apply it again and confirm it when the lines work")
        self._begin(self._undo(settled))

    async def _undo(self, settled: SetupSettled) -> None:
        assert self._before is not None
        line_setup.forget(self._data_dir)
        before = self._before
        try:
            specs = predicted(self._card().found(), before.spans, self._reload.specs())
            await self._reload.apply(before, specs)
        except CarelineError as error:
            log.error("%s the set-up could not be undone: %s. %s", error.code, error.what, error.remedy)
            settled = SetupSettled(kept=False, code=error.code, what=error.what, remedy=error.remedy)
        self._over(settled)

    def _over(self, settled: SetupSettled) -> None:
        log.warning("LIN-182 the new set-up of the lines is %s", "kept" if settled.kept else "undone")
        if self._timer:
            self._timer.cancel()
        self._before = self._until = self._timer = None
        self._lines.outbox.emit(settled)
        if not self._lines.channels:
            self.start(self._lines.config)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.get_running_loop().create_task(work, name="set-up")
        self._task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        if not task.cancelled() and task.exception():
            log.error("LIN-059 the set-up failed", exc_info=task.exception())

    def _tell_checked(self, command_id: int, setup: LineSetup, touched: set[int], busy: list[int]) -> None:
        diff = line_setup.diff(self._now(), setup)
        self._lines.outbox.emit(SetupChecked(command_id=command_id, diff=diff, touched=tuple(sorted(touched)), busy=tuple(busy)))
