"""Names in `[calls]` held against the lines each time these are told, since the call agent does not know them before. Event loop only."""

import logging
from collections.abc import Iterable
from pathlib import Path

from appliance.checks import errors_of, faults_of_names
from appliance.config import Config
from drivers.errors import CarelineError
from drivers.protocol import ChannelState, Event, GroupFound, GroupState, LinesFound, LinesReplaced, NumberPlan, Welcome

log = logging.getLogger("careline.calls")

SET_SIGNALLING = ("fxoks", "fxols")


class NamesWatch:
    """Told of the lines as a listener; logs what leads nowhere, once as long as it stays so."""

    def __init__(self, config: Config, file: Path) -> None:
        self._config = config
        self._file = file
        self._told: set[str] = set()

    def adopted(self, welcome: Welcome) -> None:
        self._look(found_of(welcome.groups, welcome.channels, welcome.number_plan))

    def lost(self, error: CarelineError) -> None:
        """They are told again when the line server is back."""

    def event(self, event: Event) -> None:
        if isinstance(event, LinesReplaced):
            self._look(found_of(event.groups, event.channels, event.number_plan))

    def _look(self, lines: LinesFound) -> None:
        faults = faults_of_names(self._config, lines, self._file)
        for fault in faults:
            if str(fault) not in self._told:
                log.log(logging.ERROR if errors_of([fault]) else logging.WARNING, "%s", fault)
        self._told = {str(fault) for fault in faults}


def found_of(groups: Iterable[GroupState], channels: Iterable[ChannelState], plan: NumberPlan) -> LinesFound:
    """The same as `careline check` is told by the line server."""
    sets = {channel.number for channel in channels if channel.signalling in SET_SIGNALLING}
    found = (GroupFound(name=group.name, channels=group.channels, is_sets=not sets.isdisjoint(group.channels)) for group in groups)
    return LinesFound(groups=tuple(found), number_plan=plan)
