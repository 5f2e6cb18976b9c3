"""The whole box in three real processes on the virtual card, for one test: line server, call agent, web."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from appliance.store.place import StorePlace
from tests.daemons import daemon
from tests.web import prepared
from tests.web.browser import free_port, web_process


@contextmanager
def whole_box(root: Path, lines: str = "", store_place: StorePlace | None = None) -> Iterator[tuple[prepared.Place, str]]:
    """Yields the place and the address of the pages. `lines`: the section of the line server."""
    port = free_port()
    place = prepared.make_place(root, port, store_place=store_place)
    place.config.write_text(place.config.read_text() + lines)
    with ExitStack() as stack:
        stack.enter_context(daemon("drivers.server", place.config, place.run_dir / "handset.sock"))
        stack.enter_context(daemon("appliance.main", place.config, place.run_dir / "control.sock"))
        yield place, stack.enter_context(web_process(place.config, port))
