"""`careline firmware` (python -m firmware_shims): cards told, made ready; firmware files checked, kept, removed. One-shot, root.

Exit status: 0 well, 1 something is missing or failed (told), 2 wrong use, 78 a configuration that cannot be used.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from drivers import settings
from drivers.errors import CarelineError, ConfigError
from drivers.protocol import CardLoaded, CardStage, FirmwareAnswer
from drivers.settings import Paths
from firmware_shims import blobs, text
from firmware_shims.checks import check, known_name
from firmware_shims.errors import FirmwareError, told
from firmware_shims.finding import Finder
from firmware_shims.loader import Loader
from firmware_shims.shelf import Shelf, read_file

EXIT_CONFIG = 78  # Source: sysexits.h, EX_CONFIG


def main() -> int:
    """The program."""
    options = _parser().parse_args()
    try:
        paths = _paths(options.config)
    except ConfigError as error:
        return _fail(options, error, EXIT_CONFIG)
    try:
        answer: FirmwareAnswer = options.act(options, paths)
    except CarelineError as error:
        return _fail(options, error, 1)
    _print(options, answer)
    return 1 if _is_bad(answer) else 0


def _paths(config: Path) -> Paths:
    """A box without a file yet uses the defaults."""
    return settings.load_paths(config) if config.exists() else Paths()


def _is_bad(answer: FirmwareAnswer) -> bool:
    return any(each.fault is not None for each in answer.loaded)


def _fail(options: argparse.Namespace, error: CarelineError, status: int) -> int:
    if options.json:
        _print(options, FirmwareAnswer(fault=told(error)))
    else:
        print(f"careline firmware: {error}", file=sys.stderr)
    return status


def _print(options: argparse.Namespace, answer: FirmwareAnswer) -> None:
    if options.json:
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    else:
        for line in text.lines(answer):
            print(line)


# --- what can be asked --------------------------------------------------------------------------------------------------


def _finder(options: argparse.Namespace, paths: Paths) -> Finder:
    return Finder(Shelf(Path(paths.data_dir), options.root), options.root)


def _cards(options: argparse.Namespace, paths: Paths) -> FirmwareAnswer:
    return FirmwareAnswer(told=_finder(options, paths).told())


def _load(options: argparse.Namespace, paths: Paths) -> FirmwareAnswer:
    finder = _finder(options, paths)
    loader = Loader(finder, Path(paths.run_dir) / "firmware", tell=lambda step: print(f"careline firmware: {step}", file=sys.stderr))
    ports = (options.port,) if options.port else finder.usb_ports()
    loaded = [loader.load(port) for port in ports]
    if not options.port:
        loaded += _ask_drivers_again(finder, options.root)
    return FirmwareAnswer(loaded=tuple(loaded))


def _ask_drivers_again(finder: Finder, root: Path) -> list[CardLoaded]:
    if not any(finder.shelf.folder.glob("*.bin")):
        return []
    blobs.point_kernel_to(finder.shelf.folder, root)
    return [_ask_again(card.where, finder, root) for card in finder.cards() if blobs.asked_too_early(card)]


def _ask_again(slot: str, finder: Finder, root: Path) -> CardLoaded:
    card = next(each for each in finder.cards() if each.where == slot)
    fault = None
    try:
        blobs.ask_again(card, root)
    except FirmwareError as error:
        fault = told(error)
    after = next((each.stage for each in finder.cards() if each.where == slot), CardStage.FOUND)
    return CardLoaded(where=slot, name=card.name, before=card.stage, after=after, steps=(f"{card.driver} started anew",), fault=fault)


def _reset(options: argparse.Namespace, paths: Paths) -> FirmwareAnswer:
    Loader(_finder(options, paths), Path(paths.run_dir) / "firmware").reset(options.port)
    return _cards(options, paths)


def _check(options: argparse.Namespace, paths: Paths) -> FirmwareAnswer:
    checked = check(known_name(options.name or options.file.name), read_file(options.file))
    return FirmwareAnswer(file=text.file_of(checked))


def _add(options: argparse.Namespace, paths: Paths) -> FirmwareAnswer:
    return FirmwareAnswer(file=_finder(options, paths).shelf.add(options.file, options.name, options.by))


def _remove(options: argparse.Namespace, paths: Paths) -> FirmwareAnswer:
    _finder(options, paths).shelf.remove(options.name)
    return _cards(options, paths)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="careline firmware", description="Telephony cards and the firmware files they want.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"))
    parser.add_argument("--json", action="store_true", help="print a FirmwareAnswer")
    parser.add_argument("--root", type=Path, default=Path("/"), help=argparse.SUPPRESS)
    parser.set_defaults(act=_load, port="")
    commands = parser.add_subparsers(metavar="COMMAND")
    _command(commands, "cards", _cards, "what cards there are, how far each is, what it lacks")
    load = _command(commands, "load", _load, "make them ready (without a command: this)")
    load.add_argument("--port", default="", help='only the box at this USB port ("1-1.4")')
    reset = _command(commands, "reset", _reset, "make a USB box forget its firmware")
    reset.add_argument("--port", required=True)
    for name, act, said in (("check", _check, "check a file, keep nothing"), ("add", _add, "check a file and keep it")):
        command = _command(commands, name, act, said)
        command.add_argument("file", type=Path)
        command.add_argument("--name", default="", help="the name its maker gave it, where the file has another one")
        command.add_argument("--by", default="", help="who adds it")
    _command(commands, "remove", _remove, "remove a kept file").add_argument("name")
    return parser


def _command(commands: Any, name: str, act: Callable[..., FirmwareAnswer], said: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=said, description=said)
    command.set_defaults(act=act)
    return command


if __name__ == "__main__":
    sys.exit(main())
