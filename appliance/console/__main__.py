"""`careline console` (python -m appliance.console): the technician's shell on a serial port or on this terminal.

One session and it ends; systemd starts the next one (careline-console@.service). Threads: main, and one for each wait on another process.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from appliance.console.errors import HungUp, Idle
from appliance.console.keys import Key
from appliance.console.line import Line, SerialLine, TerminalLine
from appliance.console.settings import First, first, is_console, settings_texts
from appliance.console.terminal import Terminal
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
        line: Line = SerialLine(arguments.tty, told.console.baud) if arguments.tty else TerminalLine()
    except CarelineError as error:
        print(f"careline-console: {error}", file=sys.stderr)
        return EXIT_FAULT
    if not arguments.tty:
        logging.disable(logging.CRITICAL)  # it would be written into the screen
    try:
        return _at(line, arguments.config, told, waits=bool(arguments.tty))
    except HungUp as error:
        log.info("%s hung up (%s)", line.name, error)
        return 0
    finally:
        line.close()


def _at(line: Line, file: Path, told: First, *, waits: bool) -> int:
    """One session; a serial port first waits for somebody. Raises: HungUp."""
    terminal = Terminal(line, RealClock(), language_of(str(told.calls.get("language", "zh"))), told.console.idle_min * 60.0)
    if waits:
        wait_for_somebody(terminal, told.hospital_name, greets="USB" not in line.name)
    from appliance import config as configuration
    from appliance.console.shell import Session

    try:
        Session(configuration.load(file), file, terminal).run()
    except CarelineError as error:  # a careline.toml that cannot be used: whoever came can read it
        terminal.tell([f"{error.code}: {error.what}", f"  {error.remedy}"])
        terminal.pause(FAULT_SHOWN_S)
        return EXIT_CONFIG
    return 0


def wait_for_somebody(terminal: Terminal, hospital: str, *, greets: bool) -> None:
    """Until Enter is pressed. A port that a modem may hang on stays silent until then. Raises: HungUp."""
    if greets:
        terminal.tell(["", terminal.say("login.banner", name=hospital), terminal.say("login.press_enter")])
    while True:
        try:
            if terminal.key(terminal.idle_s) == Key.ENTER:
                terminal.tell([""])
                return
        except Idle:
            continue


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="careline-console", description="The technician's shell.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="careline.toml (default: %(default)s)")
    parser.add_argument("--tty", help="serial port, /dev/ttyS0; without it: this terminal")
    parser.add_argument("--check", action="store_true", help="only say (by the exit status) whether that port is a console")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
