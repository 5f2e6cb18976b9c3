"""`careline console` (python -m appliance.console): the technician's shell on a serial port or on this terminal.

One session and it ends; systemd starts the next one (careline-console@.service). At a serial port it greets, leaves the waiting to a shell
(waiting.py), and is started anew by that with --awaited. Threads: main, and one for each wait on another process.
"""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

from appliance.console.errors import HungUp
from appliance.console.line import Line, SerialLine, TerminalLine
from appliance.console.settings import First, first, is_console, settings_texts
from appliance.console.terminal import Terminal
from appliance.console.waiting import Awaited, hand_over, listen
from appliance.console.words import language_of
from drivers.clock import RealClock
from drivers.errors import CarelineError

EXIT_FAULT, EXIT_CONFIG = 1, 78  # Source: sysexits.h, EX_CONFIG
FAULT_SHOWN_S = 10.0

log = logging.getLogger("careline.console")


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr if arguments.tty else None)
    told = first(arguments.config)
    if arguments.tty and arguments.check:
        return not is_console(os.path.basename(arguments.tty), told.console, settings_texts(arguments.config, Path(told.paths.data_dir)))
    try:
        line = _line(arguments, told)
    except CarelineError as error:
        print(f"careline-console: {error}", file=sys.stderr)
        return EXIT_FAULT
    if not arguments.tty:
        logging.disable(logging.CRITICAL)  # it would be written into the screen
    try:
        return _at(line, arguments, told)
    except HungUp as error:
        log.info("%s hung up (%s)", line.name, error)
        return 0
    finally:
        line.close()


def _line(arguments: argparse.Namespace, told: First) -> Line:
    """Raises: ConsoleError."""
    if not arguments.tty:
        return TerminalLine()
    if not arguments.awaited:
        return SerialLine(arguments.tty, told.console.baud)
    with Awaited():
        return SerialLine(arguments.tty, told.console.baud, keeps_typed=True)


def _at(line: Line, arguments: argparse.Namespace, told: First) -> int:
    """One session; a serial port first waits for somebody. Raises: HungUp."""
    terminal = Terminal(line, RealClock(), language_of(str(told.calls.get("language", "zh"))), told.console.idle_min * 60.0)
    if arguments.awaited:
        terminal.tell([""])
    elif arguments.tty:
        _wait_for_somebody(terminal, line, told.hospital_name)
    file: Path = arguments.config
    from appliance import config as configuration
    from appliance.console.shell import Session

    try:
        Session(configuration.load(file), file, terminal).run()
    except CarelineError as error:  # a careline.toml that cannot be used: whoever came can read it
        terminal.tell([f"{error.code}: {error.what}", f"  {error.remedy}"])
        terminal.pause(FAULT_SHOWN_S)
        return EXIT_CONFIG
    return 0


def _wait_for_somebody(terminal: Terminal, line: Line, hospital: str) -> NoReturn:
    """Greet, and begin again with --awaited when Enter is pressed. A port that a modem may hang on stays silent. Raises: HungUp."""
    listen(line.fileno())
    if "USB" not in line.name:
        terminal.tell(["", terminal.say("login.banner", name=hospital), terminal.say("login.press_enter")])
    hand_over(line.fileno(), [sys.executable, "-m", "appliance.console", *sys.argv[1:], "--awaited"])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="careline-console", description="The technician's shell.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="careline.toml (default: %(default)s)")
    parser.add_argument("--tty", help="serial port, /dev/ttyS0; without it: this terminal")
    parser.add_argument("--awaited", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="only say (by the exit status) whether that port is a console")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
