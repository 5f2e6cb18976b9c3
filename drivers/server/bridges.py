"""Joining two legs: inside the card where that is possible, else in the media core. Line server's event loop only.

A leg that is muted or amplified cannot stay joined inside the card and is moved to the media core. Recordings and taps work in both.
"""

import logging

from drivers.errors import LineError
from drivers.protocol import Bridged, LegPhase, Unbridged
from drivers.server.lines import Lines
from drivers.spans import Channel

log = logging.getLogger("careline.lines")


class Bridges:
    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def join(self, leg: str, other: str, native: bool) -> None:
        """Join two answered legs, parting each from whom it had before. Raises: LineError LIN-030, LIN-031, LIN-039."""
        if leg == other:
            raise LineError("LIN-039", f"leg {leg} cannot be joined to itself", "Name two legs")
        for each in (leg, other):
            self._lines.state_in(each, LegPhase.ANSWERED)
        if self._lines.book.state(leg).bridged_with == other:
            return
        for each in (leg, other):
            self.part(each)
        self._connect(leg, other, native and self._lines.config.native_bridge and self._plain(leg) and self._plain(other))

    def part(self, leg: str) -> None:
        """Part a leg from its partner; harmless when it has none. Raises: LineError LIN-030."""
        other = self._lines.book.state(leg).bridged_with
        if other is None:
            return
        self._disconnect(leg)
        for each in (leg, other):
            self._lines.book.update(each, bridged_with=None, native=False)
        for each in (leg, other):
            self._lines.outbox.emit(Unbridged(leg=each))

    def leg_over(self, leg: str, channel: Channel) -> None:
        """The leg has been released; `channel` was its. The partner stays, alone; nobody listens to the channel's next call."""
        self._end_taps(leg)
        state = self._lines.book.state(leg)
        if state.bridged_with is None:
            return
        self._take_apart(channel, state.bridged_with, state.native)
        self._lines.book.update(leg, bridged_with=None, native=False)
        self._lines.book.update(state.bridged_with, bridged_with=None, native=False)
        self._lines.outbox.emit(Unbridged(leg=state.bridged_with))

    def _end_taps(self, target: str) -> None:
        for kept in self._lines.book:
            if kept.audio.tap == target and kept.state.phase is not LegPhase.RELEASED:
                self._lines.port_of(kept.state.leg).tap(None)
                self._lines.book.update_audio(kept.state.leg, tap="")

    def move_to_core(self, leg: str) -> None:
        """The leg's audio is to be changed: no longer inside the card."""
        state = self._lines.book.state(leg)
        if state.native and state.bridged_with:
            self._disconnect(leg)
            self._connect(leg, state.bridged_with, native=False)

    def restore(self, leg: str, other: str, native: bool) -> None:
        """After a restart: the card still joins them (`native`), or the media core has to do it again."""
        mine, theirs = self._lines.channel_of(leg), self._lines.channel_of(other)
        if native:
            mine.port.native_peer(theirs.port)
            self._note(leg, other, native=True)
        else:
            self._connect(leg, other, native=False)

    def _connect(self, leg: str, other: str, native: bool) -> None:
        mine, theirs = self._lines.channel_of(leg), self._lines.channel_of(other)
        joined = native and _join_in_card(mine, theirs)
        if joined:
            mine.port.native_peer(theirs.port)
        else:
            mine.port.bridge(theirs.port)
        self._note(leg, other, joined)
        self._lines.outbox.emit(Bridged(leg=leg, other=other, native=joined))

    def _note(self, leg: str, other: str, native: bool) -> None:
        self._lines.book.update(leg, bridged_with=other, native=native)
        self._lines.book.update(other, bridged_with=leg, native=native)

    def _disconnect(self, leg: str) -> None:
        state = self._lines.book.state(leg)
        if state.bridged_with is not None:
            self._take_apart(self._lines.channel_of(leg), state.bridged_with, state.native)

    def _take_apart(self, channel: Channel, other: str, native: bool) -> None:
        """The kernel joins each direction by itself, so both are parted."""
        partner = self._lines.channel_of(other)
        for each in (channel, partner):
            try:
                if native and each.io is not None:
                    each.io.native_unbridge()
            except LineError as error:  # a card that was pulled refuses; the call ends all the same
                log.error("%s channel %d: %s. %s", error.code, each.number, error.what, error.remedy)
            each.port.unbridge()

    def _plain(self, leg: str) -> bool:
        audio = self._lines.book.get(leg).audio
        return not (audio.mute_rx or audio.mute_tx or audio.rx_db or audio.tx_db)


def _join_in_card(mine: Channel, theirs: Channel) -> bool:
    """False when the card cannot or will not; the media core can always."""
    if mine.io is None or theirs.io is None:
        return False
    try:
        return mine.io.native_bridge(theirs.io)
    except LineError as error:
        log.error("%s channels %d and %d: %s. %s", error.code, mine.number, theirs.number, error.what, error.remedy)
        return False
