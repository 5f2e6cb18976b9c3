"""Media ports of channels: what sounds on a channel and what is listened for. The only user of the media core in the line server.

`Media` owns the engine's common parts (clips, ids, which channel a port belongs to); a `Port` is one channel's and rests between calls.
Line server's event loop only.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path

from drivers.clip_shelf import ClipShelf
from drivers.clock import Clock
from drivers.config import LinesConfig
from drivers.errors import LineError, MediaError
from drivers.media import Cadence, Engine, Law, Tone, TonePlan, zone_tone
from drivers.media.line_signals import Fsk
from drivers.media.measuring import Segment
from drivers.media.r2 import MfSet
from drivers.port_measuring import MeasuringPort
from drivers.protocol import Caller, Clip, NumberSource
from drivers.set_tones import SET_TONES, set_tone
from drivers.signalling import callerid
from drivers.tone_cadence import cadence_of

log = logging.getLogger("careline.lines")

TONES = {tone.name.lower(): tone for tone in Tone}
SENT_TONES = ("dial", "ringback", "busy", "congestion")
DIGITS = frozenset("0123456789*#ABCDw")
MAX_DIGITS = 64  # Source: media.h, CM_DIGITS_LEN
FSK_STANDARDS = {"fsk": Fsk.BELL202, "v23": Fsk.V23}


class Media:
    """The engine with what all ports share. Ids of plays and recordings rise from 1."""

    def __init__(self, engine: Engine, config: LinesConfig, clips_dir: Path, clock: Clock | None = None) -> None:
        self.engine = engine
        self.config = config
        self.clock = clock
        self.clips = ClipShelf(engine, clips_dir)
        self.channel_at: dict[int, int] = {}
        self._last_id = 0

    def new_port(self, channel: int, law: str) -> "Port":
        """A port for that channel, which speaks "alaw" or "ulaw". Raises: MediaError when all are in use."""
        return Port(self, channel, Law.ALAW if law == "alaw" else Law.ULAW)

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def close(self) -> None:
        self.clips.close()


class Sent(Enum):
    """What a port was given to send."""

    DIGITS = "digits"
    NUMBER = "number"
    CALLER_ID = "caller_id"


class Port(MeasuringPort):
    """One channel's media port; remembers what is on, so that `rest` switches off that and no more."""

    def __init__(self, media: Media, channel: int, law: Law) -> None:
        self._media = media
        self._channel = channel
        self._law = law
        self._sending: deque[Sent] = deque()
        self._caller_id_keys: str | None = None
        self.number = self._new_number()
        self._engine = media.engine
        self._on: set[str] = set()
        self._signalling_tones: tuple[str, ...] = ()
        self._wanted_tones: tuple[str, ...] = ()
        self._tone_plan: str | TonePlan = media.config.country
        self._wanted_silence_ms = 0
        self._signalling_speech = False
        self.keys_are_masked = self._unmasks = False

    def _new_number(self) -> int:
        number = self._media.engine.port_new(self._law)
        self._media.channel_at[number] = self._channel
        return number

    @property
    def is_sending(self) -> bool:
        """True while digits or caller id are being sent."""
        return bool(self._sending)

    def renew(self) -> None:
        """After a call, not attached: digits that nobody waits for any more must never reach the next one.

        The media core sends what it was given to the end, so a port that still sends is given back.
        """
        if self._sending:
            del self._media.channel_at[self.number]
            self._engine.port_free(self.number)
            self._sending.clear()
            self.number = self._new_number()

    def free(self) -> None:
        """Give the port back for good."""
        self.rest()
        del self._media.channel_at[self.number]
        self._engine.port_free(self.number)

    def play(self, play: int, clips: Sequence[Clip], barge_in_digits: str, loops: int) -> None:
        """Raises: MediaError, naming the file that cannot be played."""
        opened = [self._media.clips.get(clip) for clip in clips]
        self._engine.play(self.number, play, opened, barge_in_digits, loops)
        self._on.add("play")

    def say(self, path: str) -> int:
        """Play a file that nobody waits for; its length in ms. Raises: MediaError, naming the file that cannot be played."""
        clip = self._media.clips.get(Clip(path))
        self._engine.play(self.number, self._media.next_id(), [clip], "", 1)
        self._on.add("play")
        return clip.samples // 8

    def stop_play(self) -> None:
        self._engine.play_stop(self.number)

    def tone(self, name: str) -> None:
        """A tone of the country or of sets, or silence for an empty name. Raises: LineError LIN-040."""
        if name and name not in (*SENT_TONES, *SET_TONES):
            raise LineError("LIN-040", f"there is no tone {name!r}", f"Tones are {', '.join((*SENT_TONES, *SET_TONES))}")
        self._engine.tone(self.number, self._cadence(name) if name else None)
        self._on.add("tone")

    def _cadence(self, name: str) -> Cadence:
        country = self._media.config.country
        return set_tone(country, name) if name in SET_TONES else zone_tone(country, TONES[name])

    def send_digits(self, digits: str) -> None:
        """Raises: LineError LIN-042."""
        if not 1 <= len(digits) <= MAX_DIGITS or not set(digits) <= DIGITS:
            raise LineError("LIN-042", f"{digits!r} cannot be dialled", f"Up to {MAX_DIGITS} of 0-9 * # A-D, and w for a pause of 500 ms")
        dtmf = self._media.config.engine
        self._engine.send_digits(self.number, digits, dtmf.digit_on_ms, dtmf.digit_off_ms, dtmf.digit_low_dbm0, dtmf.digit_high_dbm0)
        self._sending.append(Sent.DIGITS)

    def send_number(self, number: str) -> None:
        """Dial, for the signalling. Raises: LineError LIN-042."""
        self.send_digits(number)
        self._sending[-1] = Sent.NUMBER

    def sent(self) -> "Sent":
        """The engine says that the oldest of what was sent is on the line; answers what it was."""
        return self._sending.popleft() if self._sending else Sent.DIGITS

    def send_caller_id(self, caller: Caller, standard: str) -> None:
        """Tell a set who calls, by "fsk" (Bell 202), "v23" or "dtmf". Raises: LineError LIN-043."""
        if standard == "dtmf":
            self.send_digits(callerid.to_dtmf(caller))
        elif standard in FSK_STANDARDS:
            at = self._media.clock.now().astimezone() if self._media.clock else None
            self._engine.send_caller_id(self.number, callerid.to_message(caller, at), FSK_STANDARDS[standard])
            self._sending.append(Sent.DIGITS)
        else:
            raise LineError("LIN-043", f"there is no caller id by {standard!r}", f"Standards are dtmf, {', '.join(FSK_STANDARDS)}")
        self._sending[-1] = Sent.CALLER_ID

    def listen_caller_id(self, standards: Sequence[str]) -> None:
        """Take caller id by these standards from now on ("fsk": Bell 202 and V.23, "dtmf"); none: no more."""
        self._engine.detect_caller_id(self.number, "fsk" in standards)
        heard_keys = self._caller_id_keys is not None
        self._caller_id_keys = "" if "dtmf" in standards else None
        if "dtmf" in standards or (heard_keys and "digits" not in self._on):
            self._engine.detect_digits(self.number, "dtmf" in standards)
        self._on.add("caller_id")

    @property
    def listens_for_caller_keys(self) -> bool:
        """True while keys are taken for caller id."""
        return self._caller_id_keys is not None

    def caller_message(self) -> Caller | None:
        """The engine says that a message came. None: it was about something else. One that cannot be read is a caller without a number."""
        message = self._engine.take_caller_id(self.number)
        return callerid.from_message(message) if message else callerid.unreadable(NumberSource.FSK)

    def caller_key(self, digit: str) -> Caller | None:
        """A key came while `listens_for_caller_keys`. None: more may follow; after callerid.DTMF_PAUSE_MS ask `caller_keys_ended`."""
        self._caller_id_keys = (self._caller_id_keys or "") + digit
        return self.caller_keys_ended() if callerid.dtmf_is_complete(self._caller_id_keys) else None

    def caller_keys_ended(self) -> Caller | None:
        """The caller of the keys so far, which are then forgotten. None: there were none."""
        keys = self._caller_id_keys
        if keys:
            self._caller_id_keys = ""
        return callerid.from_dtmf(keys) if keys else None

    def record(self, recording: int, path: Path, stereo: bool, gap_samples: int) -> None:
        """Raises: MediaError."""
        self._engine.record(self.number, recording, path, stereo, gap_samples)

    def stop_record(self, recording: int) -> None:
        self._engine.record_stop(recording)

    def detect_digits(self, on: bool) -> None:
        self._engine.detect_digits(self.number, on)
        self._on.add("digits")

    def detect_tones(self, signalling: tuple[str, ...] | None = None, wanted: tuple[str, ...] | None = None) -> None:
        """Listen for what signalling or the call agent asks for, each keeping its own list. Raises: LineError LIN-040."""
        for name in (*(signalling or ()), *(wanted or ())):
            if name not in TONES:
                raise LineError("LIN-040", f"there is no tone {name!r}", f"Tones are {', '.join(TONES)}")
        self._signalling_tones = self._signalling_tones if signalling is None else signalling
        self._wanted_tones = self._wanted_tones if wanted is None else wanted
        names = self._signalling_tones + self._wanted_tones
        self._engine.detect_tones(self.number, [TONES[name] for name in names], self._tone_plan)
        self._on.add("tones")

    def use_tones(self, tones: Mapping[str, str], hz_percent: float = 2.0, ms_percent: int = 20) -> None:
        """Tones of this line's own switch by name ("busy": "450/350,0/350"), for what is listened for from now on; others: the country's.

        Off by so many percent they still count. Raises: ValueError.
        """
        plan: dict[str, Cadence] = {name: cadence for name in SENT_TONES if (cadence := self._country_tone(name))}
        plan |= {name: cadence_of(text) for name, text in tones.items()}
        self._tone_plan = TonePlan(**plan, hz_percent=hz_percent, ms_percent=ms_percent)

    def _country_tone(self, name: str) -> Cadence | None:
        try:
            return zone_tone(self._media.config.country, TONES[name])
        except MediaError:
            return None  # not every zone has every tone

    def wants_tone(self, name: str) -> bool:
        """True when the call agent asked for it."""
        return name in self._wanted_tones

    def send_mf(self, signal: str, forward: bool) -> None:
        """Sound an R2 register signal ("1" to "15") until the next, or silence for an empty one. Raises: LineError LIN-040."""
        if signal and (not signal.isdecimal() or not 1 <= int(signal) <= 15):
            raise LineError("LIN-040", f"there is no register signal {signal!r}", "R2 register signals are 1 to 15")
        self._engine.mf(self.number, int(signal or 0), forward)
        self._on.add("tone")

    def listen_mf(self, forward: bool | None) -> None:
        """Report R2 register signals of the forward or the backward set, of one at a time; None: no more."""
        which = MfSet.NONE if forward is None else MfSet.FORWARD if forward else MfSet.BACKWARD
        self._engine.detect_mf(self.number, which)
        self._on.add("mf")

    def detect_speech(self, silence_ms: int) -> None:
        """Speech, and silence of that length, for the call agent; 0: no more."""
        self._wanted_silence_ms = silence_ms
        self._detect_speech()

    def listen_speech(self, on: bool) -> None:
        """Speech for the signalling; one that goes on now is told again."""
        self._signalling_speech = on
        self._detect_speech()

    def _detect_speech(self) -> None:
        silence_ms = self._wanted_silence_ms
        self._engine.detect_speech(self.number, silence_ms > 0 or self._signalling_speech, silence_ms)
        self._on.add("speech")

    @property
    def wants_speech(self) -> bool:
        """True when the call agent asked for it."""
        return self._wanted_silence_ms > 0

    def _hear_no_speech(self) -> None:
        self._signalling_speech = False
        self.detect_speech(0)

    def capture(self, ms: int) -> None:
        """Keep what is heard from now on, for so long; 0: forget it. Raises: MediaError."""
        self._engine.capture(self.number, ms)
        self._on.add("capture")

    def segments(self) -> list[Segment]:
        """What was kept so far, as stretches of tone, pause and other sound. Raises: MediaError MED-015 when nothing is."""
        return self._engine.segments(self.number)

    def gain(self, rx_db: float, tx_db: float) -> None:
        self._engine.gain(self.number, rx_db, tx_db)
        self._on.add("gain")

    def mute(self, rx: bool, tx: bool) -> None:
        self._engine.mute(self.number, rx, tx)
        self._on.add("mute")

    def mask_keys(self, back_ms: int) -> None:
        """Nobody hears or records the party from now on, nor what it said in the last `back_ms`."""
        self._engine.mask_keys(self.number, True, back_ms)
        self.keys_are_masked, self._unmasks = True, False
        self._on.add("mask")

    def unmask_keys(self, quiet_ms: int) -> None:
        """From when there was no key for `quiet_ms`; `keys_are_masked` until the engine says so."""
        self._engine.mask_keys(self.number, False, quiet_ms)
        self._unmasks = True
        if not quiet_ms:
            self.keys_unmasked()

    def keys_unmasked(self) -> None:
        """The engine says that the party is heard again; not news when it has been masked anew meanwhile."""
        if self._unmasks:
            self.keys_are_masked = self._unmasks = False

    def bridge(self, other: "Port") -> None:
        self._engine.bridge(self.number, other.number)
        self._on.add("bridge")
        other._on.add("bridge")

    def native_peer(self, other: "Port") -> None:
        self._engine.native_peer(self.number, other.number)
        self._on.add("bridge")
        other._on.add("bridge")

    def confer(self, other: "Port | None") -> None:
        """Join the other and all it is in conference with; None: leave."""
        self._engine.confer(self.number, -1 if other is None else other.number)
        for each in (self, *([other] if other else [])):
            each._on.add("confer")

    def unbridge(self) -> None:
        self._engine.unbridge(self.number)

    def tap(self, target: "Port | None") -> None:
        self._engine.tap(self.number, -1 if target is None else target.number)
        self._on.add("tap")

    def rest(self) -> None:
        """Silent and deaf, as new."""
        off: dict[str, Callable[[], None]] = {
            "play": self.stop_play,
            "tone": lambda: self.tone(""),
            "digits": lambda: self._engine.detect_digits(self.number, False),
            "tones": lambda: self.detect_tones((), ()),
            "caller_id": lambda: self.listen_caller_id(()),
            "mf": lambda: self.listen_mf(None),
            "speech": self._hear_no_speech,
            "gain": lambda: self.gain(0.0, 0.0),
            "mute": lambda: self.mute(False, False),
            "mask": lambda: self.unmask_keys(0),
            "capture": lambda: self.capture(0),
            "bridge": self.unbridge,
            "confer": lambda: self.confer(None),
            "tap": lambda: self.tap(None),
        } | self._measuring_off()
        for what in sorted(self._on):
            try:
                off[what]()
            except MediaError as error:
                log.error("%s channel %d: %s. %s", error.code, self._channel, error.what, error.remedy)
        self._on.clear()
