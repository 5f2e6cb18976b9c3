"""The work of `careline voice`: takes the texts that are wanted from the store, one after another, and leaves a file for each. Prompts
that somebody waits for at a page come before all others (prompt_work.py).

A file is written beside and renamed, so a process that is killed leaves no half one; the same text asked for again is the same file.
Everything here runs in the one thread of `careline voice`; each piece of work takes seconds.
"""

import logging
from pathlib import Path

from peewee import Database

from appliance.hospital import voicing
from appliance.ivr.prompts import wav
from appliance.ivr.prompts.catalogue import PromptError
from appliance.ivr.prompts.library import SPEECH, text_file
from appliance.store.transaction import write_transaction
from appliance.voice.engine import Engine
from appliance.voice.prompt_work import PromptWork
from drivers.clock import Clock

SWEEP_S = 60.0  # how soon a text that was changed is seen
MEGABYTE = 1_000_000
NOT_THIS_TEXT = "APP-069"

log = logging.getLogger("careline.voice")


class VoiceWork:
    """`engine` None: this box has no voice, and `lacking` says what it lacks. `most_bytes`: renderings take no more of the disk."""

    def __init__(self, database: Database, own: Path, clock: Clock, engine: Engine | None, lacking: str, most_bytes: int) -> None:
        self._database = database
        self._own = own
        self._clock = clock
        self._engine = engine
        self._lacking = lacking
        self._most_bytes = most_bytes
        self._swept_at: float | None = None
        self._prompts = PromptWork(database, own, clock, engine, lacking)

    def begin(self) -> None:
        """What a process that was killed left half written is removed."""
        for path in (self._own / SPEECH).glob("*/*.new"):
            path.unlink(missing_ok=True)

    def step(self) -> bool:
        """Sweep if it is time to, then speak one prompt or text. False: there was nothing to speak."""
        if self._swept_at is None or self._clock.monotonic_s() - self._swept_at >= SWEEP_S:
            self._sweep()
            self._swept_at = self._clock.monotonic_s()
        if self._prompts.step():
            return True
        wanted = self._next()
        if wanted is None:
            return False
        self._speak(wanted)
        return True

    def _sweep(self) -> None:
        now = self._clock.now()
        with write_transaction(self._database):
            voicing.sweep(now, self._engine.voices if self._engine else {})
            gone = voicing.forget_unused(now)
        for path in gone:
            (self._own / path).unlink(missing_ok=True)

    def _next(self) -> voicing.Wanted | None:
        with write_transaction(self._database):
            if self._engine is None:
                voicing.no_voice(self._lacking)
            elif voicing.total_ms() * wav.RATE_HZ // 1000 >= self._most_bytes:
                voicing.no_voice(f"renderings take {self._most_bytes // MEGABYTE} MB already, as many as they may")
            return voicing.first_wanted()

    def _speak(self, wanted: voicing.Wanted) -> None:
        assert self._engine is not None
        try:
            alaw = self._engine.alaw(wanted.text, wanted.lang)
            path = self._keep(wanted, alaw)
        except PromptError as error:
            self._failed(wanted, error)
            return
        except OSError as error:
            self._failed(wanted, PromptError("APP-069", f"the rendering cannot be kept ({error.strerror})", "Free disk space."))
            return
        with write_transaction(self._database):
            length_ms = len(alaw) * 1000 // wav.RATE_HZ
            voicing.made(wanted.key, str(path.relative_to(self._own)), length_ms, self._engine.voices[wanted.lang], self._clock.now())
        log.info("spoken: %s (%d ms)", wanted.text[:40], length_ms)

    def _keep(self, wanted: voicing.Wanted, alaw: bytes) -> Path:
        path = text_file(self._own, wanted.key, wanted.lang)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(wav.wrap(alaw))
        fresh.replace(path)
        return path

    def _failed(self, wanted: voicing.Wanted, error: PromptError) -> None:
        """A fault of this text is its own; any other is the voice's, and concerns all that wait."""
        log.error("%s", error)
        with write_transaction(self._database):
            if error.code == NOT_THIS_TEXT:
                voicing.failed(wanted.key, str(error))
            else:
                voicing.no_voice(str(error))
