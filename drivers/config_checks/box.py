"""What the checks of `[lines]` look at. Pure."""

import json
from collections.abc import Callable, Collection

import msgspec

from drivers.channel_text import channel_text
from drivers.config import GroupConfig, LinesConfig
from drivers.io import ChannelSpec, Signalling
from drivers.protocol import NumberPlan

LINES = frozenset({Signalling.FXSKS, Signalling.FXSLS, Signalling.BCHAN, Signalling.CAS})
ANALOG_LINES = frozenset({Signalling.FXSKS, Signalling.FXSLS})
SETS = frozenset({Signalling.FXOKS, Signalling.FXOLS})
SET_UP_TABLES = ("spans", "groups", "pri", "r2")  # of LineSetup: in a file of their own once they were set up from the web


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """The lines as configured, the channels the card has, the groups and the numbers that follow from both.

    file, setup_file: where `[lines]` stands, and where its tables stand that were set up from the web (empty: nothing was).
    open_clip: tries a sound file; raises MediaError.
    """

    lines: LinesConfig
    specs: tuple[ChannelSpec, ...]
    groups: tuple[GroupConfig, ...]
    plan: NumberPlan
    open_clip: Callable[[str], object]
    file: str = "[lines]"
    setup_file: str = ""

    def at(self, key: str, value: object) -> str:
        """File, section, key and value of something below `[lines]`, as a person finds it: 'f.toml: lines.pri[0].span = 7'."""
        table = key.partition("[")[0].partition(".")[0]
        file = self.setup_file if self.setup_file and table in SET_UP_TABLES else self.file
        return f"{file}: lines.{key} = {json.dumps(value, ensure_ascii=False)}"

    def channels(self, *kinds: Signalling, span: int = 0) -> set[int]:
        """Numbers of the channels of these kinds, of that span or (0) of all."""
        return {spec.number for spec in self.specs if spec.signalling in kinds and span in (0, spec.span)}

    def grouped(self) -> set[int]:
        """Numbers of the channels in groups."""
        return {number for group in self.groups for number in group.numbers}


def named(numbers: Collection[int]) -> str:
    """As people say it: channel 4, channels 4-6."""
    return f"channel{'s' * (len(numbers) > 1)} {channel_text(sorted(numbers))}"
