"""`python -m webui --config careline.toml`: the web application."""

import argparse
import sys
from pathlib import Path

import msgspec

from drivers.errors import CarelineError
from drivers.protocol import CheckReport, findings_of
from webui.server import check_certificate, check_host, log_to_console, serve
from webui.settings import load_config


def main() -> int:
    parser = argparse.ArgumentParser(prog="careline-web", description="The web pages of Careline")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="configuration file")
    parser.add_argument("--check", action="store_true", help="only say whether the configuration can be used")
    parser.add_argument("--json", action="store_true", help="with --check: all that was found, for `careline check`")
    arguments = parser.parse_args()
    log_to_console()
    try:
        config = load_config(arguments.config)
        if arguments.check:
            check_host(config.web)
            check_certificate(config.web)
        else:
            serve(config)
    except CarelineError as error:
        if arguments.check and arguments.json:
            return _report(error)
        print(f"careline-web: {error}", file=sys.stderr)
        return 1
    return _report() if arguments.check and arguments.json else 0


def _report(*faults: CarelineError) -> int:
    print(msgspec.json.encode(CheckReport(findings=findings_of(faults), said="address and certificate")).decode())
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
