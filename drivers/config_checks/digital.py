"""`[[lines.pri]]` and `[[lines.r2]]` against the spans the card has. Pure."""

from collections.abc import Iterator

from drivers.channel_text import channel_numbers, channel_text
from drivers.config_checks.box import Box, named
from drivers.errors import ConfigError
from drivers.io import Signalling
from drivers.signalling.pri.config import PriConfig, config_of, numbers_of


def pri_sections(box: Box) -> Iterator[ConfigError]:
    """Give the section the number of a span with B-channels and a D-channel, and channels of that span; else it is never used."""
    links = {spec.number: spec.span for spec in box.specs if spec.signalling is Signalling.DCHAN}
    have = f"D-channels there are: {', '.join(f'{number} (span {span})' for number, span in sorted(links.items())) or 'none'}"
    for at, section in enumerate(box.lines.pri):
        if section.d_channel and section.d_channel not in links:
            where = box.at(f"pri[{at}].d_channel", section.d_channel)
            yield ConfigError("CFG-042", f"{where}: it is no D-channel of the card", have)
        elif section.span and section.span not in links.values():
            yield ConfigError("CFG-042", f"{box.at(f'pri[{at}].span', section.span)}: {_lacks(box, section.span, 'D-channel')}", have)
        elif section.span and section.d_channel and links[section.d_channel] != section.span:
            where = box.at(f"pri[{at}].d_channel", section.d_channel)
            said = f"it is on span {links[section.d_channel]}, not {section.span}"
            yield ConfigError("CFG-042", f"{where}: {said}", "Name the span or the D-channel; one is enough")
        else:
            yield from _pri_channels(box, at, section, links)


def _pri_channels(box: Box, at: int, section: PriConfig, links: dict[int, int]) -> Iterator[ConfigError]:
    span = links.get(section.d_channel, section.span)
    there = box.channels(Signalling.BCHAN, span=span)
    if section.channels and (wrong := sorted(set(channel_numbers(section.channels)) - there)):
        where = box.at(f"pri[{at}].channels", section.channels)
        of = f"of span {span}" if span else "of the card"
        remedy = f"They are: {channel_text(sorted(there)) or 'none'}"
        yield ConfigError("CFG-042", f"{where}: {named(wrong)}: no B-channel {of}", remedy)


def r2_sections(box: Box) -> Iterator[ConfigError]:
    """Give the section the number of a span whose channels are `cas`, or such channels; else it is never used."""
    for at, section in enumerate(box.lines.r2):
        there = box.channels(Signalling.CAS, span=section.span)
        remedy = f"Such channels are: {channel_text(sorted(box.channels(Signalling.CAS))) or 'none'}"
        if section.span and not there:
            where = box.at(f"r2[{at}].span", section.span)
            yield ConfigError("CFG-043", f"{where}: {_lacks(box, section.span, 'channel that is cas')}", remedy)
        elif section.channels and (wrong := sorted(set(channel_numbers(section.channels)) - there)):
            where = box.at(f"r2[{at}].channels", section.channels)
            of = f"of span {section.span}" if section.span else "of the card"
            yield ConfigError("CFG-043", f"{where}: {named(wrong)}: no cas channel {of}", remedy)
        elif not section.span and not section.channels and not there:
            where = box.at(f"r2[{at}].variant", section.variant)
            yield ConfigError("CFG-043", f"{where}: the card has no channel that is cas", "Leave [[lines.r2]] out, or set up a span as cas")


def b_channels_without_link(box: Box) -> Iterator[ConfigError]:
    """Set up the span's D-channel (timeslot 16 of an E1, 24 of a T1), or add its B-channels to the [[lines.pri]] that has it."""
    specs = {spec.number: spec for spec in box.specs}
    links = [spec for spec in box.specs if spec.signalling is Signalling.DCHAN]
    served = {number for link in links for number in numbers_of(config_of(link, box.lines.pri), link, specs)}
    if alone := sorted(box.channels(Signalling.BCHAN) & box.grouped() - served):
        where = box.at("pri", [section.channels or f"span {section.span}" for section in box.lines.pri])
        said = f"B-{named(alone)}: served by no D-channel, so no call can be made or taken there"
        remedy = "Set up the span's D-channel (dchan), and let its [[lines.pri]] name these channels, or none"
        yield ConfigError("CFG-044", f"{where}: {said}", remedy)


def _lacks(box: Box, span: int, kind: str) -> str:
    spans = sorted({spec.span for spec in box.specs})
    if span in spans:
        return f"span {span} has no {kind}"
    return f"there is no span {span}; spans are {', '.join(map(str, spans)) or 'none'}"
