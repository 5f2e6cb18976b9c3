"""Users: the list, and a new password for one who has forgotten it."""

import msgspec

from appliance.console.command import Argument, Command, Given, Report
from appliance.console.errors import ConsoleError
from appliance.console.table import table
from appliance.console.work import Work
from appliance.store.rights import Right
from appliance.system.services.messages import ResetPassword


class UserShown(msgspec.Struct, frozen=True):
    """An account as --json has it."""

    name: str
    role: str
    disabled: bool
    locked: bool


def list_users(work: Work, given: Given) -> Report:
    found = work.stored(lambda: _users(work))
    rows = [(user.name, work.word("account_role", user.role), _state(work, user)) for user in found]
    return Report(table(work.heads("users", "name", "role", "state"), rows, work.columns), found)


def _users(work: Work) -> tuple[UserShown, ...]:
    from appliance.store.accounts import is_locked
    from appliance.store.models import Account

    now = work.clock.now()
    rows = Account.select().order_by(Account.name)
    return tuple(UserShown(row.name, row.role, row.disabled, is_locked(row, now)) for row in rows)


def _state(work: Work, user: UserShown) -> str:
    return work.say("users.disabled" if user.disabled else "users.locked" if user.locked else "users.well")


def reset(work: Work, given: Given) -> Report:
    """Asks for the new password twice; the box service gets its hash."""
    name = given["name"]
    if name not in [user.name for user in work.stored(lambda: _users(work))]:
        raise ConsoleError("SYS-015", f"there is no account {name!r}", "See the list of users")
    password_hash = new_password(work, name)
    work.long(ResetPassword(name=name, password_hash=password_hash, by=work.by))
    return Report([work.say("users.was_reset", name=name)])


def new_password(work: Work, name: str) -> str:
    """The hash of a password that was written twice and will do. Raises: ConsoleError SYS-033."""
    password = work.place.ask(work.say("login.new_password"), secret=True)
    again = work.place.ask(work.say("login.again"), secret=True)

    def hashed() -> str:
        from appliance.store import accounts

        if fault := accounts.password_fault(password, again, name):
            raise ConsoleError("SYS-033", work.say(fault), work.say("users.nothing_changed"))
        return accounts.hashed(password)

    return work.waited(hashed)


COMMANDS = (
    Command(name="users list", zh="用户 列表", right=Right.MANAGE_ACCOUNTS, act=list_users),
    Command(name="users reset", zh="用户 重置", right=Right.MANAGE_ACCOUNTS, act=reset, arguments=(Argument(name="name"),)),
)
