"""Ring cadences of countries: milliseconds on, off, on, off … Pure. Source: libtonezone zonedata.c, field `ringcadence`."""

from drivers.errors import LineError

CADENCES_MS: dict[str, tuple[int, ...]] = {
    "au": (400, 200, 400, 2000),
    "cn": (1000, 4000),
    "de": (1000, 4000),
    "fr": (1500, 3500),
    "hk": (400, 200, 400, 3000),
    "jp": (1000, 2000),
    "tw": (1000, 4000),
    "uk": (400, 200, 400, 2000),
    "us": (2000, 4000),
}


def cadence_ms(country: str) -> tuple[int, ...]:
    """Raises: LineError LIN-076 for a country that is not in the table."""
    if country not in CADENCES_MS:
        known = ", ".join(sorted(CADENCES_MS))
        raise LineError("LIN-076", f"the virtual card knows no ring cadence of country {country!r}", f"[lines] country can be {known}")
    return CADENCES_MS[country]
