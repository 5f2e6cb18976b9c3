"""Opening the channels and taking over the calls an earlier process left behind. Line server's event loop only, at start.

Descriptors come from the store as "channel-N", calls from the book of legs, bridges from the card itself. A call that cannot be taken over
is in the snapshot as released with cause 41 (temporary failure), never lost without a word.
"""

import logging
import os

from drivers.care import ChannelCare
from drivers.channel_text import channel_text
from drivers.config import GroupConfig
from drivers.dial_plan import DialPlan, GroupFacts, number_plan
from drivers.errors import CarelineError, LineError
from drivers.fdstore import FdStore
from drivers.io import ChannelIO, ChannelSpec, Signalling
from drivers.legs import KeptLeg
from drivers.protocol import BlockedBy, Cause, LegPhase, NumberPlan, PlayEnd
from drivers.server.bridges import Bridges
from drivers.server.calls import Calls
from drivers.server.lines import Lines
from drivers.server.presence import specs_of
from drivers.server.recordings import Recordings
from drivers.server.trunk_links import TrunkLinks
from drivers.signalling import Signaller
from drivers.signalling.fxo import FxsSignalled
from drivers.signalling.fxs_kinds import set_signaller
from drivers.signalling.r2 import R2Line, span_of
from drivers.spans import Channel

log = logging.getLogger("careline.lines")

FXS_SIGNALLED = (Signalling.FXSKS, Signalling.FXSLS)
FXO_SIGNALLED = (Signalling.FXOKS, Signalling.FXOLS)


def groups_for(groups: tuple[GroupConfig, ...], specs: tuple[ChannelSpec, ...]) -> tuple[GroupConfig, ...]:
    """The groups configured, or else one of the lines and one of the sets."""
    if groups:
        return groups
    kinds = (("trunk", (*FXS_SIGNALLED, Signalling.BCHAN, Signalling.CAS), "trunk"), ("sets", FXO_SIGNALLED, "extension"))
    found: list[GroupConfig] = []
    for name, signalling, role in kinds:
        numbers = sorted(spec.number for spec in specs if spec.signalling in signalling)
        if numbers:
            found.append(GroupConfig(name=name, channels=channel_text(numbers), role="trunk" if role == "trunk" else "extension"))
    return tuple(found)


def plan_for(plan: DialPlan, groups: tuple[GroupConfig, ...], file: str = "[lines]") -> NumberPlan:
    """What can be dialled at the sets. Raises: ConfigError CFG-070 to CFG-074."""
    return number_plan(plan, {group.name: GroupFacts(group.numbers, group.role == "extension") for group in groups}, file)


def plan_in_use(plan: DialPlan, groups: tuple[GroupConfig, ...]) -> NumberPlan:
    """As plan_for; without any line it is empty, whatever groups it names."""
    return plan_for(plan, groups) if groups else NumberPlan()


