"""Sealing a stream with a passphrase so that nobody reads or changes it: the age format, version 1, with its scrypt recipient.

Chosen because it is authenticated piece by piece (nothing unproved is ever given out, an end that is missing is noticed), takes 64 KiB of
memory however long the stream is, and any `age` program opens it without Careline. The ciphers are those of `cryptography` (OpenSSL's).
Pure but for the random numbers; any thread. Source: github.com/C2SP/C2SP/blob/main/age.md
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.system.errors import BoxError

CHUNK = 64 * 1024
TAG = 16
INTRO = b"age-encryption.org/v1\n"
LABEL = b"age-encryption.org/v1/scrypt"
LOG_N = 15  # 32 MiB for a moment; our passphrases have 100 random bits, so the cost of trying one matters little
LOG_N_MOST = 18  # age's own programs use that: 256 MiB
LINE_MOST = 128
ANOTHER_COPY = "Take another backup, or copy this one anew from where it was made"


class Sealer:
    """A file to write to: what is written goes sealed to `write`. `close` writes the end; without it the stream cannot be opened."""

    def __init__(self, write: Callable[[bytes], object], passphrase: str, log_n: int = LOG_N) -> None:
        self._write = write
        file_key, nonce = secrets.token_bytes(16), secrets.token_bytes(16)
        write(_header(file_key, passphrase, log_n) + nonce)
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._rest = bytearray()
        self._count = 0

    def write(self, plain: bytes) -> int:
        self._rest += plain
        while len(self._rest) > CHUNK:  # the last chunk is marked, so one is always kept back
            self._seal(bytes(self._rest[:CHUNK]), last=False)
            del self._rest[:CHUNK]
        return len(plain)

    def flush(self) -> None:
        """Nothing: a chunk is sealed when it is full."""

    def close(self) -> None:
        self._seal(bytes(self._rest), last=True)

    def abandon(self) -> None:
        """What is written from now on goes nowhere."""
        self._write = len

    def _seal(self, plain: bytes, last: bool) -> None:
        self._write(self._cipher.encrypt(_nonce(self._count, last), plain, None))
        self._count += 1


class Opener:
    """A file to read from: `read(n)` gives at most n sealed bytes, none at the end.

    Raises: BoxError SYS-108 no sealed stream, SYS-109 damaged or cut off (which byte), SYS-111 another passphrase.
    """

    def __init__(self, read: Callable[[int], bytes], passphrase: str) -> None:
        self._source = _Source(read)
        file_key = _opened_header(self._source, passphrase)
        nonce = self._source.exactly(16)
        self._cipher = ChaCha20Poly1305(_derived(file_key, nonce, b"payload"))
        self._next = self._source.most(CHUNK + TAG)
        self._ready = b""
        self._count = 0
        self._at = self._source.at - len(self._next)
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, b"" at the proved end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(CHUNK), b""))
        while not self._ready and not self._ended:
            self._open_chunk()
        found, self._ready = self._ready[:size], self._ready[size:]
        return found

    def _open_chunk(self) -> None:
        following = self._source.most(CHUNK + TAG) if len(self._next) == CHUNK + TAG else b""
        last = not following
        try:
            self._ready = self._cipher.decrypt(_nonce(self._count, last), self._next, None)
        except InvalidTag:
            raise self._damaged(last) from None
        if last and not self._ready and self._count:
            raise _damaged_at(self._at, "an empty end")
        self._at += len(self._next)
        self._next, self._count, self._ended = following, self._count + 1, last

    def _damaged(self, last: bool) -> BoxError:
        return _damaged_at(self._at, "cut off, or changed, behind that place" if last else "changed in the 64 KiB from there on")


class _Source:
    """Counts what is read."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self.at = 0

    def most(self, size: int) -> bytes:
        """So many bytes, fewer only at the end."""
        found = bytearray()
        while len(found) < size and (more := self._read(size - len(found))):
            found += more
        self.at += len(found)
        return bytes(found)

    def exactly(self, size: int) -> bytes:
        found = self.most(size)
        if len(found) < size:
            raise _damaged_at(self.at, "cut off")
        return found

    def line(self) -> bytes:
        found = bytearray()
        while not found.endswith(b"\n"):
            found += self.exactly(1)
            if len(found) > LINE_MOST:
                raise _damaged_at(self.at, "a line of the header is too long")
        return bytes(found)


def _header(file_key: bytes, passphrase: str, log_n: int) -> bytes:
    salt = secrets.token_bytes(16)
    body = ChaCha20Poly1305(_stretched(passphrase, salt, log_n)).encrypt(bytes(12), file_key, None)
    head = INTRO + b"-> scrypt " + _text(salt) + b" %d\n" % log_n + _text(body) + b"\n---"
    return head + b" " + _text(_mac(file_key, head)) + b"\n"


def _opened_header(source: _Source, passphrase: str) -> bytes:
    """The file key."""
    if source.most(len(INTRO)) != INTRO:
        raise BoxError("SYS-108", "this is no backup of Careline", "Choose a file whose name begins with careline- and ends with .age")
    recipient, body, end = source.line(), source.line(), source.line()
    salt, log_n = _recipient(recipient.split(), source.at)
    try:
        file_key = ChaCha20Poly1305(_stretched(passphrase, salt, log_n)).decrypt(bytes(12), _bytes(body.strip(), 32, source.at), None)
    except InvalidTag:
        what = "the recovery words are not those this backup was made with"
        raise BoxError("SYS-111", what, "Type those of the box that made it, as they were when it was made") from None
    _check_mac(file_key, INTRO + recipient + body + b"---", end, source.at)
    return file_key


def _recipient(words: list[bytes], at: int) -> tuple[bytes, int]:
    if len(words) != 4 or words[:2] != [b"->", b"scrypt"] or not words[3].isdigit() or len(words[3]) > 2:
        raise _damaged_at(at, "no passphrase in the header")
    log_n = int(words[3])
    if not 1 <= log_n <= LOG_N_MOST:
        raise _damaged_at(at, "the header wants too much memory")
    return _bytes(words[2], 16, at), log_n


def _check_mac(file_key: bytes, head: bytes, end: bytes, at: int) -> None:
    words = end.split()
    if len(words) != 2 or words[0] != b"---" or not hmac.compare_digest(_bytes(words[1], 32, at), _mac(file_key, head)):
        raise _damaged_at(at, "the header was changed")


def _stretched(passphrase: str, salt: bytes, log_n: int) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=LABEL + salt, n=1 << log_n, r=8, p=1, maxmem=(1 << log_n) * 1024 + (1 << 20), dklen=32)


def _derived(file_key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(file_key)


def _mac(file_key: bytes, head: bytes) -> bytes:
    return hmac.digest(_derived(file_key, b"", b"header"), head, "sha256")


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])


def _text(raw: bytes) -> bytes:
    return b64encode(raw).rstrip(b"=")


def _bytes(text: bytes, size: int, at: int) -> bytes:
    """Only as it is written: another spelling of the same bytes is a change, too."""
    try:
        found = b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except ValueError:
        found = b""
    if len(found) != size or _text(found) != text:
        raise _damaged_at(at, "the header was changed")
    return found


def _damaged_at(at: int, what: str) -> BoxError:
    return BoxError("SYS-109", f"the backup is damaged at byte {at}: {what}", ANOTHER_COPY)
