"""`careline console` (python -m appliance.console): the technician's shell on a serial port or on this terminal.

One session and it ends; systemd starts the next one (careline-console@.service). Threads: main, and one for each wait on another process.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from appliance import config as configuration
from appliance.console.line import Line, SerialLine, TerminalLine
from appliance.console.settings import console_config, is_console, settings_texts
from drivers.clock import RealClock
from drivers.errors import CarelineError

EXIT_FAULT, EXIT_CONFIG = 1, 78  # Source: sysexits.h, EX_CONFIG


def main() -> int:
    arguments = _arguments()
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr if arguments.tty else None)
    try:
        return run(arguments.config, arguments.tty, check=arguments.check)
    except CarelineError as error:
        print(f"careline-console: {error}", file=sys.stderr)
        return EXIT_CONFIG if error.code.startswith("CFG") else EXIT_FAULT


def run(file: Path, tty: str | None, *, check: bool = False) -> int:
    """One session, or with `check` whether `tty` is a console at all (0) or not (1). Raises: CarelineError."""
    config = configuration.load(file)
    console = console_config(file, config.console)
    if tty and check:
        return 0 if is_console(os.path.basename(tty), console, settings_texts(file, Path(config.paths.data_dir))) else 1
    line: Line = SerialLine(tty, console.baud) if tty else TerminalLine()
    if not tty:
        logging.disable(logging.CRITICAL)  # it would be written into the screen
    try:
        from appliance.console.shell import Session

        Session(config, file, console, line, RealClock(), greets=not tty or "USB" not in tty).run()
    finally:
        line.close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="careline-console", description="The technician's shell.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="careline.toml (default: %(default)s)")
    parser.add_argument("--tty", help="serial port, /dev/ttyS0; without it: this terminal")
    parser.add_argument("--check", action="store_true", help="only say (by the exit status) whether that port is a console")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
