"""Secrets a caller keys, a card's password say: what nobody but one action may know.

While a place asks for one the line server masks the caller's leg (drivers.protocol.MaskDigits), and the digits stand in this process's
memory alone, until they are taken once: in no event, tag, step or log. So a call agent that takes over knows none of them, and the place
is begun anew. Runs in the call agent's event loop.
"""

import re
from functools import cached_property

import msgspec

from appliance.call.core import CallCore
from appliance.call.leg import Leg
from appliance.call.outcome import Keyed
from appliance.errors import CallError
from appliance.events import CallerSilent, SecretEntered
from drivers.errors import CarelineError
from drivers.protocol import MaskDigits

ENDED_QUIET_MS = 100
LEFT_OVER_QUIET_MS = 1000  # who was not asked for an end key may press it all the same, or a digit too many


class Secret:
    """Digits without the end key, which is `ended_by`. Nothing shows them; `take` gives them, once."""

    __slots__ = ("_count", "_digits", "ended_by", "keyed")

    def __init__(self, digits: str, keyed: Keyed, ended_by: str = "") -> None:
        self._digits: str | None = digits
        self._count = len(digits)
        self.keyed = keyed
        self.ended_by = ended_by

    def __len__(self) -> int:
        return self._count

    def fits(self, pattern: str) -> bool:
        """Whether all of them match this regular expression; not once they were taken."""
        return self._digits is not None and re.fullmatch(pattern, self._digits) is not None

    def take(self) -> str | None:
        """The digits; None the second time."""
        digits, self._digits = self._digits, None
        return digits

    def __repr__(self) -> str:
        return f"Secret({'*' * self._count})"

    def __reduce__(self) -> str:
        raise TypeError("a secret is written nowhere")


class SecretKeys(CallCore):
    """The caller's secrets: asked for under a mask, kept by name until one action takes them. Most have no name: there is one only."""

    asks_anew = False  # the next prompt cannot be stopped
    _was_taken = False
    _quiet_ms = ENDED_QUIET_MS
    _mask_command = 0

    @cached_property
    def _secrets(self) -> dict[str, Secret]:
        return {}

    def begin_secret(self) -> None:
        """From here to the end of the place, or to `end_secret`, all keys are of a secret, those typed ahead too. Before the prompt that
        asks for it."""
        if not self.main.asks_secret:
            self._mask_command = self.send(MaskDigits(leg=self.main.name, on=True))
            self.main.begin_secret()
        if not self.tag.secret:
            self.commit(secret=True)

    async def ask_secret(self, max_digits: int, first_key_ms: int, between_ms: int, end: str = "#", kept_as: str = "") -> Secret:
        """Up to `max_digits`, those typed ahead first; `end`: keys that end it. Kept for `take_secret`, in the place of the one before of
        that name.

        No step: a place that asks for a secret is begun anew after a crash. Raises: CallError APP-016 when the caller cannot be masked.
        """
        self.begin_secret()
        limit_ms = first_key_ms
        while (secret := _keyed(self.main, max_digits, end)).keyed is Keyed.SILENT:
            if not await self._more_keys(limit_ms / 1000):
                break
            limit_ms = between_ms
        self.main.take_secret(len(secret) + len(secret.ended_by))
        self._quiet_ms = ENDED_QUIET_MS if secret.ended_by else LEFT_OVER_QUIET_MS
        self._secrets[kept_as] = secret
        is_silent = not len(secret) and not secret.ended_by
        self.commit(CallerSilent(**self.here()) if is_silent else SecretEntered(count=len(secret), **self.here()))
        return secret

    async def _more_keys(self, limit_s: float) -> bool:
        known, mask = len(self.main.secret_digits), self._mask_command
        more = await self.main.wait(lambda leg: len(leg.secret_digits) > known or mask in leg.refused, limit_s)
        if refusal := self.main.refused.get(mask):
            raise CallError("APP-016", f"no secret can be asked for: {refusal.what}", refusal.remedy)
        return more

    def end_secret(self) -> None:
        """The caller is heard again, and keys count as ever, once the last one is over."""
        if not self.main.digits_masked:
            return
        self.main.end_secret()
        if not self.main.is_released:
            self.send(MaskDigits(leg=self.main.name, on=False, quiet_ms=self._quiet_ms))

    def recover_secret(self) -> None:
        """A call taken over: what was keyed is gone, so its place is begun anew; elsewhere the caller is to be heard."""
        if not self.tag.secret:
            self.end_secret()
            return
        play_id = self.main.play.play_id if self.main.play else 0  # what the one before began to say is not enough
        self.tag = msgspec.structs.replace(self.tag, steps=(), play_id=max(self.tag.play_id, play_id))
        self.asks_anew = True

    def asked_anew(self) -> None:
        """The caller has heard the question to its end: what was keyed up to now went on from what is gone."""
        if self.asks_anew:
            self.main.take_secret(len(self.main.secret_digits))
        self.asks_anew = False

    def take_secret(self, kept_as: str = "") -> str | None:
        """The digits of the last secret of that name, once; None when there is none: asked before a crash, or taken."""
        secret = self._secrets.pop(kept_as, None)
        digits = secret.take() if secret is not None else None
        self._was_taken = self._was_taken or bool(digits)
        return digits or None

    def told(self, failure: BaseException) -> str:
        """What a failure says, or just what it is when it may tell a secret that was taken."""
        return type(failure).__name__ if self._was_taken and not isinstance(failure, CarelineError) else str(failure)

    def secret_left(self) -> list[SecretEntered]:
        """The event of keys the caller hung up in the middle of."""
        count = len(self.main.secret_digits)
        return [SecretEntered(count=count, **self.here())] if count else []


def _keyed(leg: Leg, most: int, end: str) -> Secret:
    """What there is so far."""
    keys = "".join(press.digit for press in leg.secret_digits)
    digits = re.split(f"[{re.escape(end)}]", keys, maxsplit=1)[0] if end else keys
    if len(digits) < len(keys) and len(digits) <= most:
        return Secret(digits, Keyed.ENDED, keys[len(digits)])
    return Secret(digits[:most], Keyed.ENOUGH if len(digits) >= most else Keyed.SILENT)
