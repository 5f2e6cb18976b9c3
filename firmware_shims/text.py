"""Answers as lines for a person. Pure."""

from collections.abc import Iterator

from drivers.protocol import Card, CardLoaded, CardStage, FirmwareAnswer, FirmwareFile
from firmware_shims.checks import Checked

STAGES = {
    CardStage.BARE: "no firmware",
    CardStage.FIRMWARE: "firmware, FPGA empty",
    CardStage.FOUND: "complete, no driver",
    CardStage.DRIVER: "driver, no spans",
    CardStage.SPANS: "ready",
}


def lines(answer: FirmwareAnswer) -> Iterator[str]:
    if answer.told is not None:
        if not answer.told.cards:
            yield "No telephony card was found."
        for card in answer.told.cards:
            yield from _card_lines(card)
        for file in answer.told.files:
            yield _file_line(file)
    for each in answer.loaded:
        yield from _loaded_lines(each)
    if answer.file is not None:
        yield _file_line(answer.file)


def file_of(checked: Checked) -> FirmwareFile:
    """A file that is not kept."""
    size = len(checked.content)
    return FirmwareFile(name=checked.name, kind=checked.kind, size_bytes=size, sha256=checked.sha256, version=checked.version)


def _card_lines(card: Card) -> Iterator[str]:
    name = f" {card.hardware_id}" if card.hardware_id else f" @{card.location}" if card.location else ""
    yield f"{card.bus} {card.where}  {card.name} ({card.ids}){name}: {STAGES[card.stage]}"
    for span in card.spans:
        channels = f"channels {span.first_channel}-{span.first_channel + span.channels - 1}" if span.number else "without a number"
        yield f"    span {span.number or '-'}  {span.name or span.kind}  {channels}"
    for file in card.files:
        wanted = "" if file.required else " (may be missing)"
        yield f"    file {file.name}: {file.state}{wanted} {file.version} {file.sha256[:12]}".rstrip()
    for fault in card.faults:
        yield f"    {'✗' if fault.blocking else '!'} {fault.code}: {fault.what}"
        yield f"      {fault.remedy}"


def _loaded_lines(each: CardLoaded) -> Iterator[str]:
    yield f"{each.where}  {each.name}: {STAGES[each.before]} → {STAGES[each.after]}, {each.took_ms / 1000:.1f} s"
    for step in each.steps:
        yield f"    {step}"
    if each.fault is not None:
        yield f"    ✗ {each.fault.code}: {each.fault.what}"
        yield f"      {each.fault.remedy}"


def _file_line(file: FirmwareFile) -> str:
    fault = f"  ✗ {file.fault}" if file.fault else ""
    return f"{file.name}  {file.kind.value}  {file.size_bytes} bytes  {file.version or '-'}  sha256 {file.sha256}{fault}"
