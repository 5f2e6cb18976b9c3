"""The flow a new box comes with. Data only."""

from appliance.ivr.flow import (
    OPENING_HOURS,
    ChooseLanguage,
    Flow,
    HangUp,
    LeaveMessage,
    Menu,
    Operator,
    Say,
)

AFTER_INFORMATION = {
    "menu": "main_menu",
    "operator": "operator",
    "too_many": "too_many_tries",
    "silent": "main_menu",
}


def after(information: str) -> Menu:
    """The small menu after something was explained: again, back, or a person."""
    return Menu(
        prompts=("after_information",),
        keys=(("*", "again"), ("#", "menu"), ("0", "operator")),
        exits={"again": information, **AFTER_INFORMATION},
    )


FIRST_FLOW = Flow(
    name="first",
    entries={"hotline": "greeting", "operator": "operator_greeting", "after_hours": "out_of_hours"},
    places={
        "greeting": Say(prompts=("greeting", "recording_notice", "offer_other_language"), exits={"done": "main_menu"}),
        "main_menu": Menu(
            prompts=("main_menu",),
            keys=(
                ("1", "introduction"),
                ("2", "opening_hours"),
                ("3", "message"),
                ("9", "language"),
                ("0", "operator"),
                ("*", "again"),
            ),
            exits={
                "introduction": "introduction",
                "opening_hours": "opening_hours",
                "message": "message",
                "language": "language",
                "operator": "operator",
                "again": "main_menu",
                "too_many": "too_many_tries",
                "silent": "goodbye",
            },
        ),
        "introduction": Say(prompts=("hospital_introduction",), exits={"done": "after_introduction"}),
        "after_introduction": after("introduction"),
        "opening_hours": Say(prompts=(OPENING_HOURS,), exits={"done": "after_opening_hours"}),
        "after_opening_hours": after("opening_hours"),
        "language": ChooseLanguage(exits={"done": "language_chosen"}),
        "language_chosen": Say(prompts=("language_chosen",), exits={"done": "main_menu"}),
        "message": LeaveMessage(exits={"saved": "goodbye", "given_up": "main_menu", "unavailable": "main_menu"}),
        "too_many_tries": Say(prompts=("too_many_tries",), barge_in=False, exits={"done": "operator"}),
        "operator": Operator(
            exits={
                "ended": "goodbye",
                "busy": "operator_busy",
                "no_answer": "operator_no_answer",
                "failed": "operator_busy",
            }
        ),
        "operator_busy": Say(prompts=("operator_busy",), exits={"done": "main_menu"}),
        "operator_no_answer": Say(prompts=("operator_no_answer",), exits={"done": "main_menu"}),
        "operator_greeting": Say(prompts=("greeting", "recording_notice"), exits={"done": "operator"}),
        "out_of_hours": Say(prompts=("out_of_hours", "recording_notice"), exits={"done": "message"}),
        "goodbye": HangUp(prompts=("goodbye",)),
    },
)
