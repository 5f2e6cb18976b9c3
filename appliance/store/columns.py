"""Columns on PostgreSQL as SQLite has them: numbers of 64 bits (fen of a bank), texts of any length that are ordered by their code points,
whatever language the server was set up for, so that times are in order and the beginning of a name is found by its index.

Called by the steps of migrations.py for tables they have made; what is so already stays untouched.
"""

from collections import defaultdict

from peewee import Database

UNLIKE = """
select table_name, column_name, data_type from information_schema.columns where table_schema = current_schema() and (
    data_type in ('integer', 'real', 'character varying') or data_type = 'text' and collation_name is distinct from 'C')
order by table_name, ordinal_position
"""
TEXT = 'text collate "C"'
NARROW_SEQUENCES = "select sequencename from pg_sequences where schemaname = current_schema() and data_type = 'integer'::regtype"


def suit(database: Database) -> None:
    """All tables of the schema."""
    kinds = {"integer": "bigint", "real": "double precision"}
    changes: defaultdict[str, list[str]] = defaultdict(list)
    for table, column, kind in database.execute_sql(UNLIKE).fetchall():
        changes[table].append(f'alter column "{column}" type {kinds.get(kind, TEXT)}')
    for table, parts in changes.items():
        database.execute_sql(f'alter table "{table}" {", ".join(parts)}')
    for (sequence,) in database.execute_sql(NARROW_SEQUENCES).fetchall():
        database.execute_sql(f'alter sequence "{sequence}" as bigint')
