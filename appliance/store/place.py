"""Where the store is: a file of SQLite's in data_dir, or a database on a PostgreSQL server that `[paths] database` names. Pure.

Whoever tells of a place writes `str(place)`: a password in an address is in nothing that is shown or logged.
"""

from pathlib import Path
from urllib.parse import quote

from appliance.store.errors import StoreError
from drivers.errors import ConfigError
from drivers.settings import Paths

SCHEMES = ("postgresql://", "postgres://")
FORM = 'Write database = "postgresql://user@host:5432/name"; other signs than letters, digits and -._~ in any part as %40 for @'
HIDDEN = "…"


class Server:
    """A database on a PostgreSQL server. `parameters`: libpq's words, those of the address only.

    Source: www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
    """

    def __init__(self, url: str, password_file: str = "") -> None:
        """Raises: ConfigError CFG-069 for what is no such address; nothing of it is repeated, it may hold a password."""
        self.url = url
        self.parameters = _parameters(url)
        self._password_file = password_file

    @property
    def name(self) -> str:
        return str(self.parameters.get("dbname") or self.parameters.get("user") or self.parameters.get("service") or "")

    def secret(self) -> dict[str, str]:
        """The password of the file, which may be another one by now. Raises: StoreError STO-008."""
        if not self._password_file:
            return {}
        try:
            lines = Path(self._password_file).read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            what = f"cannot read the password of the store {self} in {self._password_file} ({error})"
            raise StoreError("STO-008", what, "Correct [paths] database_password_file, or let the group careline read it") from error
        return {"password": lines[0] if lines else ""}

    def hide(self, text: str) -> str:
        """That text without the password of the address, should it be in it."""
        password = str(self.parameters.get("password", ""))
        return text.replace(password, HIDDEN).replace(quote(password, safe=""), HIDDEN) if password else text

    def __str__(self) -> str:
        user, host, port = (str(self.parameters.get(name, "")) for name in ("user", "host", "port"))
        folder = f"?host={host}" if host.startswith("/") else ""
        return f"postgresql://{user and user + '@'}{'' if folder else host}{port and ':' + port}/{self.name}{folder}"

    def __repr__(self) -> str:
        return f"Server({str(self)!r})"


StorePlace = Path | Server


def place_of(paths: Paths) -> StorePlace:
    """As the configuration has it. Raises: ConfigError CFG-069."""
    return Server(paths.database_url, paths.database_password_file) if paths.database_url else paths.database


def _parameters(url: str) -> dict[str, str | int | None]:
    if not url.startswith(SCHEMES):
        raise _no_address("it does not begin with postgresql://")
    if "\0" in url:
        raise _no_address("it has a character 0")
    from psycopg import ProgrammingError  # loaded where there is a server: it takes 7 MB
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = dict(conninfo_to_dict(url))
    except (ProgrammingError, ValueError):
        raise _no_address("libpq, PostgreSQL's library, does not understand it") from None
    if "@" in f"{found.get('host', '')}{found.get('dbname', '')}":
        raise _no_address("it has more than one @")
    if not all(part.isdigit() for part in str(found.get("port", "")).split(",") if part):
        raise _no_address("its port is no number")
    return found


def _no_address(why: str) -> ConfigError:
    return ConfigError("CFG-069", f"paths.database is no address of a database: {why}", FORM)
