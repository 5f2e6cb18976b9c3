"""Accounts: passwords (argon2id), log-in with lock-out, sessions that end when the password changes. For the web and the console; runs
in the thread that asks.

A log-in that is refused never says why: unknown name, wrong password, locked and switched off look and take the same.
"""

import secrets
from datetime import datetime, timedelta
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from peewee import Field

from appliance.store.models import Account, database
from appliance.store.transaction import write_transaction

PASSWORD_LEAST = 10
PASSWORD_MOST = 128
NAME_MOST = 32
COMMON = ("password", "passw0rd", "careline", "hospital", "administrator", "qwertyuiop", "1234567890", "0123456789", "admin12345")


class LockRules(Protocol):
    """After how many wrong passwords an account is locked, and for how long: `[web]` of careline.toml."""

    @property
    def lock_after_failures(self) -> int: ...

    @property
    def lock_minutes(self) -> int: ...


_hasher = PasswordHasher()
_NOBODYS_HASH = _hasher.hash(secrets.token_hex(16))


def name_fault(name: str) -> str | None:
    """Key of the text that says what is wrong with a new account's name; None when it may be used."""
    if not name or name != name.strip():
        return "fault.name_empty"
    if len(name) > NAME_MOST or not all(letter.isalnum() or letter in "._-" for letter in name):
        return "fault.name_letters"
    if Account.select().where(Account.name == name).exists():
        return "fault.name_taken"
    return None


def password_fault(password: str, again: str, name: str) -> str | None:
    """Key of the text that says what is wrong with a new password; None when it may be used."""
    lower = password.lower()
    rules = (
        (password != again, "fault.password_differs"),
        (len(password) < PASSWORD_LEAST, "fault.password_short"),
        (len(password) > PASSWORD_MOST, "fault.password_long"),
        (len(set(password)) < 4, "fault.password_plain"),
        (bool(name) and len(name) > 2 and name.lower() in lower, "fault.password_name"),
        (any(common in lower for common in COMMON), "fault.password_common"),
    )
    return next((fault for broken, fault in rules if broken), None)


def hashed(password: str) -> str:
    """Takes as long as argon2 does: never within a transaction, where others would wait for it."""
    return _hasher.hash(password)


def create(name: str, password_hash: str, role: str, language: str, now: datetime) -> Account:
    """A new account. Raises: peewee.IntegrityError when the name was taken meanwhile."""
    return Account.create(
        name=name,
        password_hash=password_hash,
        role=role,
        language=language,
        created_at=now,
        session_key=_new_session_key(),
    )


def create_first(name: str, password: str, language: str, now: datetime) -> Account | None:
    """The first administrator; None when another was made meanwhile."""
    password_hash = hashed(password)
    with write_transaction(database):
        return None if Account.select().exists() else create(name, password_hash, "administrator", language, now)


def sign_in(name: str, password: str, now: datetime, rules: LockRules) -> Account | None:
    """The account, if name and password are right and it is neither locked nor switched off. Every failure is counted."""
    account = Account.get_or_none(Account.name == name)
    right = matches_hash(account.password_hash if account else _NOBODYS_HASH, password)
    if account is None:
        return None
    if is_locked(account, now) or account.disabled:
        return None
    if not right:
        _count_failure(account, now, rules)
        return None
    _welcome(account, password)
    return account


def is_locked(account: Account, now: datetime) -> bool:
    return account.locked_until is not None and account.locked_until > now


def matches(account: Account, password: str) -> bool:
    return matches_hash(account.password_hash, password)


def set_password(account: Account, password_hash: str) -> None:
    """Ends every session of this account. `password_hash`: see `hashed`."""
    account.password_hash = password_hash
    unlock(account)
    end_sessions(account, Account.password_hash)


def end_sessions(account: Account, *changed: Field) -> None:
    """Save the changed fields, and no others: somebody else may be changing those."""
    account.session_key = _new_session_key()
    account.save(only=[*changed, Account.session_key])


def unlock(account: Account) -> None:
    account.failed_logins = 0
    account.locked_until = None
    account.save(only=[Account.failed_logins, Account.locked_until])


def is_last_administrator(account: Account) -> bool:
    """Whether nobody else could manage accounts any more."""
    others = Account.select().where(Account.role == "administrator", ~Account.disabled, Account.id != account.id)
    return account.role == "administrator" and not account.disabled and not others.exists()


def matches_hash(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[: PASSWORD_MOST + 1])
    except (VerificationError, InvalidHashError):
        return False


def _count_failure(account: Account, now: datetime, rules: LockRules) -> None:
    Account.update(failed_logins=Account.failed_logins + 1).where(Account.id == account.id).execute()
    failures = Account.get_by_id(account.id).failed_logins
    if failures >= rules.lock_after_failures:
        until = now + timedelta(minutes=rules.lock_minutes)
        Account.update(failed_logins=0, locked_until=until).where(Account.id == account.id).execute()


def _welcome(account: Account, password: str) -> None:
    unlock(account)
    if _hasher.check_needs_rehash(account.password_hash):
        account.password_hash = _hasher.hash(password)
        account.save(only=[Account.password_hash])


def _new_session_key() -> str:
    return secrets.token_urlsafe(16)
