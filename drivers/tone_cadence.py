"""A tone as people write it, as a cadence of the media core. Pure."""

from drivers.media import Cadence, ToneStep
from drivers.signalling.tone_text import tone_parts

TONE_DBM0 = -13.0  # each frequency. Source: ITU-T E.180 clause 6


def cadence_of(text: str) -> Cadence:
    """The cadence of "450/350,0/350", over and over. Raises: ValueError."""
    steps: list[ToneStep] = []
    for part in tone_parts(text):
        if part.hz1:
            steps.append(ToneStep(float(part.hz1), float(part.hz2), TONE_DBM0, part.ms))
        else:
            last = steps[-1]
            steps[-1] = ToneStep(last.hz1, last.hz2, last.dbm0, last.on_ms, last.off_ms + part.ms)
    return Cadence(tuple(steps))
