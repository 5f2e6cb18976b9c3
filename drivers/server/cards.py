"""The card and the media core a configuration asks for. A driver is imported when it is wanted: one that is missing harms no other."""

from collections.abc import Callable

from drivers.config import LinesConfig
from drivers.io import Card
from drivers.media import Engine, EngineConfig

LARGEST = 1024  # Source: media.h, max_ports


def engine_for(lines: LinesConfig) -> Engine:
    """A media core of the right size, not started. Raises: MediaError."""
    wanted = lines.engine
    far = lines.card == "virtual"
    return Engine(
        EngineConfig(
            max_ports=wanted.max_ports or LARGEST,
            max_lines=lines.virtual.lines_needed() if far else 1,
            max_recordings=wanted.max_recordings,
            commands=wanted.commands,
            events=wanted.events,
            record_ring_ms=wanted.record_ring_ms,
            flush_ms=wanted.flush_ms,
            realtime_priority=wanted.realtime_priority,
        )
    )


def _virtual(lines: LinesConfig, engine: Engine) -> Card:
    from drivers.virtual.card import VirtualCard

    return VirtualCard(lines.virtual, engine, lines.country)


def _dahdi(lines: LinesConfig, engine: Engine) -> Card:
    from drivers.dahdi.card import DahdiCard

    return DahdiCard(engine, lines.dahdi, lines.engine.write_ahead)


CARDS: dict[str, Callable[[LinesConfig, Engine], Card]] = {"virtual": _virtual, "dahdi": _dahdi}


def make_card(lines: LinesConfig, engine: Engine) -> Card:
    """Raises: LineError when the driver is not there."""
    return CARDS[lines.card](lines, engine)
