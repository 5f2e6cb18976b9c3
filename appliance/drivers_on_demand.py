"""peewee without the drivers of databases that it would load with itself: psycopg, 7 MB in every process, where the store is a file.

`store/postgresql.py` loads psycopg where the store is on a server. Set up by the package `appliance`, before anything imports peewee. Loads
nothing itself (importlib.abc would be another megabyte).
"""

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec

WITHOUT = ("psycopg", "psycopg2", "psycopg2cffi")


class _Alone:
    """Runs a module with the real loader; `import` of WITHOUT fails meanwhile as if they were not installed.

    Source: docs.python.org/3.11/reference/import.html#the-module-cache, None in sys.modules.
    """

    def __init__(self, real: "Loader") -> None:
        self._real = real

    def create_module(self, spec: "ModuleSpec") -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        before = {name: sys.modules[name] for name in WITHOUT if name in sys.modules}
        sys.modules.update(dict.fromkeys(WITHOUT))  # type: ignore[arg-type]  # None is what the import system asks for
        try:
            self._real.exec_module(module)
        finally:
            for name in WITHOUT:
                del sys.modules[name]
            sys.modules.update(before)


class _Finder:
    """Finds peewee, once."""

    def find_spec(self, name: str, path: "Sequence[str] | None", target: ModuleType | None = None) -> "ModuleSpec | None":
        if name != "peewee":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Alone(spec.loader)  # type: ignore[assignment]  # a loader by what it does
        return spec


def set_up() -> None:
    """Nothing for a process that has peewee already."""
    if "peewee" not in sys.modules:
        sys.meta_path.insert(0, _Finder())
