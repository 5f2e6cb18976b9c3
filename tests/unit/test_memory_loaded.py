"""What each process does not load while it starts: packages of megabytes that few boxes use, or seldom. See tests/bench/memory.py."""

import subprocess
import sys

import pytest

LIMIT_S = 60.0
SELDOM = {"psycopg", "openpyxl", "numpy", "cryptography", "paramiko", "pysnmp", "prometheus_client", "pypinyin", "zeroconf", "pyroute2.ndb"}
NOT_THERE = {
    "drivers.server.program": SELDOM | {"pyroute2", "peewee", "flask", "appliance"},
    "appliance.main": SELDOM | {"pyroute2", "flask"},
    "appliance.system.__main__": SELDOM | {"pyroute2", "peewee", "flask"},
    "webui.__main__": SELDOM | {"pyroute2", "gunicorn.arbiter"},
    "appliance.health.__main__": SELDOM | {"pyroute2", "flask"},
    "appliance.printing.__main__": SELDOM | {"pyroute2", "flask"},
    "appliance.console.__main__": SELDOM | {"pyroute2", "peewee", "flask"},
}
TELL = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sys.modules)"


@pytest.mark.parametrize("module", sorted(NOT_THERE))
def test_what_is_seldom_used_is_not_loaded(module: str) -> None:
    told = subprocess.run([sys.executable, "-c", TELL, module], capture_output=True, text=True, check=True, timeout=LIMIT_S)
    assert NOT_THERE[module] & set(told.stdout.split()) == set()


def test_the_network_is_looked_after_without_all_of_netlink() -> None:
    tell = (sys.executable, "-c", TELL, "appliance.system.network.kernel")
    loaded = set(subprocess.run(tell, capture_output=True, text=True, check=True, timeout=LIMIT_S).stdout.split())
    assert "pyroute2.iproute" in loaded
    assert "pyroute2.ndb.main" not in loaded


def test_peewee_finds_the_driver_where_the_store_is_on_a_server() -> None:
    code = "import appliance.store.postgresql as it; print(it.psycopg.__name__, it.PostgresqlDatabase.__module__)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=LIMIT_S)
    assert told.stdout == "psycopg peewee\n"
