"""Brings the kernel's cards to what our configuration says. Blocking, as root, before the line server starts and when a card is plugged in.

`python -m drivers.dahdi.configure --config FILE` is what careline-cards.service runs. A configuration that says nothing of the cards
(`[lines.dahdi]` without groups) leaves the hospital's own system.conf as it is and applies that.
"""

import argparse
import sys
from pathlib import Path

from drivers import config
from drivers.config import LineSetup
from drivers.dahdi import places, setup
from drivers.dahdi.control import Control
from drivers.dahdi.records import DEVICE_DIR
from drivers.dahdi.setup import CardSetup
from drivers.errors import CarelineError, ConfigError, NoCardError
from drivers.settings import Paths

SYSTEM_CONF = Path("/etc/dahdi/system.conf")
MAKES_SPANS = "dynamic="
"""How a line of system.conf begins that makes a span without a card. Source: system.conf(5)."""


class NothingToSetUpError(ConfigError):
    """Neither our configuration nor the hospital's own says anything of cards."""


def configure(wanted: CardSetup, path: Path = SYSTEM_CONF, device_dir: str = DEVICE_DIR) -> None:
    """Write system.conf and apply it; may be repeated, loopback spans that exist stay.

    Raises: LineError LIN-101, LIN-102; NoCardError LIN-103; ConfigError LIN-110 .. LIN-113.
    """
    existing = _existing(device_dir, needs_card=not wanted.dynamic_spans)
    setup.keep_own(path)
    setup.write(wanted, path)
    setup.apply(path, existing)


def apply_own(path: Path = SYSTEM_CONF, device_dir: str = DEVICE_DIR) -> None:
    """Apply the system.conf that the hospital wrote itself, also when one of ours has taken its place meanwhile.

    Raises: as `configure`; NothingToSetUpError LIN-115 when there is none.
    """
    if not path.exists():
        remedy = "Describe the cards in [lines.dahdi], or write that file (dahdi_genconf makes a first one)"
        raise NothingToSetUpError("LIN-115", f"there is no {path} and [lines.dahdi] names no channels", remedy)
    setup.bring_back_own(path)
    setup.apply(path, _existing(device_dir, needs_card=not _makes_spans(path)))


def _existing(device_dir: str, needs_card: bool) -> frozenset[str]:
    """Names of the spans there are. Raises: NoCardError."""
    with Control(device_dir) as control:
        return frozenset(span.name for span in (control.require_spans() if needs_card else control.spans()))


def _makes_spans(path: Path) -> bool:
    return any(line.strip().startswith(MAKES_SPANS) for line in path.read_text(errors="replace").splitlines())


def main() -> int:
    """0 when the cards are as wanted, or there is nothing to set up (that is said), 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="careline-cards", description="Set the telephony cards up as the configuration says.")
    parser.add_argument("--config", type=Path, default=Path("/etc/careline/careline.toml"))
    options = parser.parse_args()
    try:
        read = config.load(options.config)
        lines = config.with_setup(read.lines, _tried(read.paths))
        if lines.card == "dahdi":
            _bring_up(lines.dahdi, Path(read.paths.data_dir))
    except (NoCardError, NothingToSetUpError) as error:
        print(f"careline-cards: warning: {error}", file=sys.stderr)
    except CarelineError as error:
        print(f"careline-cards: {error}", file=sys.stderr)
        return 1
    return 0


def _tried(paths: Paths) -> LineSetup | None:
    """The set-up that is being tried; a file that a power cut left (there is no line server then) is not meant."""
    if not (Path(paths.run_dir) / "lines.lock").exists():
        return None
    return config.load_setup(Path(paths.data_dir), config.LINE_SETUP_TRYING)


def _bring_up(wanted: CardSetup, data_dir: Path) -> None:
    """A card that cannot have its numbers keeps no other from being set up; it is told afterwards."""
    setup.check(wanted)
    fault = None
    try:
        places.settle(wanted.places, data_dir)
    except ConfigError as error:
        fault = error
    if wanted.groups:
        configure(wanted)
    else:
        apply_own()
    if fault is not None:
        raise fault


if __name__ == "__main__":
    sys.exit(main())
