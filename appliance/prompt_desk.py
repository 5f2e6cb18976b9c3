"""The call agent's part in the hospital's prompts: takes up what is in use, makes uploads readable, sweeps what was left behind.

Runs in the event loop; files are read in a thread, uploads by sox in a process of its own. Calls that play go on with the file they have.
"""

import asyncio
import logging
from pathlib import Path

from appliance.control.messages import ReadPromptUpload, UsePrompts
from appliance.ivr.prompts import kept, versions
from appliance.ivr.prompts.catalogue import PromptError
from appliance.ivr.prompts.library import PromptLibrary
from appliance.ivr.prompts.overlay import look_at
from appliance.ivr.prompts.shape import LONGEST_MS
from appliance.music_level import KINDS, sampled
from appliance.store.writer import Store
from drivers.clock import Clock
from drivers.errors import CarelineError

LOOK_EVERY_S = 60.0
RETRY_S = 1.0
BEYOND_S = 1.0  # so much more is read of an upload that is too long, so that it is known to be

log = logging.getLogger("careline.prompts")


class PromptDesk:
    """`own`: the data folder."""

    def __init__(self, library: PromptLibrary, store: Store, clock: Clock, own: Path) -> None:
        self._library = library
        self._store = store
        self._clock = clock
        self._own = own
        self._taking = asyncio.Lock()

    async def begin(self) -> None:
        """As soon as the store works; until then callers hear the package's prompts."""
        while True:
            try:
                return await self.use_newest()
            except CarelineError as error:
                log.error("prompts in the store are not known yet: %s", error)
                await self._store.mended()
                await asyncio.sleep(RETRY_S)

    async def use_newest(self) -> None:
        """What was put in use last is heard from the next playing on. Raises: StoreError."""
        async with self._taking:
            used = await self._store.read(versions.used_versions)
            before = self._library.overlay
            with self._clock.external_work():
                overlay = await asyncio.to_thread(lambda: look_at(self._own, used, before))
            self._library.use(overlay)
        for fault in overlay.faults:
            log.error("%s", fault)

    async def run(self) -> None:
        """Looks through the files again and again, and sweeps."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.use_newest()
                await self._sweep()
            except CarelineError as error:
                log.error("prompts were not looked through: %s", error)

    async def _sweep(self) -> None:
        """Raises: StoreError."""
        named = await self._store.read(versions.paths)
        now_s = self._clock.now().timestamp()
        with self._clock.external_work():
            gone = await asyncio.to_thread(lambda: kept.sweep(self._own, named, now_s))
        if gone:
            log.info("removed %d files of prompts that nobody names", len(gone))

    # --- asked by the control socket -----------------------------------------------------------------------------

    async def use_prompts(self, request: UsePrompts) -> None:
        """Raises: StoreError."""
        await self.use_newest()
        log.info("prompts in use taken up, asked by %s", request.by)

    async def read_upload(self, request: ReadPromptUpload) -> None:
        """Raises: MusicError, PromptError APP-194."""
        upload = self._own / kept.FOLDER / kept.INCOMING / Path(request.upload).name
        if request.kind not in KINDS.values():
            raise PromptError("APP-196", f"{request.kind!r} is no kind of sound", "Take a WAV, MP3, OGG or FLAC file")
        try:
            await sampled(upload, upload.with_suffix(".pcm"), request.kind, LONGEST_MS / 1000 + BEYOND_S)
        except OSError as error:
            what = f"the upload cannot be read ({error.strerror})"
            raise PromptError("APP-194", what, "Free space on the disk of the data folder") from error
