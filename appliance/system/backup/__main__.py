"""`python -m appliance.system.backup`: what is done with backups where no box service runs. One thread.

verify FILE   read all of it and look at its store, in a folder that is removed again; the words are asked for
content       one hash of what the box knows: the same before a backup and after it is restored
finish        carry a restoring on that was interrupted (careline-restore.service, before all others)
"""

import argparse
import getpass
import logging
import sys
import tempfile
from pathlib import Path

from appliance import config as configuration
from appliance.system.backup import logical
from appliance.system.backup.checking import verify
from appliance.system.backup.places import places_of
from appliance.system.backup.restoring import finish
from appliance.system.backup.words import typed
from appliance.system.backup.work import Work
from appliance.system.box import Box
from drivers.clock import RealClock
from drivers.errors import CarelineError

EXIT_FAULT = 1


def main() -> int:
    """Exit status: 0 well, 1 a fault, told on standard error."""
    parser = argparse.ArgumentParser(prog="careline-backup", description="Backups where no box service runs.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="careline.toml (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("verify", help="prove that a backup is well")
    check.add_argument("file", type=Path)
    check.add_argument("--shadow", type=Path, help="a folder with room for its store (default: in /var/tmp)")
    commands.add_parser("content", help="one hash of what the box knows")
    commands.add_parser("finish", help="carry an interrupted restoring to its end")
    arguments = parser.parse_args()
    logging.basicConfig(level="INFO", format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        {"verify": _verify, "content": _content, "finish": _finish}[arguments.command](arguments)
        return 0
    except CarelineError as error:
        print(f"{error.code}: {error.what}\n  {error.remedy}", file=sys.stderr)
        return EXIT_FAULT


def _verify(arguments: argparse.Namespace) -> None:
    words = typed(getpass.getpass("Recovery words: ") if sys.stdin.isatty() else sys.stdin.readline())
    with tempfile.TemporaryDirectory(dir=arguments.shadow or "/var/tmp") as folder, arguments.file.open("rb") as file:
        about, parts = verify(file, arguments.file.stat().st_size, words, Path(folder) / "shadow", Work(_quiet))
    print(f"{arguments.file.name}: well. Made at {about.at} on {about.box} by program {about.version}, store of version {about.schema}.")
    print(f"{len(parts)} files; rows: {', '.join(f'{name} {count}' for name, count in about.counts.items() if count)}")


def _quiet(percent: int, step: str) -> None:
    """Nobody waits long enough."""


def _content(arguments: argparse.Namespace) -> None:
    places = places_of(_box(arguments))
    print(logical.of_box(places.store, places.data))


def _finish(arguments: argparse.Namespace) -> None:
    if done := finish(places_of(_box(arguments))):
        logging.getLogger("careline.system").warning("%s", done)


def _box(arguments: argparse.Namespace) -> Box:
    return Box(configuration.load(arguments.config), arguments.config, RealClock())


if __name__ == "__main__":
    sys.exit(main())
