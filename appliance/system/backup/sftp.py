"""A shelf on another machine, by SFTP. paramiko (LGPL): it streams, logs in with a key or a password, and shows the host key to compare.

The host key is pinned: another one is refused before anything is said about us. Imported only when such a target is used.
"""

import base64
import contextlib
import hashlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.system.backup.files import write_whole
from appliance.system.backup.messages import Target
from appliance.system.backup.shelf import Readable, Stored, Written, told
from appliance.system.errors import BoxError

CONNECT_LIMIT_S = 15.0
QUIET_LIMIT_S = 60.0
KEEPALIVE_S = 15
BLOCK = 32 * 1024  # Source: draft-ietf-secsh-filexfer-02, what every server must take
AHEAD = 32  # blocks asked for at once: 1 MB
KEY_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")


class SftpShelf:
    """A folder over a connection that is open."""

    def __init__(self, client: paramiko.SFTPClient, folder: str, where: str) -> None:
        self._client, self._folder, self._where = client, folder.rstrip("/") or ".", where
        with self._told():
            self._make(self._folder)

    def list(self) -> list[Stored]:
        with self._told():
            found = self._client.listdir_attr(self._folder)
        return [Stored(each.filename, each.st_size or 0) for each in found if stat.S_ISREG(each.st_mode or 0)]

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[Written]:
        with self._told(), self._client.open(self._path(name), "wb") as file:
            file.set_pipelined(True)
            yield file

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[Readable]:
        with self._told(), self._client.open(self._path(name), "rb") as file:
            yield _Ahead(file, file.stat().st_size or 0)

    def rename(self, name: str, to: str) -> None:
        with self._told():
            try:
                self._client.posix_rename(self._path(name), self._path(to))
            except OSError:  # a server without that extension
                self._client.rename(self._path(name), self._path(to))

    def remove(self, name: str) -> None:
        with self._told(), contextlib.suppress(FileNotFoundError):
            self._client.remove(self._path(name))

    def free(self) -> int | None:
        return None

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _make(self, folder: str) -> None:
        try:
            self._client.stat(folder)
        except FileNotFoundError:
            if "/" in folder.strip("/"):
                self._make(folder.rpartition("/")[0])
            self._client.mkdir(folder, 0o700)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with told(self._where):
                yield
        except (paramiko.SSHException, EOFError) as error:
            raise _unreachable(self._where, error) from error


class _Ahead:
    """Reads with several blocks on their way, and never more than these in memory."""

    def __init__(self, file: paramiko.SFTPFile, size: int) -> None:
        self._file, self._size = file, size
        self._at = 0
        self._rest = b""

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = self._more()
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def _more(self) -> bytes:
        starts = range(self._at, min(self._size, self._at + BLOCK * AHEAD), BLOCK)
        found = b"".join(self._file.readv([(start, min(BLOCK, self._size - start)) for start in starts])) if starts else b""
        self._at += len(found)
        return found


@contextlib.contextmanager
def connected(target: Target, password: str, key: Path) -> Iterator[SftpShelf]:
    """Raises: BoxError SYS-104 not reachable, SYS-120 another host key, SYS-121 log-in refused."""
    where = f"sftp://{target.user}@{target.host}:{target.port}/{target.path}"
    with contextlib.ExitStack() as stack:
        try:
            transport = stack.enter_context(contextlib.closing(_transport(target.host, target.port, _kinds(target.host_key))))
            _compare(transport, target)
            _log_in(transport, target, password, key)
            client = paramiko.SFTPClient.from_transport(transport)
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise _unreachable(where, error) from error
        channel = client.get_channel() if client is not None else None
        assert client is not None
        assert channel is not None  # neither is where somebody has logged in
        channel.settimeout(QUIET_LIMIT_S)
        yield SftpShelf(client, target.path, where)


def host_key_of(host: str, port: int) -> tuple[str, str]:
    """The key a machine shows and its fingerprint, as `ssh-keygen -l` writes it. Raises: BoxError SYS-104."""
    try:
        with contextlib.closing(_transport(host, port, KEY_KINDS)) as transport:
            key = transport.get_remote_server_key()
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise _unreachable(f"{host}:{port}", error) from error
    fingerprint = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    return f"{key.get_name()} {key.get_base64()}", f"SHA256:{fingerprint}"


def public_key(key: Path) -> str:
    """Of the box, for authorized_keys; made when there is none. Raises: BoxError SYS-116."""
    if not key.exists():
        private = Ed25519PrivateKey.generate()
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
        write_whole(key, private.private_bytes(*form), 0o600)
    found = paramiko.Ed25519Key.from_private_key_file(str(key))
    return f"{found.get_name()} {found.get_base64()} careline-backup"


def _kinds(host_key: str) -> tuple[str, ...]:
    """So that the server shows the key that was pinned, if it has it."""
    name = host_key.partition(" ")[0]
    return ("rsa-sha2-512", "rsa-sha2-256") if name == "ssh-rsa" else (name,)


def _transport(host: str, port: int, kinds: tuple[str, ...]) -> paramiko.Transport:
    transport = paramiko.Transport(socket.create_connection((host, port), CONNECT_LIMIT_S))
    try:
        options = transport.get_security_options()
        options.key_types = tuple(kind for kind in kinds if kind in options.key_types) or options.key_types
        transport.set_keepalive(KEEPALIVE_S)
        transport.start_client(timeout=CONNECT_LIMIT_S)
    except BaseException:
        transport.close()
        raise
    return transport


def _compare(transport: paramiko.Transport, target: Target) -> None:
    key = transport.get_remote_server_key()
    if f"{key.get_name()} {key.get_base64()}" != " ".join(target.host_key.split()[:2]):
        what = f"{target.host} shows another host key than the one that is pinned: it is another machine, or was set up anew"
        raise BoxError("SYS-120", what, "Ask who runs it; only then take its key anew on the page Backup")


def _log_in(transport: paramiko.Transport, target: Target, password: str, key: Path) -> None:
    transport.auth_timeout = CONNECT_LIMIT_S
    try:
        if password:
            transport.auth_password(target.user, password)
        else:
            transport.auth_publickey(target.user, paramiko.Ed25519Key.from_private_key_file(os.fspath(key)))
    except (paramiko.AuthenticationException, FileNotFoundError) as error:
        how = "the password" if password else "the box's key"
        what = f"{target.host} does not let {target.user} in with {how}"
        raise BoxError("SYS-121", what, "Give the right password, or put the box's public key into authorized_keys there") from error


def _unreachable(where: str, error: Exception) -> BoxError:
    return BoxError(
        "SYS-104", f"{where} is not reachable: {error or type(error).__name__}", "Check the network, the address and that machine"
    )
