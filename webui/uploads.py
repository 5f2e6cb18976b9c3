"""Uploads too large for memory or /tmp: written where they are wanted while they come in, gone when anything goes wrong on the way.

In request threads. A view is named in `FOLDERS`; only who has its right gets as far as the disk.
"""

import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from flask import Flask, Request, abort, g, request, session
from werkzeug.datastructures import FileStorage

from appliance.store.models import Account
from appliance.system.backup.incoming import INCOMING
from appliance.system.update.messages import BUNDLE_BYTES_MOST
from webui.errors import WebError
from webui.rights import Right, may
from webui.shared import shared

PART = ".part"
LEFT_BYTES = 64 << 20  # what must be free beside, for recordings and the store meanwhile
FIELDS_BYTES_MOST = 64 << 10
BACKUP_BYTES_MOST = 16 << 30
SET_UP = "may_set_up"


def _incoming() -> Path:
    return shared().data_dir / "system" / "incoming"


def _backups() -> Path:
    return shared().data_dir / INCOMING


FOLDERS: dict[str, tuple[Right | None, Callable[[], Path], int]] = {
    "update.upload": (Right.MANAGE_UPDATES, _incoming, BUNDLE_BYTES_MOST),
    "backup.upload": (Right.MANAGE_BACKUPS, _backups, BACKUP_BYTES_MOST),
    "setup_restore.take": (None, _backups, BACKUP_BYTES_MOST),
}
"""View: who may (None: whoever sets the box up), where to, how many bytes at most."""


def may_set_up() -> bool:
    """Nobody has an account yet, and this session has shown the set-up code."""
    return bool(session.get(SET_UP)) and not Account.select().exists()


def discard(name: str) -> None:
    """Of an upload for a restoring: nobody wants it any more."""
    (_backups() / name).unlink(missing_ok=True)


def _may(right: Right | None) -> bool:
    if right is None:
        return may_set_up()
    return g.get("account") is not None and may(g.account.role, right)


class UploadRequest(Request):
    """Asks us for each file of a form where it is to be written. Source: werkzeug.palletsprojects.com/wrappers, `_get_file_stream`."""

    def _get_file_stream(
        self, total_content_length: int | None, content_type: str | None, filename: str | None = None, content_length: int | None = None
    ) -> IO[bytes]:
        wanted = FOLDERS.get(self.endpoint or "")
        if wanted is None:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        right, folder, _ = wanted
        if not _may(right) or "upload_part" in g:
            abort(403)  # nobody signed in, or a second file in one form
        return _part(folder(), total_content_length)


def install(app: Flask) -> None:
    app.request_class = UploadRequest

    @app.url_value_preprocessor
    def allow(endpoint: str | None, _: object) -> None:
        if wanted := FOLDERS.get(endpoint or ""):
            request.max_content_length = wanted[2] + FIELDS_BYTES_MOST

    @app.teardown_request
    def forget(_: BaseException | None) -> None:
        if (part := g.pop("upload_part", None)) is not None:
            part.close()
            part.path.unlink(missing_ok=True)


def keep(given: FileStorage, name: str) -> None:
    """The upload of this request is whole: it gets its name. Raises: WebError WEB-013."""
    path = g.upload_part.path
    try:
        given.stream.flush()
        os.fsync(given.stream.fileno())
        path.chmod(0o660)
        os.replace(path, path.with_name(name))
    except OSError as error:
        raise _not_kept(error) from error


def _part(folder: Path, size_bytes: int | None) -> IO[bytes]:
    if size_bytes is None:
        abort(400)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if free < size_bytes + LEFT_BYTES:
            what = f"the upload needs {(size_bytes + LEFT_BYTES) >> 20} MB on the data partition, {free >> 20} MB are free"
            raise WebError("SYS-075", what, "Move old recordings away")
        g.upload_part = _Part(folder / f"{uuid.uuid4().hex}{PART}")
    except OSError as error:
        raise _not_kept(error) from error
    return cast(IO[bytes], g.upload_part)


class _Part:
    """The file, whose faults are told as ours: a disk that becomes full while the upload runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("w+b")

    def write(self, piece: bytes) -> int:
        try:
            return self._file.write(piece)
        except OSError as error:
            raise _not_kept(error) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _not_kept(error: OSError) -> WebError:
    return WebError("WEB-013", f"cannot keep the upload: {error.strerror}", "Check free space and rights of the data folder")
