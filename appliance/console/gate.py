"""Who may come in: accounts of the store, and while that cannot be read, a copy of those who logged in here before.

Imports the store when somebody is there. Runs in threads of the session (Terminal.waited).
"""

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from appliance.config import Config
from appliance.console.commands.alarms import AlarmShown, new_alarms
from appliance.store.rights import Right, may
from drivers.clock import Clock
from drivers.errors import CarelineError

SPARE = "console-accounts"
NOBODY = "nobody"


class Rules(msgspec.Struct, frozen=True):
    """Those of `[web]`, which hold here too."""

    lock_after_failures: int = 5
    lock_minutes: int = 15


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in. `session_key` changes when the account's sessions are to end; `spare`: let in by the copy."""

    name: str
    role: str
    language: str
    session_key: str = ""
    spare: bool = False

    def may(self, right: Right | None) -> bool:
        return right is None or may(self.role, right)


class SpareAccount(msgspec.Struct, frozen=True):
    """An account that can log in while the store cannot be read."""

    name: str
    role: str
    language: str
    password_hash: str


class Gate:
    """`line`: what the audit says people came by."""

    def __init__(self, config: Config, clock: Clock, line: str) -> None:
        self._config, self._clock, self._line = config, clock, line
        web = config.web
        self.rules = Rules(int(web.get("lock_after_failures", 5)), int(web.get("lock_minutes", 15)))

    @property
    def _spare_file(self) -> Path:
        return Path(self._config.paths.data_dir) / SPARE

    def is_first_run(self) -> bool:
        """Nobody has an account yet. Raises: StoreError."""
        from appliance.console.store import reading
        from appliance.store.models import Account

        with reading(self._config.paths):
            return not Account.select().exists()

    def was_never_used(self) -> bool:
        """There is no store yet, and nobody has ever logged in: whoever is at the cable may look after the box."""
        paths = self._config.paths
        return not paths.database_url and not paths.database.exists() and not self._spare_file.exists()

    def sign_in(self, name: str, password: str) -> Person | None:
        """None when it is not right, whatever is not: unknown, wrong, locked, switched off. Raises: StoreError."""
        from appliance.console.store import reading
        from appliance.store import accounts
        from appliance.store.models import Account, Audit

        with reading(self._config.paths):
            account = accounts.sign_in(name, password, self._clock.now(), self.rules)
            action = "signed_in" if account else "sign_in_refused"
            subject = account.name if account else name[: accounts.NAME_MOST]
            Audit.create(at=self._clock.now(), account=account, action=action, subject=subject, detail=f"console {self._line}")
            if account is None:
                return None
            self._keep_spare(SpareAccount(account.name, account.role, account.language, account.password_hash), list(Account.select()))
            return Person(name=account.name, role=account.role, language=account.language, session_key=account.session_key)

    def sign_in_spare(self, name: str, password: str) -> Person | None:
        """By the copy, while the store cannot be read."""
        from appliance.store import accounts

        known = next((each for each in self._spares() if each.name == name), None)
        if known is None or not accounts.matches_hash(known.password_hash, password):
            return None
        return Person(name=known.name, role=known.role, language=known.language, spare=True)

    def name_fault(self, name: str) -> str | None:
        from appliance.console.store import reading
        from appliance.store import accounts

        with reading(self._config.paths):
            return accounts.name_fault(name)

    def create_first(self, name: str, password: str, language: str) -> Person | None:
        """The first administrator; None when another was made meanwhile. The web's set-up code is then of no use. Raises: StoreError."""
        from appliance.console.store import reading
        from appliance.store import accounts
        from appliance.store.models import Audit

        with reading(self._config.paths):
            account = accounts.create_first(name, password, language, self._clock.now())
            if account is None:
                return None
            Audit.create(at=self._clock.now(), account=account, action="first_account", subject=name, detail=f"console {self._line}")
            return Person(name=name, role=account.role, language=language, session_key=account.session_key)

    def still(self, person: Person) -> bool:
        """Whether the account is as it was when this person logged in. A store that cannot be read ends no session."""
        if not person.session_key:
            return True
        from appliance.console.store import reading
        from appliance.store.models import Account

        try:
            with reading(self._config.paths):
                account = Account.get_or_none(Account.name == person.name)
        except CarelineError:
            return True
        return account is not None and not account.disabled and account.session_key == person.session_key

    def new_alarms(self, told: Collection[int]) -> tuple[AlarmShown, ...]:
        """Those nobody was told of at this line. Raises: StoreError."""
        from appliance.console.store import reading

        with reading(self._config.paths):
            return new_alarms(told)

    # --- the copy

    def _spares(self) -> list[SpareAccount]:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(self._spare_file.read_bytes(), type=list[SpareAccount])
        return []

    def _keep_spare(self, new: SpareAccount, accounts: list[object]) -> None:
        """Of people who look after the box, as they are in the store now. One that cannot be written harms nobody."""
        if not may(new.role, Right.LOOK_AFTER_BOX):
            return
        now = {getattr(each, "name", ""): each for each in accounts if not getattr(each, "disabled", True)}
        kept = {each.name: each for each in self._spares() if getattr(now.get(each.name), "password_hash", "") == each.password_hash}
        with contextlib.suppress(OSError):
            _write_private(self._spare_file, msgspec.json.encode(list({**kept, new.name: new}.values())))


def _write_private(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
