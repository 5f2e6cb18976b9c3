"""system.conf as we write it, applied by the real dahdi_cfg: PRI and R2 spans, and what a refusal looks like."""

import time
from collections.abc import Callable
from pathlib import Path

from drivers.dahdi.configure import apply_own, configure
from drivers.dahdi.control import Control
from drivers.dahdi.device import Channel
from drivers.dahdi.setup import CardSetup, ChannelGroup, DynamicSpan, SpanLine
from drivers.errors import ConfigError
from drivers.io import LineEvent, Signalling
from tests.lab import cards
from tests.lab.scenario import Report, scenario

E1_PAIR = (DynamicSpan("loc", "1:0", 31), DynamicSpan("loc", "1:1", 31))


@scenario()
def pri(report: Report) -> None:
    """A pair of E1 spans for PRI: B and D channels, A-law."""
    groups = (
        ChannelGroup("1-15,17-31,32-46,48-62", Signalling.BCHAN, law="alaw"),
        ChannelGroup("16,47", Signalling.DCHAN),
    )
    cards.install(CardSetup(dynamic_spans=E1_PAIR, groups=groups))
    assert _kinds() == {Signalling.BCHAN: 60, Signalling.DCHAN: 2}
    channel = Channel(1)
    channel.set_audio_mode()
    report.figure("channels", 62)


@scenario()
def r2(report: Report) -> None:
    """The same pair for MFC/R2: CAS bits cross."""
    cards.install(CardSetup(dynamic_spans=E1_PAIR, groups=(ChannelGroup("1-15,17-31,32-46,48-62", Signalling.CAS, law="alaw"),)))
    assert _kinds() == {Signalling.CAS: 60}
    here = Channel(1)
    there = Channel(32)
    assert here.rx_bits() == 0b1101
    there.set_tx_bits(0b0001)
    deadline = time.monotonic() + 5
    while here.rx_bits() != 0b0001:
        assert time.monotonic() < deadline, f"{here.rx_bits():04b}"
        time.sleep(0.01)
    seen = list(iter(here.get_event, 0))
    report.figure("events", str(seen))
    assert LineEvent.BITSCHANGED in seen


@scenario()
def again(report: Report) -> None:
    """Applying the same setup twice changes nothing and fails nothing."""
    wanted = cards.analogue_pairs(4)
    cards.install(wanted)
    before = _kinds()
    configure(wanted, cards.SYSTEM_CONF)
    assert _kinds() == before
    report.figure("channels", sum(before.values()))


@scenario()
def refusals(report: Report) -> None:
    """Each mistake that only the kernel can see comes back with its line and a remedy."""
    mistakes = {
        "span that is not there": CardSetup(spans=(SpanLine(9),)),
        "zone nobody knows": CardSetup(zones=("xx",)),
        "channel that is not there": CardSetup(groups=(ChannelGroup("900", Signalling.FXSKS),)),
        "canceller that is not there": CardSetup(groups=(ChannelGroup("1", Signalling.FXSKS, echo_canceller="nosuch"),)),
    }
    cards.install(cards.analogue_pairs(1))
    for name, wanted in mistakes.items():
        refusal = _refusal(wanted)
        report.remark(f"{name}: {refusal}")
        assert refusal.startswith("LIN-110: "), refusal


OWN_MISTAKES = {
    "a channel twice": ("bchan=1-15,17-31\ndchan=16\nbchan=16\n", "bchan=16", "once"),
    "signalling nobody knows": ("fxskz=1\n", "fxskz=1", "Signalling"),
    "channels that are no numbers": ("bchan=a-b\n", "bchan=a-b", "1-15,17-31"),
    "bits that are missing": ("cas=1-15\n", "cas=1-15", "1101"),
    "bits that are no bits": ("cas=1-15:12\n", "cas=1-15:12", "1101"),
    "a D-channel that is not there": ("bchan=1-15,17-31\ndchan=900\n", "dchan=900", "no such channel"),
}
"""What a hospital may write into its own system.conf: text, the line that is named, a word of the remedy."""


@scenario()
def own_mistakes(report: Report) -> None:
    """The hospital's own system.conf with each mistake: refused with its line and a remedy; calls on other spans go on."""
    cas = ChannelGroup("63-77,79-93,94-108,110-124", Signalling.CAS, law="alaw")
    two = (DynamicSpan("loc", "2:0", 31), DynamicSpan("loc", "2:1", 31))
    cards.install(CardSetup(dynamic_spans=(*E1_PAIR, *two), groups=(cas,)))
    here, there = Channel(63), Channel(94)
    own = Path("/tmp/own.conf")
    wrong: list[str] = []
    for turn, (name, (text, line, word)) in enumerate(OWN_MISTAKES.items()):
        own.write_text(f"# by hand\n{text}loadzone=cn\ndefaultzone=cn\n")
        refusal = _refused(lambda: apply_own(own))
        report.remark(f"{name}: {refusal}")
        if not (refusal.startswith("LIN-110: ") and line in refusal and word in refusal):
            wrong.append(refusal)
        here.set_tx_bits(turn)
        deadline = time.monotonic() + 5
        while there.rx_bits() != turn:
            assert time.monotonic() < deadline, f"{there.rx_bits():04b}"
            time.sleep(0.01)
    report.figure("mistakes", len(OWN_MISTAKES))
    assert not wrong, wrong


def _refused(step: Callable[[], None]) -> str:
    try:
        step()
    except ConfigError as error:
        return str(error)
    return "accepted"


def _refusal(wanted: CardSetup) -> str:
    return _refused(lambda: configure(wanted, cards.SYSTEM_CONF))


def _kinds() -> dict[Signalling, int]:
    with Control() as control:
        kinds = [channel.signalling for channel in control.channels() if channel.signalling is not None]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
