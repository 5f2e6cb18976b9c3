"""The media core as Python sees it: `Engine`, the one door to the compiled module.

May touch: the compiled core, prompt files. Thread: every call belongs to the one thread that owns the engine (the line server's event
loop). No call waits for audio, and audio needs no call to go on: ticks and file writing run in the core's own threads.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from drivers.errors import MediaError
from drivers.media import wav
from drivers.media.line_signals import LineSignals
from drivers.media.measuring import Measuring
from drivers.media.values import (
    Cadence,
    End,
    EngineConfig,
    EventKind,
    Fault,
    Law,
    MediaEvent,
    MediaStats,
    PlayEnding,
    Tone,
    TonePlan,
    ToneStep,
)

__all__ = [
    "Cadence", "Clip", "Clips", "End", "Engine", "EngineConfig", "EventKind", "Fault", "Law", "MediaEvent", "MediaStats",
    "PlayEnding", "Tone", "TonePlan", "ToneStep", "zone_tone",
]  # fmt: skip

try:
    from drivers.media._media import ffi as _ffi
    from drivers.media._media import lib as _lib
except ImportError as missing:
    raise MediaError("MED-001", f"the media core cannot be loaded ({missing})", "Compile it: python drivers/media/build.py") from missing

_EVENTS_PER_POLL = 256

# Code and remedy by cm_error of media.h; what failed is added where it failed.
_FAILURES = {
    -1: ("MED-010", "the command ring is full", "Try again after 20 ms; if it stays so, the tick thread does not run"),
    -2: ("MED-011", "there is no such port, line or recording", "Use a number that was given out and not yet freed"),
    -3: ("MED-012", "the limit is reached", "Free what is no longer used, or raise the limit in EngineConfig"),
    -4: ("MED-013", "memory is short", "Stop other programs, or add memory"),
    -5: ("MED-020", "the file cannot be read", "Check path and permissions"),
    -6: ("MED-021", "the file is no WAV that can be played", "Render it as mono, 8000 Hz, A-law"),
    -7: ("MED-014", "an argument is outside its range", "See drivers/media/media.h"),
    -8: ("MED-015", "the engine is in the wrong state", "Step only an engine that is not started; start and stop in turn"),
}


def _check(result: int, what: str) -> int:
    if result >= 0:
        return result
    code, why, remedy = _FAILURES[result]
    raise MediaError(code, f"{what}: {why}", remedy)


class Clip:
    """A prompt in memory. `samples` of 8000 Hz. Made and closed by `Clips`."""

    def __init__(self, path: Path, handle: Any, key: tuple[str, int, int]) -> None:
        self.path = path
        self.samples: int = _lib.cm_clip_samples(handle)
        self.handle = handle
        self.key = key
        self.kept = 0


class Clips:
    """Prompts that are open, each once however often it is asked for. A file that changed on disk is opened anew."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int, int], Clip] = {}

    def open(self, path: Path | str) -> Clip:
        """The clip of this file, kept until `close` was called as often.

        Raises: MediaError MED-020 when it cannot be read, MED-021 when it is not mono 8 kHz A-law, mu-law or 16-bit PCM.
        """
        path = Path(path)
        clip = self._open.get(self._key(path)) or self._load(path)
        clip.kept += 1
        return clip

    def close(self, clip: Clip) -> None:
        """Give back one `open`; a clip that plays goes on to its end."""
        clip.kept -= 1
        if clip.kept == 0:
            del self._open[clip.key]
            _lib.cm_clip_close(clip.handle)

    def close_all(self) -> None:
        """Give back everything."""
        for clip in self._open.values():
            _lib.cm_clip_close(clip.handle)
        self._open.clear()

    @staticmethod
    def _key(path: Path) -> tuple[str, int, int]:
        try:
            status = path.stat()
        except OSError as failure:
            raise MediaError("MED-020", f"{path} cannot be read ({failure.strerror})", "Check path and permissions") from failure
        return str(path), status.st_mtime_ns, status.st_size

    def _load(self, path: Path) -> Clip:
        error = _ffi.new("int *")
        handle = _lib.cm_clip_open(str(path).encode(), error)
        if handle == _ffi.NULL:
            self._refuse(path, error[0])
        clip = Clip(path, handle, self._key(path))
        self._open[clip.key] = clip
        return clip

    @staticmethod
    def _refuse(path: Path, error: int) -> None:
        if error != _lib.CM_E_FORMAT:
            _check(error, f"{path} (errno {_ffi.errno})")
        raise MediaError("MED-021", f"{path} cannot be played: {wav.fault_of(path)}", "Render it as mono, 8000 Hz, A-law WAV")


