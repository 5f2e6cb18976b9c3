"""`[paths] database`: does the address make sense, and does that server let us in? Asks it, changes nothing. Any thread."""

from collections.abc import Iterator

from appliance.config import Config
from appliance.store.database import connect
from appliance.store.errors import StoreError
from appliance.store.place import Server, place_of
from drivers.errors import ConfigError, DoubtfulConfigError

AWAY = "STO-007"


def reached(config: Config) -> Iterator[ConfigError]:
    """Correct the address, the password or the server's rights. One that is only away now is no fault of the file's."""
    try:
        place = place_of(config.paths)
        if isinstance(place, Server):
            connect(place, read_only=True).close()
    except ConfigError as error:
        yield error
    except StoreError as error:
        kind = DoubtfulConfigError if error.code == AWAY else ConfigError
        yield kind(error.code, error.what, error.remedy)
