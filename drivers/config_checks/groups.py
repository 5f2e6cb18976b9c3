"""Trunk groups against the channels the card has. Pure."""

from collections.abc import Iterator

from drivers.channel_text import channel_text
from drivers.config import GroupConfig
from drivers.config_checks.box import ANALOG_LINES, LINES, SETS, Box, named
from drivers.errors import ConfigError, DoubtfulConfigError
from drivers.io import Signalling
from drivers.line_profiles import channels_of
from drivers.protocol import NumberKind


def d_channels_in_groups(box: Box) -> Iterator[ConfigError]:
    """Take the D-channel (timeslot 16 of an E1) out of the group: it carries the signalling and no call."""
    links = box.channels(Signalling.DCHAN)
    for at, group in enumerate(box.lines.groups):
        if wrong := sorted(links & set(group.numbers)):
            said = f"{named(wrong)}: a D-channel carries no calls"
            yield ConfigError("CFG-033", f"{box.at(f'groups[{at}].channels', group.channels)}: {said}", 'Leave it out, as in "1-15,17-31"')


def roles_of_groups(box: Box) -> Iterator[ConfigError]:
    """Say role = "extension" of groups of telephone sets and of no others; put sets and lines into groups of their own."""
    for at, group in enumerate(box.lines.groups):
        strange = sorted(box.channels(*_strange_to(group)) & set(group.numbers))
        if not strange:
            continue
        if group.role == "extension":
            said, remedy = "not for telephone sets", 'Leave role out: role = "extension" is for telephone sets only'
        else:
            said, remedy = "for telephone sets, where calls out would end", 'Say role = "extension"; lines have a group of their own'
        where = box.at(f"groups[{at}].role", group.role)
        yield DoubtfulConfigError("CFG-039", f'{where}: {named(strange)} of group "{group.name}": {said}', remedy)


def _strange_to(group: GroupConfig) -> frozenset[Signalling]:
    return LINES if group.role == "extension" else SETS


def channels_without_group(box: Box) -> Iterator[ConfigError]:
    """Put the channels into a group; until then nobody answers them and no call goes out by them."""
    left = sorted(box.channels(*LINES, *SETS) - box.grouped())
    if box.lines.groups and left:
        where = box.at("groups", [group.name for group in box.lines.groups])
        said = f"{named(left)} of the card: in no group, so calls are not answered there"
        yield DoubtfulConfigError("CFG-040", f"{where}: {said}", "Add them to a group's channels, or do not connect them")


def profiles_of_lines(box: Box) -> Iterator[ConfigError]:
    """Name analogue lines in a profile's channels; others have no use for one."""
    analog = box.channels(*ANALOG_LINES)
    for at, profile in enumerate(box.lines.profiles):
        if wrong := sorted(set(channels_of(profile)) - analog):
            where = box.at(f"profiles[{at}].channels", profile.channels)
            remedy = f"Such lines are: {channel_text(sorted(analog)) or 'none'}"
            yield DoubtfulConfigError("CFG-041", f"{where}: {named(wrong)}: no analogue line of the card", remedy)


def ways_out(box: Box) -> Iterator[ConfigError]:
    """Let the group that calls out go by have channels that make calls: not all incoming_only, nor all in reserve for callers."""
    wanted = dict.fromkeys(row.group for row in box.plan.rows if row.kind is NumberKind.OUTSIDE)
    for at, group in enumerate(box.lines.groups):
        out = sum(group.carries_out(number) for number in group.numbers)
        if group.name in wanted and out == 0:
            where, said = box.at(f"groups[{at}].incoming_only", group.incoming_only), "none of its channels makes calls"
        elif group.name in wanted and group.reserve >= len(group.numbers):
            where, said = box.at(f"groups[{at}].reserve", group.reserve), "all of its channels are kept for callers"
        else:
            continue
        said += f", and the dial plan's calls out go by group {group.name}"
        yield DoubtfulConfigError("CFG-085", f"{where}: {said}", "Leave some for calls out, or name another in [[lines.dial_plan.outside]]")
