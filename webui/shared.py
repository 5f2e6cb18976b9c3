"""What every request of one application shares, and how a view reaches it. Made once by app.py; used by every request thread."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app, g

from appliance.hospital.registry.telephone import Normalise
from appliance.store.models import Account, Audit
from drivers.clock import Clock
from webui.limits import Once, RateLimit
from webui.live import LiveHub
from webui.rights import Right, may
from webui.settings import Config
from webui.today import TodayCounter
from webui.wording import Wording


@dataclass(frozen=True)
class Shared:
    config: Config
    clock: Clock
    wording: Wording
    hub: LiveHub
    zone: ZoneInfo
    normalise: Normalise
    hospital_name: dict[str, str]
    sign_in_limit: RateLimit
    setup_limit: RateLimit
    post_limit: RateLimit
    listened: Once
    today: TodayCounter
    files_version: str

    @property
    def data_dir(self) -> Path:
        return Path(self.config.paths.data_dir)

    def local(self, at: datetime) -> datetime:
        """`at` in the hospital's time zone."""
        return at.astimezone(self.zone)

    def day(self) -> date:
        """Today, in the hospital's time zone."""
        return self.local(self.clock.now()).date()


def shared() -> Shared:
    return cast(Shared, current_app.extensions["careline"])


def me() -> Account:
    """The account signed in. Only for views that ask for one."""
    return cast(Account, g.account)


def language() -> str:
    return cast(str, g.language)


def say(key: str, /, **values: object) -> str:
    """A text in the language of this request."""
    return shared().wording.say(language(), key, **values)


def i_may(right: Right) -> bool:
    return g.get("account") is not None and may(g.account.role, right)


def audit(action: str, subject: str = "", detail: str = "", account: Account | None = None) -> None:
    """One line of who did what. `action` is a key of the group `audit` of the texts."""
    who = account or g.get("account")
    Audit.create(at=shared().clock.now(), account=who, action=action, subject=subject, detail=detail)
