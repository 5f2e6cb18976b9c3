"""The store, as `careline doctor` sees it: on a server, whether that can be reached; in a file, whether a full disk leaves it room."""

from appliance.doctor import machine
from appliance.doctor.finding import Finding, Text, failed, well
from appliance.store.database import connect
from appliance.store.place import Server, place_of
from drivers.errors import CarelineError
from drivers.settings import Paths

ABOUT = Text("数据库", "store")


def examine_store(paths: Paths) -> list[Finding]:
    """Of SQLite's only what concerns the reserve."""
    try:
        place = place_of(paths)
        return [_server(place)] if isinstance(place, Server) else machine.examine_reserve(place)
    except CarelineError as error:
        remedy = Text("检查 careline.toml 里 [paths] database 的地址、密码文件和 PostgreSQL 服务器", error.remedy)
        return [failed(ABOUT, error.code, Text(error.what, error.what), remedy)]


def _server(place: Server) -> Finding:
    database = connect(place, read_only=True)
    version = f"PostgreSQL {database.server_version // 10_000}.{database.server_version % 10_000}"
    database.close()
    return well(ABOUT, f"{place}（{version}）", f"{place} ({version})")
