"""The store on a PostgreSQL server, exchanged in one transaction of the server's: it has all of the other one or nothing of it."""

from pathlib import Path

from appliance.store.place import Server
from appliance.system.backup import snapshot
from appliance.system.backup.work import Work

DUMP = "careline.pgdump"
EMPTY = """do $$ declare found record; begin
  for found in select tablename as name from pg_tables where schemaname = 'public' loop
    execute format('drop table if exists public.%I cascade', found.name); end loop;
  for found in select p.oid::regprocedure as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    left join pg_depend d on d.objid = p.oid and d.deptype = 'e' where n.nspname = 'public' and d.objid is null loop
    execute format('drop function if exists %s cascade', found.name); end loop;
end $$;"""


def keep_back(server: Server, going: Path, work: Work) -> None:
    """The way back: a dump of what is there. Raises: BoxError SYS-123, SYS-127."""
    going.mkdir(mode=0o700, parents=True, exist_ok=True)
    snapshot.dump(server, going / DUMP, work)


def exchange(server: Server, coming: Path) -> None:
    """Done again after an interruption it comes to the same. Raises: BoxError SYS-123, SYS-127."""
    dump, script, empty = coming / DUMP, coming / "careline.sql", coming / "empty.sql"
    if not dump.exists():
        return
    snapshot.run_local(["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump)])
    empty.write_text(EMPTY)
    whole = ["psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
    snapshot.run_tool(server, [*whole, f"--file={empty}", f"--file={script}"], Work(lambda percent, step: None))
    script.unlink()
    empty.unlink()
    dump.rename(coming / f"{DUMP}.done")
