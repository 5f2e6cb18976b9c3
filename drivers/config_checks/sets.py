"""Telephone sets: their numbers, what they dial by themselves, who may talk to the line server. Pure but for the list of user groups."""

import grp
from collections import defaultdict
from collections.abc import Iterator

from drivers.config_checks.box import LINES, SETS, Box, named
from drivers.errors import ConfigError, DoubtfulConfigError
from drivers.protocol import NumberKind


def hotlines(box: Box) -> Iterator[ConfigError]:
    """Write a number that the dial plan has; a set that calls it by itself would hear busy tone."""
    for at, port in enumerate(box.lines.sets.ports):
        if port.hotline and box.plan.destination(port.hotline) is None:
            where = box.at(f"sets.ports[{at}].hotline", port.hotline)
            remedy = "Write an extension, the operator's number, a service's code, or access code and number, as in [lines.dial_plan]"
            yield ConfigError("CFG-049", f"{where}: the dial plan has no such number", remedy)


def numbers_of_sets(box: Box) -> Iterator[ConfigError]:
    """Give each set one number of its own in [[lines.dial_plan.extensions]]: a second is never shown; without any nobody calls it."""
    numbers: dict[int, list[str]] = defaultdict(list)
    for row in box.plan.rows:
        if row.kind is NumberKind.EXTENSION and row.channel is not None:
            numbers[row.channel].append(row.pattern)
    where = box.at("dial_plan.extensions", [rule.numbers for rule in box.lines.dial_plan.extensions])
    for channel, found in numbers.items():
        if len(found) > 1:
            said = f"channel {channel}: the set has the numbers {', '.join(found)}"
            yield DoubtfulConfigError("CFG-059", f"{where}: {said}", "Give a set one number; calls from it show the first")
    sets = {number for group in box.groups if group.role == "extension" for number in group.numbers}
    if missing := sorted(sets & box.channels(*SETS) - numbers.keys()):
        said = f"{named(missing)}: a set without a number cannot be called by itself"
        yield DoubtfulConfigError("CFG-059", f"{where}: {said}", "Add numbers and channels for them to [[lines.dial_plan.extensions]]")


def emergency_calls(box: Box) -> Iterator[ConfigError]:
    """Connect a line to the outside: sets without one cannot call the police, the fire brigade or an ambulance."""
    if box.channels(*SETS) & box.grouped() and not box.channels(*LINES) & box.grouped():
        where = box.at("dial_plan.emergency_groups", list(box.lines.dial_plan.emergency_groups))
        said = "there are telephone sets and no line, so emergency calls lead nowhere"
        yield DoubtfulConfigError("CFG-063", f"{where}: {said}", "Set up a group with a line to the outside")


def socket_group(box: Box) -> Iterator[ConfigError]:
    """Make the group (`systemd-sysusers` makes careline), or correct its name: the line server could not open its socket."""
    name = box.lines.socket_group
    try:
        if name:
            grp.getgrnam(name)
    except KeyError:
        yield ConfigError("CFG-064", f"{box.at('socket_group', name)}: this machine has no such group of users", 'Usually it is "careline"')
