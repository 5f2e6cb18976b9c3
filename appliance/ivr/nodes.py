"""The kinds of nodes a flow is made of, as they are written in YAML (`kind:` names them). Data only, pure.

Whatever is said is a list of prompt ids and values of the call: "{money:balance_fen}" (values.py). Every way out of a node has a name,
and `exits` says where each leads.
"""

from typing import ClassVar, Literal

import msgspec

from appliance.ivr.prompts.catalogue import Lang

Value = str | int
KEYS = "0123456789*#"
PERSON_KEY = "0"
Key = Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"]


class Node(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True, omit_defaults=True):
    """Base of nodes. `exits`: name of the way out to the place it leads to. `title`, `note` and `at` (where it is drawn) are for people."""

    NEEDS: ClassVar[tuple[str, ...]] = ()
    MAY: ClassVar[tuple[str, ...]] = ()
    exits: dict[str, str] = {}
    title: dict[Lang, str] = {}
    note: str = ""
    at: tuple[int, int] | None = None

    def says(self) -> tuple[str, ...]:
        """Everything this node may say."""
        return ()

    def needs(self) -> tuple[str, ...]:
        """Names of the exits it takes, all of which must lead somewhere."""
        return self.NEEDS

    def sets(self, exit_name: str) -> tuple[str, ...]:
        """Variables that have a value after that exit."""
        return ()

    def uses(self) -> tuple[str, ...]:
        """Variables it reads, beside those it says."""
        return ()


class Keyed(Node, frozen=True, kw_only=True):
    """Base of nodes at which the caller keys something. `person`: the place that 0 leads to, instead of the flow's; empty: 0 is a key
    as any other. `tries`: instead of `[calls] attempts`. `invalid`, `no_input`, `still_there`: said before asking again."""

    say: tuple[str, ...]
    person: str | None = None
    tries: int | None = None
    invalid: tuple[str, ...] = ("invalid_key",)
    no_input: tuple[str, ...] = ("no_input",)
    still_there: tuple[str, ...] = ("still_there",)

    def says(self) -> tuple[str, ...]:
        return (*self.say, *self.invalid, *self.no_input, *self.still_there)


class Say(Node, frozen=True, kw_only=True, tag="say"):
    """Say something. Exit: done. May have: cut (a key stopped it)."""

    NEEDS: ClassVar[tuple[str, ...]] = ("done",)
    MAY: ClassVar[tuple[str, ...]] = ("cut",)
    say: tuple[str, ...]
    barge_in: bool = True

    def says(self) -> tuple[str, ...]:
        return self.say


