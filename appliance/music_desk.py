"""What can be asked about music on hold through the control socket: what there is, add, choose, remove. Call agent's event loop; sox runs
beside it.
"""

import contextlib
import logging
import re
from pathlib import Path

from appliance.control.messages import AddMusic, AskMusic, ChooseMusic, MusicEntry, MusicRequest, MusicTold, RemoveMusic
from appliance.errors import MusicError
from appliance.music import MusicShelf
from appliance.music_level import KINDS, levelled

log = logging.getLogger("careline.control")

MOST = 50
_NAME = re.compile(r"[^/\\.\x00-\x1f][^/\\\x00-\x1f]{0,59}")


class MusicDesk:
    """The shelf, and what may be done to it. Uploads lie in `incoming`, and are gone afterwards."""

    def __init__(self, shelf: MusicShelf, incoming: Path) -> None:
        self.shelf = shelf
        self._incoming = incoming

    async def serve(self, request: MusicRequest) -> MusicTold:
        """Raises: MusicError."""
        try:
            match request:
                case AddMusic():
                    await self._add(request)
                case ChooseMusic(name=name):
                    self._known(name)
                    self.shelf.choose(name)
                case RemoveMusic(name=name):
                    self._known(name or ".")  # what comes with the box stays
                    self.shelf.path(name).unlink()
        except OSError as error:
            raise MusicError("APP-116", f"music cannot be kept: {error}", "Check the data folder and its free space") from error
        if not isinstance(request, AskMusic):
            log.info("music on hold: %s %r by %s", type(request).__name__, getattr(request, "name", ""), request.by)
        return self._told()

    async def _add(self, request: AddMusic) -> None:
        upload = self._incoming / Path(request.upload).name
        try:
            if not _NAME.fullmatch(request.name) or len(self.shelf.names()) >= MOST:
                raise MusicError("APP-114", f"a file cannot be called {request.name!r}, or there are {MOST} already", "Choose another name")
            if request.kind not in KINDS.values():
                raise MusicError("APP-111", f"the file cannot be read: {request.kind!r} is no kind of sound", "Take a WAV, MP3 or OGG file")
            self.shelf.folder.mkdir(parents=True, exist_ok=True)
            loudness = await levelled(upload, self.shelf.path(request.name), request.kind)
            log.info("music %r had %.1f LUFS", request.name, loudness)
        finally:
            with contextlib.suppress(OSError):
                upload.unlink()

    def _known(self, name: str) -> None:
        if name and name not in self.shelf.names():
            raise MusicError("APP-115", f"there is no music {name!r}", "Look at the page of music again")

    def _told(self) -> MusicTold:
        current = self.shelf.current()
        paths = {name: self.shelf.path(name) for name in ("", *self.shelf.names())}
        return MusicTold(entries=tuple(MusicEntry(name=name, path=str(path), chosen=path == current) for name, path in paths.items()))
