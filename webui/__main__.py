"""`python -m webui --config careline.toml`: the web application."""

import argparse
import sys
from pathlib import Path

from drivers.errors import CarelineError
from webui.server import check_host, log_to_console, serve
from webui.settings import load_config


def main() -> int:
    parser = argparse.ArgumentParser(prog="careline-web", description="The web pages of Careline")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"), help="configuration file")
    parser.add_argument("--check", action="store_true", help="only say whether the configuration can be used")
    arguments = parser.parse_args()
    log_to_console()
    try:
        config = load_config(arguments.config)
        if arguments.check:
            check_host(config.web)
        else:
            serve(config)
    except CarelineError as error:
        print(f"careline-web: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