class Adoption:
    def __init__(
        self, lines: Lines, calls: Calls, bridges: Bridges, recordings: Recordings, links: TrunkLinks, store: FdStore | None
    ) -> None:
        self._lines = lines
        self._calls = calls
        self._bridges = bridges
        self._recordings = recordings
        self._links = links
        self._store = store
        self._adopted: set[int] = set()

    # --- channels ----------------------------------------------------------------------------------------------------

    def open_channels(self, groups: tuple[GroupConfig, ...]) -> None:
        """Open every channel of the groups; one that cannot be opened is there, in alarm. Raises: LineError LIN-034."""
        kept = self._store.fetch() if self._store else {}
        blocked = self._lines.blocked_before()
        specs = {spec.number: spec for spec in specs_of(self._lines.card)}
        self._lines.number_plan = plan_in_use(self._lines.config.dial_plan, groups)
        self._links.plan(groups)
        for group in groups:
            for number in group.numbers:
                self._add(specs[number], group, kept.pop(f"channel-{number}", None))
                if number in blocked:
                    self._lines.channels[number].care.block(BlockedBy.PERSON)
        for name, fd in kept.items():
            log.warning("LIN-044 stored line %s belongs to no group any more; closed", name)
            self._drop(name)
            os.close(fd)

    def _add(self, spec: ChannelSpec, group: GroupConfig, kept_fd: int | None) -> None:
        signaller = self._signaller(spec, group)
        io = self._open(spec, kept_fd)
        port = self._lines.media.new_port(spec.number, spec.law)
        if isinstance(signaller, FxsSignalled) and (tones := signaller.profile.tones.written()):
            port.use_tones(tones)
        care = ChannelCare(self._lines.clock, self._lines.config.care, group.role == "extension")
        self._lines.channels[spec.number] = Channel(
            spec, group, io, signaller, port, self._calls, self._lines.performer, care, self._lines.config.sets.flash_max_ms
        )

    def _signaller(self, spec: ChannelSpec, group: GroupConfig) -> Signaller:
        config = self._lines.config
        if spec.signalling in FXS_SIGNALLED:
            return FxsSignalled(spec.number, config.profile_of(spec.number, group))
        if spec.signalling in FXO_SIGNALLED:
            return set_signaller(spec.number, config.sets, self._lines.number_plan)
        if spec.signalling is Signalling.BCHAN:
            return self._links.signaller(spec.number)
        if spec.signalling is Signalling.CAS:
            return R2Line(spec.number, span_of(config.r2, spec.number, spec.span), self._lines.clock.monotonic_s)
        what = f"channel {spec.number} is set up for {spec.signalling.value}, which this version does not speak"
        raise LineError("LIN-034", what, "Take it out of [[lines.groups]]")

    def _open(self, spec: ChannelSpec, kept_fd: int | None) -> ChannelIO | None:
        if kept_fd is not None:
            if io := self._try_open(spec.number, kept_fd):
                self._adopted.add(spec.number)
                return io
            self._drop(f"channel-{spec.number}")
        io = self._try_open(spec.number, None)
        if io is not None and (fd := io.store_fd()) is not None:
            self._keep(f"channel-{spec.number}", fd)
        return io

    def _try_open(self, number: int, kept_fd: int | None) -> ChannelIO | None:
        try:
            io = self._lines.card.open(number, kept_fd)
        except LineError as error:
            self._lines.fault(f"channel {number}", LineError(error.code, f"channel {number} cannot be opened: {error.what}", error.remedy))
            return None
        self._lines.mended(f"channel {number}")
        return io

    def add(self, spec: ChannelSpec, group: GroupConfig) -> Channel:
        """A channel that is set up while the box runs. Raises: LineError LIN-034; MediaError."""
        self._add(spec, group, None)
        channel = self._lines.channels[spec.number]
        if spec.number in self._lines.blocked_before():
            channel.care.block(BlockedBy.PERSON)
        return channel

    def give_up(self, channel: Channel) -> None:
        """A channel that is set up no more, or anew: closed, its media port free."""
        channel.close()
        self._drop(f"channel-{channel.number}")
        if channel.io is not None:
            channel.io.close()
        channel.port.free()

    def open_again(self, channel: Channel) -> None:
        """A card that was pulled is back: its channels are opened anew."""
        if channel.io is not None:
            self._drop(f"channel-{channel.number}")
            channel.io.close()
        if io := self._open(channel.spec, None):
            channel.opened(io)

    def _keep(self, name: str, fd: int) -> None:
        if self._store is None:
            return
        try:
            self._store.store(name, fd)
        except LineError as error:
            log.error("%s %s. %s", error.code, error.what, error.remedy)

    def _drop(self, name: str) -> None:
        if self._store is not None:
            self._store.drop(name)

    # --- calls -------------------------------------------------------------------------------------------------------

    def adopt_calls(self) -> None:
        """Every leg of the book is taken over or released; channels without a leg are at rest."""
        for kept in self._lines.book:
            if kept.state.phase is LegPhase.RELEASED:
                self._recordings.settle(kept.state.leg)
            else:
                self._adopt(kept)
        for kept in self._lines.book:
            self._rejoin(kept)
            self._listen_again(kept)
            self._confer_again(kept)
        for channel in self._lines.channels.values():
            if channel.leg is None:
                self._rest(channel)
            channel.begin()

    def _adopt(self, kept: KeptLeg) -> None:
        state = kept.state
        channel = self._lines.channels.get(state.channel)
        if channel is None or channel.io is None or state.channel not in self._adopted:
            self._lost(kept)
            return
        channel.leg = state.leg
        log.info("leg %s on channel %d taken over: %s", state.leg, state.channel, state.phase.value)
        if state.phase is LegPhase.ANSWERED:
            self._audio(channel, kept)
        channel.adopt(state.phase)
        if channel.leg == state.leg and self._hung_up_meanwhile(channel):
            channel.fail(Cause.NORMAL)

    def _hung_up_meanwhile(self, channel: Channel) -> bool:
        """Told by the loop of a set only: a line of the exchange looks the same before and after; its battery drop waits as an event."""
        answered = channel.leg is not None and self._lines.book.state(channel.leg).phase is LegPhase.ANSWERED
        return answered and channel.spec.signalling in FXO_SIGNALLED and channel.io is not None and not channel.io.is_offhook()

    def _lost(self, kept: KeptLeg) -> None:
        log.error("LIN-045 leg %s on channel %d could not be taken over; released", kept.state.leg, kept.state.channel)
        self._end_play(kept)
        self._recordings.settle(kept.state.leg)
        self._calls.over(kept.state.leg, Cause.TEMPORARY_FAILURE, by_far_end=False)

    def _audio(self, channel: Channel, kept: KeptLeg) -> None:
        audio, port = kept.audio, channel.port
        port.detect_digits(True)
        if audio.mute_rx or audio.mute_tx:
            port.mute(audio.mute_rx, audio.mute_tx)
        if kept.state.digits_masked:
            port.mask_keys(0)
        if audio.rx_db or audio.tx_db:
            port.gain(audio.rx_db, audio.tx_db)
        if audio.tone:
            port.tone(audio.tone)
        if audio.silence_ms:
            port.detect_speech(audio.silence_ms)
        if audio.tones:
            port.detect_tones(wanted=audio.tones)
        self._end_play(kept)
        for recording in kept.state.recordings:
            if not recording.stopped:
                self._resume(kept.state.leg, recording.recording_id)

    def _resume(self, leg: str, recording_id: str) -> None:
        recording = self._lines.book.recording(leg, recording_id)
        try:
            if recording is not None:
                self._recordings.resume(leg, recording)
        except CarelineError as error:
            log.error("%s recording %s of leg %s ends here: %s. %s", error.code, recording_id, leg, error.what, error.remedy)

    def _end_play(self, kept: KeptLeg) -> None:
        if kept.state.play is not None and kept.state.play.end is None:
            self._lines.end_play(kept.state.leg, kept.state.play.play_id, PlayEnd.FAILED)

    def _rejoin(self, kept: KeptLeg) -> None:
        leg, other = kept.state.leg, kept.state.bridged_with
        if other is None or self._lines.book.state(leg).bridged_with is None:
            return
        mine, theirs = self._on_channel(leg), self._on_channel(other)
        if mine is not None and theirs is not None:
            if leg < other:
                in_card = mine.io is not None and mine.io.native_peer() == theirs.number
                self._bridges.restore(leg, other, in_card)
            return
        self._lines.book.update(leg, bridged_with=None, native=False)
        if mine is not None and mine.io is not None:
            mine.io.native_unbridge()

    def _listen_again(self, kept: KeptLeg) -> None:
        listener, target = self._on_channel(kept.state.leg), self._on_channel(kept.audio.tap)
        if listener is not None and target is not None:
            listener.port.tap(target.port)

    def _confer_again(self, kept: KeptLeg) -> None:
        if kept.state.conference and self._on_channel(kept.state.leg):
            self._bridges.restore_conference(kept.state.leg)

    def _on_channel(self, leg: str) -> Channel | None:
        return next((channel for channel in self._lines.channels.values() if channel.leg == leg), None)

    def _rest(self, channel: Channel) -> None:
        if channel.number in self._adopted and channel.io is not None:
            channel.io.native_unbridge()
            channel.rest()