class Menu(Keyed, frozen=True, kw_only=True, tag="menu"):
    """Say the choices and take one key. `keys`: key to name of exit.

    Exits: those of the keys; too_many (wrong keys), silent (no key), both after the tries.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("too_many", "silent")
    keys: dict[Key, str]

    def needs(self) -> tuple[str, ...]:
        return (*dict.fromkeys(self.keys.values()), *self.NEEDS)


class AskDigits(Keyed, frozen=True, kw_only=True, tag="ask_digits"):
    """Take `min` to `max` digits into `variable`; # ends them, * begins anew. `pattern`: a regular expression all of them must match.

    `secret`: they are kept for one action only, and in no variable, record or recording; `kept_as`: by that name, for an action that takes
    several. Exits: got; too_many (wrong ones), silent, both
    after the tries. May have: none (# alone), back (* alone).
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("got", "too_many", "silent")
    MAY: ClassVar[tuple[str, ...]] = ("none", "back")
    variable: str = ""
    min: int = 1
    max: int
    pattern: str = ""
    secret: bool = False
    kept_as: str = ""

    def sets(self, exit_name: str) -> tuple[str, ...]:
        return (self.variable,) if exit_name == "got" and self.variable else ()


class AskYesNo(Keyed, frozen=True, kw_only=True, tag="ask_yes_no"):
    """Yes by one key, no by another. Exits: yes, no; too_many, silent."""

    NEEDS: ClassVar[tuple[str, ...]] = ("yes", "no", "too_many", "silent")
    yes: Key = "1"
    no: Key = "2"


class Act(Node, frozen=True, kw_only=True, tag="action"):
    """Have an action of the table done (actions/). `inputs`: its name for it to a value, "{x}" being the call's variable x; an input that
    is not named is the variable of the same name. `outputs`: its name for it to the call's, else the same. Exits: the action's."""

    action: str
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    filler: tuple[str, ...] = ("please_hold",)

    def says(self) -> tuple[str, ...]:
        return self.filler


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One row of a branch. `value`: a text, digits, or "{x}"; nothing for is_set and is_empty (not set, or an empty text)."""

    variable: str
    test: Literal["is", "is_not", "less", "at_least", "begins_with", "is_set", "is_empty"] = "is"
    value: str = ""
    exit: str


class Branch(Node, frozen=True, kw_only=True, tag="branch"):
    """The exit of the first case that holds, else otherwise."""

    cases: tuple[Case, ...]

    def needs(self) -> tuple[str, ...]:
        return (*dict.fromkeys(case.exit for case in self.cases), "otherwise")


class LeaveMessage(Node, frozen=True, kw_only=True, tag="leave_message"):
    """Take a message and say its number. Exits: saved, given_up (nothing worth keeping after the tries), unavailable."""

    NEEDS: ClassVar[tuple[str, ...]] = ("saved", "given_up", "unavailable")
    instruction: tuple[str, ...] = ("message_instruction", "beep")
    saved: tuple[str, ...] = ("message_saved", "message_number_is", "{reference}")
    limit: tuple[str, ...] = ("message_limit",)
    too_short: tuple[str, ...] = ("message_too_short",)
    empty: tuple[str, ...] = ("message_empty",)
    unavailable: tuple[str, ...] = ("message_unavailable",)

    def says(self) -> tuple[str, ...]:
        return (*self.instruction, *self.saved, *self.limit, *self.too_short, *self.empty, *self.unavailable)


class Record(Node, frozen=True, kw_only=True, tag="record"):
    """Record what the caller states; `variable` becomes the recording's id, which an action files. # ends it, so does silence.

    Exits: recorded, given_up (nothing worth keeping after the tries), unavailable.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("recorded", "given_up", "unavailable")
    variable: str
    instruction: tuple[str, ...] = ("message_instruction", "beep")
    max_s: int = 180
    limit: tuple[str, ...] = ("message_limit",)
    too_short: tuple[str, ...] = ("message_too_short",)
    empty: tuple[str, ...] = ("message_empty",)

    def says(self) -> tuple[str, ...]:
        return (*self.instruction, *self.limit, *self.too_short, *self.empty)

    def sets(self, exit_name: str) -> tuple[str, ...]:
        return (self.variable,) if exit_name == "recorded" else ()


class Transfer(Node, frozen=True, kw_only=True, tag="transfer"):
    """Transfer the caller: to the operator of `[calls]`, to a free set of `group`, to one `channel`, or to `number` dialled through
    `group`. `at_once`: it rings while that is said, not after it. Exits: ended (they talked), busy (or no channel free), no_answer,
    failed."""

    NEEDS: ClassVar[tuple[str, ...]] = ("ended", "busy", "no_answer", "failed")
    say: tuple[str, ...] = ("transferring",)
    at_once: bool = False
    group: str = ""
    channel: int | None = None
    number: str = ""

    def says(self) -> tuple[str, ...]:
        return self.say


class Queue(Node, frozen=True, kw_only=True, tag="queue"):
    """Ring a free set of `group` (empty: the operator) again and again, music between, until somebody answers or `limit_s` is over.

    It knows no agents and no places in the line yet. Exits: ended (they talked), gave_up, failed.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("ended", "gave_up", "failed")
    group: str = ""
    say: tuple[str, ...] = ("transferring",)
    waiting: tuple[str, ...] = ("hold_announcement",)
    pause_s: int = 15
    limit_s: int = 300

    def says(self) -> tuple[str, ...]:
        return (*self.say, *self.waiting)


class Send(Node, frozen=True, kw_only=True, tag="send"):
    """Give something to be sent: `text` may name values ("{x}"), `to` is a number or "{x}". Exits: queued, failed."""

    NEEDS: ClassVar[tuple[str, ...]] = ("queued", "failed")
    channel: Literal["fax", "sms"]
    to: str
    text: dict[Lang, str]


class Language(Node, frozen=True, kw_only=True, tag="language"):
    """Speak the language after the present one from now on, or `to`. Exit: done."""

    NEEDS: ClassVar[tuple[str, ...]] = ("done",)
    languages: tuple[Lang, ...] = ("zh", "en")
    to: Lang | None = None


class TimeOfDay(Node, frozen=True, kw_only=True, tag="time_of_day"):
    """What the hospital's calendar says now. Exits: open, closed, holiday."""

    NEEDS: ClassVar[tuple[str, ...]] = ("open", "closed", "holiday")


class SubFlow(Node, frozen=True, kw_only=True, tag="sub_flow"):
    """Go through another flow, from its `entry`, and come back. Exits: those its `return` nodes name."""

    flow: str
    entry: str = "begin"


class Return(Node, frozen=True, kw_only=True, tag="return"):
    """The end of a sub-flow: back to the place that went into it, which takes this `exit`. No exits of its own."""

    exit: str = "done"


class HangUp(Node, frozen=True, kw_only=True, tag="hang_up"):
    """Say goodbye and release. No exit."""

    say: tuple[str, ...] = ()

    def says(self) -> tuple[str, ...]:
        return self.say


AnyNode = (
    Say
    | Menu
    | AskDigits
    | AskYesNo
    | Act
    | Branch
    | LeaveMessage
    | Record
    | Transfer
    | Queue
    | Send
    | Language
    | TimeOfDay
    | SubFlow
    | Return
    | HangUp
)
KINDS: dict[str, type[Node]] = {str(kind.__struct_config__.tag): kind for kind in AnyNode.__args__}
ENDS = (HangUp, Return)


def field_that_says(node: Node, written: str) -> str:
    """The field of a node in which that is said; empty when none does."""
    said = ((name, getattr(node, name)) for name in node.__struct_fields__ if name != "at")
    return next((name for name, texts in said if isinstance(texts, tuple) and written in texts), "")