class Engine(LineSignals, Measuring):
    """One media core. As a context manager it is started and, at the end, stopped and freed."""

    def __init__(self, config: EngineConfig | None = None) -> None:
        """Raises: MediaError MED-016 when the configuration has a size out of range."""
        self.config = config or EngineConfig()
        fields = {name: getattr(self.config, name) for name in self.config.__struct_fields__}
        self._engine = _lib.cm_engine_new(_ffi.new("cm_engine_config *", fields))
        if self._engine == _ffi.NULL:
            raise MediaError("MED-016", f"no engine with {self.config}", "Use sizes within media.h's limits")
        self._taken = _ffi.new("cm_event[]", _EVENTS_PER_POLL)
        self.clips = Clips()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop, finish every file, free. The second time does nothing."""
        if self._engine != _ffi.NULL:
            _lib.cm_engine_free(self._engine)
            self._engine = _ffi.NULL
            self.clips.close_all()

    def start(self) -> None:
        """Start the tick and the writer thread."""
        _check(_lib.cm_engine_start(self._engine), "starting the media core")

    def stop(self) -> None:
        """Stop both threads; `close` finishes the files."""
        _check(_lib.cm_engine_stop(self._engine), "stopping the media core")

    def step(self, frames: int = 1) -> None:
        """Run so many frames at once, without threads: for a virtual clock."""
        for _ in range(frames):
            _check(_lib.cm_engine_step(self._engine), "stepping the media core")

    @property
    def eventfd(self) -> int:
        """Readable while events wait."""
        return int(_lib.cm_engine_eventfd(self._engine))

    def poll_events(self) -> list[MediaEvent]:
        """Up to 256 events that wait, those of one thread in their order."""
        count = _lib.cm_poll_events(self._engine, self._taken, _EVENTS_PER_POLL)
        return [MediaEvent(EventKind(e.type), e.port, e.id, e.value, e.value2, e.samples, e.at) for e in _ffi.unpack(self._taken, count)]

    def stats(self) -> MediaStats:
        """Figures as they stand."""
        out = _ffi.new("cm_stats *")
        _lib.cm_get_stats(self._engine, out)
        values = {name: getattr(out, name) for name in MediaStats.__struct_fields__}
        return MediaStats(**values | {"realtime": bool(out.realtime), "memory_locked": bool(out.memory_locked)})

    def reset_stats(self) -> None:
        """Begin the figures anew, from the next frame on."""
        _lib.cm_reset_stats(self._engine)

    # --- ports ---

    def port_new(self, law: Law = Law.ALAW) -> int:
        """A new port's number. Raises: MediaError MED-012 when all are in use."""
        return _check(_lib.cm_port_new(self._engine, law), "new port")

    def port_free(self, port: int) -> None:
        """Everything of the port ends: its play, its recordings, its bridge."""
        _check(_lib.cm_port_free(self._engine, port), f"freeing port {port}")

    def attach_fd(
        self,
        port: int,
        fd: int,
        write_ahead: int,
        getevent: int,
        elast: int,
        flush: int = 0,
        flush_what: int = 0,
    ) -> None:
        """Join a kernel channel's non-blocking descriptor. `getevent`, `flush`: ioctl numbers (flush 0: none)."""
        result = _lib.cm_port_attach_fd(self._engine, port, fd, write_ahead, getevent, elast, flush, flush_what)
        _check(result, f"attaching descriptor {fd} to port {port}")

    def attach_line(self, port: int, line: int, end: End) -> None:
        """Join one end of a virtual line."""
        _check(_lib.cm_port_attach_line(self._engine, port, line, end), f"attaching line {line} to port {port}")

    def detach(self, port: int) -> None:
        """Let go of descriptor or line; IO_ERROR with value 0 tells that the core no longer touches it."""
        _check(_lib.cm_port_detach(self._engine, port), f"detaching port {port}")

    def play(self, port: int, play_id: int, clips: Sequence[Clip], barge_digits: str = "", loops: int = 1) -> None:
        """Play clips without a gap, `loops` times (0: endlessly), until a digit of `barge_digits` comes. Replaces what plays."""
        handles = [clip.handle for clip in clips]
        result = _lib.cm_play(self._engine, port, play_id, handles, len(handles), barge_digits.encode("ascii"), loops)
        _check(result, f"playing {len(handles)} clips on port {port}")

    def play_stop(self, port: int) -> None:
        """Stop the play, if any; PLAY_DONE says how far it came."""
        _check(_lib.cm_play_stop(self._engine, port), f"stopping the play of port {port}")

    def tone(self, port: int, cadence: Cadence | None) -> None:
        """Sound a tone, or end it with None."""
        _check(_lib.cm_tone(self._engine, port, _cadence_out(cadence) if cadence else _ffi.NULL), f"tone on port {port}")

    def send_digits(
        self, port: int, digits: str, on_ms: int = 100, off_ms: int = 100, low_dbm0: float = -9.0, high_dbm0: float = -7.0
    ) -> None:
        """Send keys ("w": 500 ms pause) after those still being sent. DIGITS_SENT tells the end. Levels: ETSI ES 201 235-2."""
        result = _lib.cm_send_digits(self._engine, port, digits.encode("ascii"), on_ms, off_ms, low_dbm0, high_dbm0)
        _check(result, f"sending digits {digits!r} on port {port}")

    def record(self, port: int, record_id: int, path: Path | str, stereo: bool = True, gap_samples: int = 0) -> None:
        """Record to a WAV file (A-law); one that exists is continued after `gap_samples` of silence."""
        result = _lib.cm_record(self._engine, port, record_id, str(path).encode(), stereo, gap_samples)
        _check(result, f"recording {record_id} of port {port} to {path}")

    def record_stop(self, record_id: int) -> None:
        """End it; RECORD_DONE tells when the file is complete."""
        _check(_lib.cm_record_stop(self._engine, record_id), f"stopping recording {record_id}")

    def detect_digits(self, port: int, on: bool = True) -> None:
        """Report keys from now on."""
        _check(_lib.cm_detect_digits(self._engine, port, on), f"digit detection on port {port}")

    def detect_tones(self, port: int, tones: Iterable[Tone], plan: str | TonePlan = "cn") -> None:
        """Report these tones of that country (libtonezone's two letters) or of that switch; none: stop."""
        mask = sum(1 << tone for tone in set(tones))
        if isinstance(plan, TonePlan):
            result = _lib.cm_detect_plan(self._engine, port, mask, _plan_out(plan))
        else:
            result = _lib.cm_detect_tones(self._engine, port, mask, plan.encode("ascii"))
        _check(result, f"tone detection for {plan!r} on port {port}")

    def detect_speech(self, port: int, on: bool = True, silence_ms: int = 0) -> None:
        """Report where speech begins, and silence of that length (0: never)."""
        _check(_lib.cm_detect_speech(self._engine, port, on, silence_ms), f"speech detection on port {port}")

    def gain(self, port: int, rx_db: float = 0.0, tx_db: float = 0.0) -> None:
        """Gain of what comes from the party and of what goes to it, -60 to +30 dB."""
        _check(_lib.cm_gain(self._engine, port, rx_db, tx_db), f"gain of port {port}")

    def mute(self, port: int, rx: bool = False, tx: bool = False) -> None:
        """rx: nobody hears this party. tx: this party hears nothing."""
        _check(_lib.cm_mute(self._engine, port, rx, tx), f"muting port {port}")

    def mask_keys(self, port: int, on: bool, ms: int) -> None:
        """Nobody hears or records this party, nor what it said in the last `ms`; off: from when there was no key for `ms`
        (KEYS_UNMASKED tells), 0: at once. While it is on, DIGIT has id 1."""
        _check(_lib.cm_mask_keys(self._engine, port, on, ms), f"masking the keys of port {port}")

    def bridge(self, a: int, b: int) -> None:
        """Each hears the other, mixed here."""
        _check(_lib.cm_bridge(self._engine, a, b), f"bridging ports {a} and {b}")

    def unbridge(self, port: int) -> None:
        """Part a port from its partner, mixed or native."""
        _check(_lib.cm_unbridge(self._engine, port), f"unbridging port {port}")

    def confer(self, port: int, with_port: int) -> None:
        """The port joins the other and all it is in conference with; -1: it leaves."""
        _check(_lib.cm_confer(self._engine, port, with_port), f"conference of ports {port} and {with_port}")

    def native_peer(self, a: int, b: int) -> None:
        """The card joins a and b; recordings and taps take the other side from the partner. b -1: undo."""
        _check(_lib.cm_native_peer(self._engine, a, b), f"native bridge of ports {a} and {b}")

    def tap(self, listener: int, target: int) -> None:
        """The listener hears both sides of the target; target -1: stop."""
        _check(_lib.cm_tap(self._engine, listener, target), f"port {listener} listening to {target}")

    def stream(self, port: int, on: bool = True) -> None:
        """A program's audio as source and sink of the port (see media.h)."""
        _check(_lib.cm_stream(self._engine, port, on), f"stream of port {port}")

    def stream_write(self, port: int, samples: bytes) -> int:
        """Hand over A-law samples; how many were taken."""
        return _check(_lib.cm_stream_write(self._engine, port, samples, len(samples)), f"stream of port {port}")

    def stream_read(self, port: int, max_samples: int = 3200) -> bytes:
        """Up to so many A-law samples that wait."""
        room = _ffi.new("uint8_t[]", max_samples)
        count = _check(_lib.cm_stream_read(self._engine, port, room, max_samples), f"stream of port {port}")
        return bytes(_ffi.buffer(room, count))

    # --- for the other parts of the facade ---

    def _do(self, what: str, function: str, *arguments: object) -> int:
        return _check(getattr(_lib, function)(self._engine, *arguments), what)

    def _fields(self, what: str, c_type: str, names: Iterable[str], function: str, port: int) -> dict[str, Any]:
        out = _ffi.new(f"{c_type} *")
        self._do(what, function, port, out)
        return {name: getattr(out, name) for name in names}

    def _rows(self, what: str, c_type: str, names: Iterable[str], most: int, function: str, port: int) -> list[dict[str, Any]]:
        out = _ffi.new(f"{c_type}[]", most)
        count = self._do(what, function, port, out, most)
        return [{name: getattr(out[place], name) for name in names} for place in range(count)]

    def _bytes(self, what: str, most: int, function: str, *arguments: object) -> bytes:
        room = _ffi.new("uint8_t[]", most)
        return bytes(_ffi.buffer(room, self._do(what, function, *arguments, room)))

    # --- virtual lines ---

    def line_new(self) -> int:
        """A new virtual line's number."""
        return _check(_lib.cm_line_new(self._engine), "new virtual line")

    def line_free(self, line: int) -> None:
        """Ports attached to it are detached (IO_ERROR, ENODEV)."""
        _check(_lib.cm_line_free(self._engine, line), f"freeing line {line}")

    def line_cross(self, a: int, b: int) -> None:
        """The card joins two lines: far end hears far end. b -1: undo."""
        _check(_lib.cm_line_cross(self._engine, a, b), f"crossing lines {a} and {b}")

    def line_fault(self, line: int, towards: End, fault: Fault, on: bool = True, value: float = 0.0) -> None:
        """A fault in what the end `towards` hears; `value` in dBm0 (NOISE) or dB (ECHO, GAIN)."""
        result = _lib.cm_line_fault(self._engine, line, towards, fault, on, value)
        _check(result, f"fault {fault.name} of line {line}")


