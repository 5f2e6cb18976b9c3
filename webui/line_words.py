"""How the history of lines is told: subjects, outcomes and figures in the reader's language. Pure but for the request's language."""

from flask import Flask

from webui.page import meaning, say_or
from webui.shared import say

REFUSED = "refused: "


def install(app: Flask) -> None:
    app.jinja_env.filters.update(line_subject=subject, line_detail=detail, figure=figure)


def subject(text: str) -> str:
    """ "channel 3", "span 1", "group trunk" in words."""
    if text == "lines":
        return say("line_subject.all")
    kind, _, name = text.partition(" ")
    return say(f"line_subject.{kind}", number=name) if kind in ("channel", "span", "group") else text


def detail(text: str) -> str:
    """What came of an action: a refusal with its code, or a test's outcome ("passed answered after=1560ms")."""
    if text.startswith(REFUSED):
        code = text.removeprefix(REFUSED).partition(":")[0]
        return f"{say('lines.refused')}: {code} {meaning(code, text.removeprefix(REFUSED))}"
    return " ".join(_word(word) for word in text.split())


def figure(value: float) -> str:
    """Without a fraction where it is one of thousands, as 1.5e-06 where it is next to nothing."""
    if 0 < abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.1f}" if abs(value) < 100 and value != int(value) else f"{value:.0f}"


def _word(word: str) -> str:
    name, equals, value = word.partition("=")
    if equals:
        return f"{say_or(f'figure.{name}', name)} {value}"
    return say_or(f"test_phase.{word}", say_or(f"test_reason.{word}", word))
