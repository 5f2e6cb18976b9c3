"""Ring cadences of countries: milliseconds on, off, on, off … Pure. Source: libtonezone zonedata.c, field `ringcadence`."""

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