def _cadence_fields(cadence: Cadence) -> dict[str, Any]:
    steps = [msgspec.structs.asdict(step) for step in cadence.steps]
    if len(steps) > _lib.CM_MAX_CADENCE:
        _check(-3, f"a tone of {len(steps)} steps")
    return {"steps": len(steps), "repeat": cadence.repeat, "step": steps}


def _cadence_out(cadence: Cadence) -> Any:
    return _ffi.new("cm_cadence *", _cadence_fields(cadence))


def _plan_out(plan: TonePlan) -> Any:
    none = {"steps": 0}
    tones = [_cadence_fields(tone) if tone else none for tone in (plan.dial, plan.ringback, plan.busy, plan.congestion)]
    return _ffi.new("cm_tone_plan *", {"tone": tones, "hz_percent": plan.hz_percent, "ms_percent": plan.ms_percent})


def zone_tone(country: str, tone: Tone) -> Cadence:
    """DIAL to CONGESTION of a country. Raises: MediaError MED-014 when libtonezone does not know it. Source: libtonezone."""
    out = _ffi.new("cm_cadence *")
    _check(_lib.cm_zone_tone(country.encode("ascii"), tone, out), f"{tone.name} tone of country {country!r}")
    steps = (ToneStep(s.hz1, s.hz2, s.dbm0, s.on_ms, s.off_ms) for s in list(out.step)[: out.steps])
    return Cadence(tuple(steps), bool(out.repeat))
