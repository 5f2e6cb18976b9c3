"""Tones that only telephone sets hear, beside those of the country. Pure.

They are made of the country's dial tone, so that they sound like its network. Source: YD/T 1070 (special dial tone 400/40 ms, call waiting
400/4000 ms, howler 950 Hz rising); a beep is ours.
"""

from drivers.media import Cadence, Tone, ToneStep, zone_tone

SET_TONES = ("stutter", "waiting", "howler", "beep")
HOWLER_HZ = 950.0
HOWLER_DBM0 = (-20.0, -15.0, -10.0, -6.0, -3.0)
HOWLER_STEP_MS = 2000


def set_tone(country: str, name: str) -> Cadence:
    """Raises: MediaError MED-014 for a country without tones, KeyError for a name that is not in SET_TONES."""
    if name == "howler":
        return _howler()
    dial = zone_tone(country, Tone.DIAL).steps[0]
    steps, repeat = {
        "stutter": (((400, 40),), True),
        "waiting": (((400, 4000),), True),
        "beep": (((200, 100), (200, 0)), False),
    }[name]
    return Cadence(tuple(ToneStep(dial.hz1, dial.hz2, dial.dbm0, on_ms, off_ms) for on_ms, off_ms in steps), repeat)


def _howler() -> Cadence:
    """Louder and louder, over and over."""
    return Cadence(tuple(ToneStep(HOWLER_HZ, 0.0, dbm0, HOWLER_STEP_MS, 0) for dbm0 in HOWLER_DBM0), True)
