"""Joining two legs: inside the card where that is possible, else in the media core. Line server's event loop only.

Who the card joins need the media core only to be recorded, listened to, or for tones that end a call; else their audio does not pass it at
all. Legs that are muted, amplified, spoken or listened through are joined in the media core, and go back into the card afterwards. The
change makes no gap: on the way out the card joins them until the media core's audio has come through its queue, on the way back the card
joins them first.
"""

import asyncio
import logging

from drivers.errors import LineError
from drivers.protocol import Bridged, LegPhase, Unbridged
from drivers.server.conferences import Conferences
from drivers.server.lines import Lines
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

BLOCK_MS = 20
MARGIN_BLOCKS = 3  # a block on its way in, one being mixed, one for a late tick


class Bridges:
    """`_in_card`: whom the card joins with whom at this moment, which can be a little longer than the book says."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._in_card: dict[str, str] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._conferences = Conferences(lines, self)
        lines.leg_quieter = self.review

    def close(self) -> None:
        """Stop timers; who is joined stays joined."""
        for timer in self._leaving.values():
            timer.cancel()

    # --- what the call agent wants -----------------------------------------------------------------------------------

    def join(self, leg: str, other: str, native: bool) -> None:
        """Join two answered legs, parting each from whom it had before. Raises: LineError LIN-030, LIN-031, LIN-039."""
        self._must_be_two(leg, other)
        for each in (leg, other):
            self._lines.book.update_audio(each, mixed=not native)
        if self._lines.book.state(leg).bridged_with == other:
            self.review(leg)
            return
        for each in (leg, other):
            self.part(each)
        self.connect(leg, other)

    def confer(self, leg: str, other: str) -> None:
        """Let `leg` join `other` and whom it talks with; with nobody: leave. Raises: as join."""
        if not other:
            self._conferences.leave(leg)
            return
        self._must_be_two(leg, other)
        self._conferences.join(leg, other)

    def part(self, leg: str) -> None:
        """Part a leg from its partner or its conference; harmless when it has none. Raises: LineError LIN-030."""
        self._conferences.leave(leg)
        other = self._lines.book.state(leg).bridged_with
        if other is None:
            self.cut_from_card(leg)
            return
        self._take_apart(leg, self._lines.channel_of(leg), other)
        for each in (leg, other):
            self._lines.book.update(each, bridged_with=None, native=False)
        for each in (leg, other):
            self._lines.outbox.emit(Unbridged(leg=each))

    def review(self, leg: str) -> None:
        """Something about the leg has changed: is it joined where it should be, and heard by the media core if need be?"""
        if leg not in self._lines.book:
            return
        state = self._lines.book.state(leg)
        if state.bridged_with is None or state.phase is not LegPhase.ANSWERED:
            return
        other = state.bridged_with
        wanted = self._may_be_in_card(leg, other)
        if state.native and not wanted:
            self._to_core(leg, other)
        elif wanted and not state.native:
            self._to_card(leg, other)
        self._follow(leg, other)

    # --- what happens to legs ----------------------------------------------------------------------------------------

    def leg_over(self, leg: str, channel: Channel) -> None:
        """The leg has been released; `channel` was its. The partner stays, alone; nobody listens to the channel's next call."""
        self._end_taps(leg)
        self._conferences.leg_over(leg, channel)
        other = self._lines.book.state(leg).bridged_with
        if other is None:
            self.cut_from_card(leg, channel=channel)
            return
        self._take_apart(leg, channel, other)
        self._lines.book.update(leg, bridged_with=None, native=False)
        self._lines.book.update(other, bridged_with=None, native=False)
        self._lines.outbox.emit(Unbridged(leg=other))

    def restore(self, leg: str, other: str, native: bool) -> None:
        """After a restart: the card still joins them (`native`), or the media core has to do it again."""
        if native:
            self._in_card |= {leg: other, other: leg}
            self._lines.port_of(leg).native_peer(self._lines.port_of(other))
            self._note(leg, other, native=True)
            self.review(leg)
        else:
            self.connect(leg, other)

    def restore_conference(self, leg: str) -> None:
        """After a restart: who is still there is joined again."""
        self._conferences.restore(leg)

    def connect(self, leg: str, other: str) -> None:
        """Join two that are with nobody (any more)."""
        self.cut_from_card(leg, other)
        self.cut_from_card(other, leg)
        mine, theirs = self._lines.channel_of(leg), self._lines.channel_of(other)
        joined = self._may_be_in_card(leg, other) and self._join_in_card(leg, other)
        if joined:
            self._stay(leg, other)
            mine.port.native_peer(theirs.port)
        else:
            mine.port.bridge(theirs.port)
        self._note(leg, other, joined)
        self._lines.outbox.emit(Bridged(leg=leg, other=other, native=joined))
        self._follow(leg, other)

    def leave_card_later(self, leg: str, other: str) -> None:
        """The media core has begun to join them: the card does until that can be heard."""
        if self._in_card.get(leg) != other:
            return
        wait_s = (self._lines.config.engine.write_ahead + MARGIN_BLOCKS) * BLOCK_MS / 1000
        self._stay(leg, other)
        self._leaving[min(leg, other)] = asyncio.get_running_loop().call_later(wait_s, self.cut_from_card, leg)

    def cut_from_card(self, leg: str, but: str = "", channel: Channel | None = None) -> None:
        """The card joins the leg with nobody (`but` that one) from now on. `channel`: of a leg that has lost it."""
        former = self._in_card.get(leg)
        if former is None or former == but:
            return
        self._stay(leg, former)
        for name, each in ((leg, channel or self._lines.channel_with(leg)), (former, self._lines.channel_with(former))):
            self._in_card.pop(name, None)
            if each is not None:
                _native_unbridge(each)

    # --- between card and media core -----------------------------------------------------------------------------------

    def _to_core(self, leg: str, other: str) -> None:
        mine, theirs = self._lines.channel_of(leg), self._lines.channel_of(other)
        for channel in (mine, theirs):
            channel.follow(True)
        mine.port.bridge(theirs.port)
        if mine.port.keys_are_masked or theirs.port.keys_are_masked:
            self.cut_from_card(leg)  # a moment of silence rather than a key heard
        else:
            self.leave_card_later(leg, other)
        self._note(leg, other, native=False)
        self._lines.outbox.emit(Bridged(leg=leg, other=other, native=False))

    def _to_card(self, leg: str, other: str) -> None:
        self._stay(leg, other)
        if self._in_card.get(leg) != other and not self._join_in_card(leg, other):
            return
        self._lines.port_of(leg).native_peer(self._lines.port_of(other))
        self._note(leg, other, native=True)
        self._lines.outbox.emit(Bridged(leg=leg, other=other, native=True))

    def _stay(self, leg: str, other: str) -> None:
        if timer := self._leaving.pop(min(leg, other), None):
            timer.cancel()

    def _join_in_card(self, leg: str, other: str) -> bool:
        """False when the card cannot or will not; the media core can always."""
        mine, theirs = self._lines.channel_of(leg), self._lines.channel_of(other)
        if mine.io is None or theirs.io is None:
            return False
        try:
            joined = mine.io.native_bridge(theirs.io)
        except LineError as error:
            log.error("%s channels %d and %d: %s. %s", error.code, mine.number, theirs.number, error.what, error.remedy)
            return False
        if joined:
            self._in_card |= {leg: other, other: leg}
        return joined

    def _take_apart(self, leg: str, channel: Channel, other: str) -> None:
        """The kernel joins each direction by itself, so both are parted."""
        partner = self._lines.channel_of(other)
        self.cut_from_card(leg, channel=channel)
        for each in (channel, partner):
            each.port.unbridge()
        partner.follow(True)
        if channel.leg == leg:
            channel.follow(True)

    # --- what is asked of the legs -------------------------------------------------------------------------------------

    def _must_be_two(self, leg: str, other: str) -> None:
        if leg == other:
            raise LineError("LIN-039", f"leg {leg} cannot be joined to itself", "Name two legs")
        for each in (leg, other):
            self._lines.state_in(each, LegPhase.ANSWERED)

    def _may_be_in_card(self, leg: str, other: str) -> bool:
        return self._lines.config.native_bridge and self._is_plain(leg) and self._is_plain(other)

    def _is_plain(self, leg: str) -> bool:
        """Nothing is changed in what it says and hears."""
        kept = self._lines.book.get(leg)
        audio, play = kept.audio, kept.state.play
        plays = play is not None and play.end is None
        if plays or self._lines.port_of(leg).keys_are_masked:
            return False
        return not (audio.tone or audio.mixed or audio.tap or audio.mute_rx or audio.mute_tx or audio.rx_db or audio.tx_db)

    def _is_heard(self, leg: str) -> bool:
        """The media core has something to do with its audio although the card joins it."""
        kept = self._lines.book.get(leg)
        records = any(not recording.stopped for recording in kept.state.recordings)
        tapped = any(each.audio.tap == leg for each in self._lines.book if each.state.phase is not LegPhase.RELEASED)
        return records or tapped or bool(kept.audio.silence_ms or kept.audio.tones)

    def _follow(self, leg: str, other: str) -> None:
        heard = not self._lines.book.state(leg).native or self._is_heard(leg) or self._is_heard(other)
        for each in (leg, other):
            self._lines.channel_of(each).follow(heard)

    def _end_taps(self, target: str) -> None:
        for kept in self._lines.book:
            if kept.audio.tap == target and kept.state.phase is not LegPhase.RELEASED:
                self._lines.port_of(kept.state.leg).tap(None)
                self._lines.book.update_audio(kept.state.leg, tap="")

    def _note(self, leg: str, other: str, native: bool) -> None:
        self._lines.book.update(leg, bridged_with=other, native=native, conference=())
        self._lines.book.update(other, bridged_with=leg, native=native, conference=())


def _native_unbridge(channel: Channel) -> None:
    try:
        if channel.io is not None:
            channel.io.native_unbridge()
    except LineError as error:  # a card that was pulled refuses; the call ends all the same
        log.error("%s channel %d: %s. %s", error.code, channel.number, error.what, error.remedy)
