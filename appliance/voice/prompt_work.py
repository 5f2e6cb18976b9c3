"""Prompts that the box's own voice is to speak: each order becomes a version that nobody hears yet, or fails with the reason.

In the one thread of `careline voice`. Who dies in the middle leaves the order waiting; it is spoken again.
"""

import logging
from pathlib import Path
from typing import cast

from peewee import Database

from appliance.ivr.prompts import kept, orders, versions
from appliance.ivr.prompts.catalogue import Lang, PromptError
from appliance.store.transaction import write_transaction
from appliance.store.voice_tables import PromptOrder
from appliance.voice.engine import Engine
from drivers.clock import Clock

log = logging.getLogger("careline.voice")


class PromptWork:
    """`engine` None: this box has no voice, and `lacking` says what it lacks."""

    def __init__(self, database: Database, own: Path, clock: Clock, engine: Engine | None, lacking: str) -> None:
        self._database = database
        self._own = own
        self._clock = clock
        self._engine = engine
        self._lacking = lacking

    def step(self) -> bool:
        """Speak one. False: nobody waits for one."""
        order = orders.first_to_speak()
        if order is None:
            return False
        try:
            self._speak(order)
        except PromptError as error:
            log.error("%s", error)
            with write_transaction(self._database):
                orders.failed(order.id, error)
        return True

    def _speak(self, order: PromptOrder) -> None:
        """Raises: PromptError."""
        if self._engine is None:
            remedy = "Install the dependency group `prompts` on the box, or record or upload the prompt"
            raise PromptError("APP-065", f"this box has no voice of its own, it lacks {self._lacking}", remedy)
        lang = cast(Lang, order.language)
        alaw = self._engine.alaw(order.text, lang)
        with kept.keeping(self._own, order.prompt, lang, alaw) as audio, write_transaction(self._database):
            number = orders.done(order.id, audio, versions.VOICE, self._clock.now(), note=self._engine.voices[lang])
        if number is None:
            kept.discard(self._own, audio.path)
        log.info("prompt %s spoken in %s: version %s", order.prompt, lang, number)
