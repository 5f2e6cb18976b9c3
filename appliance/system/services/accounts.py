"""A new password for somebody who has forgotten it. Imports the store only when it is asked for."""

from appliance.system.box import Box, Tell
from appliance.system.errors import BoxError
from appliance.system.services.messages import ResetPassword

HASH_BEGINS = "$argon2id$"


def reset_password(box: Box, request: ResetPassword, tell: Tell) -> None:
    """Raises: BoxError SYS-015 no such account, SYS-016 no hash; StoreError."""
    from appliance.store import accounts
    from appliance.store.database import connect
    from appliance.store.models import Account, Audit
    from appliance.store.place import place_of
    from appliance.store.transaction import write_transaction

    if not request.password_hash.startswith(HASH_BEGINS):
        raise BoxError("SYS-016", "this is no hash of a password", "Upgrade console and box service to the same version")
    database = connect(place_of(box.config.paths))
    try:
        with database.bind_ctx((Account, Audit)), write_transaction(database):
            account = Account.get_or_none(Account.name == request.name)
            if account is None:
                raise BoxError("SYS-015", f"there is no account {request.name!r}", "See the list of users")
            accounts.set_password(account, request.password_hash)
            Audit.create(at=box.clock.now(), account=None, action="password_reset", subject=account.name, detail=f"by {request.by}")
    finally:
        database.close()
