"""What messages are made of: causes, phases, and all that the line server knows of a leg, a channel, a span, a group."""

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from drivers.protocol.line_care import SpanErrors

SELF_CALL_GROUP, SELF_CALL_CHANNEL = "self-call", 60_001
"""Calls seized on this channel go to the box itself and are offered in this group, on the next channel; neither is ever shown."""


class Cause(IntEnum):
    """Why a call ended or failed. Source: Q.850 table 1, whose codes these are."""

    UNALLOCATED_NUMBER = 1
    NO_ROUTE_TO_NETWORK = 2
    NO_ROUTE = 3
    SPECIAL_TONE = 4
    MISDIALLED_PREFIX = 5
    CHANNEL_UNACCEPTABLE = 6
    CALL_AWARDED = 7
    PREEMPTION = 8
    PREEMPTION_RESERVED = 9
    QUERY_ON_RELEASE = 14
    NORMAL = 16
    USER_BUSY = 17
    NO_USER_RESPONSE = 18
    NO_ANSWER = 19
    SUBSCRIBER_ABSENT = 20
    REJECTED = 21
    NUMBER_CHANGED = 22
    REDIRECTED = 23
    EXCHANGE_ROUTING_ERROR = 25
    NON_SELECTED_USER = 26
    DESTINATION_OUT_OF_ORDER = 27
    INVALID_NUMBER = 28
    FACILITY_REJECTED = 29
    RESPONSE_TO_STATUS = 30
    NORMAL_UNSPECIFIED = 31
    NO_CHANNEL = 34
    NETWORK_OUT_OF_ORDER = 38
    PERMANENT_CONNECTION_DOWN = 39
    PERMANENT_CONNECTION_UP = 40
    TEMPORARY_FAILURE = 41
    SWITCH_CONGESTION = 42
    INFORMATION_DISCARDED = 43
    CHANNEL_NOT_AVAILABLE = 44
    PRECEDENCE_BLOCKED = 46
    RESOURCE_UNAVAILABLE = 47
    QUALITY_NOT_AVAILABLE = 49
    FACILITY_NOT_SUBSCRIBED = 50
    OUTGOING_BARRED_IN_GROUP = 53
    INCOMING_BARRED_IN_GROUP = 55
    BEARER_NOT_AUTHORIZED = 57
    BEARER_NOT_AVAILABLE = 58
    INCONSISTENT_INFORMATION = 62
    SERVICE_NOT_AVAILABLE = 63
    BEARER_NOT_IMPLEMENTED = 65
    CHANNEL_TYPE_NOT_IMPLEMENTED = 66
    FACILITY_NOT_IMPLEMENTED = 69
    ONLY_RESTRICTED_DIGITAL = 70
    SERVICE_NOT_IMPLEMENTED = 79
    INVALID_CALL_REFERENCE = 81
    CHANNEL_DOES_NOT_EXIST = 82
    SUSPENDED_CALL_OTHER = 83
    CALL_IDENTITY_IN_USE = 84
    NO_CALL_SUSPENDED = 85
    CALL_CLEARED = 86
    NOT_MEMBER_OF_GROUP = 87
    INCOMPATIBLE_DESTINATION = 88
    NONEXISTENT_GROUP = 90
    INVALID_TRANSIT_NETWORK = 91
    INVALID_MESSAGE = 95
    MANDATORY_ELEMENT_MISSING = 96
    MESSAGE_TYPE_UNKNOWN = 97
    MESSAGE_NOT_COMPATIBLE = 98
    ELEMENT_UNKNOWN = 99
    ELEMENT_INVALID = 100
    MESSAGE_WRONG_STATE = 101
    TIMER_RECOVERY = 102
    PARAMETER_PASSED_ON = 103
    PARAMETER_DISCARDED = 110
    PROTOCOL_ERROR = 111
    INTERWORKING = 127


class LegPhase(StrEnum):
    """Where a leg stands. offered: rings at the box; dialling/alerting: the box rings out; answered; released."""

    OFFERED = "offered"
    DIALLING = "dialling"
    ALERTING = "alerting"
    ANSWERED = "answered"
    RELEASED = "released"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Presentation(StrEnum):
    """Whether a caller lets the number be seen. Source: Q.931 clause 4.5.10, octet 3a."""

    ALLOWED = "allowed"
    RESTRICTED = "restricted"
    UNAVAILABLE = "unavailable"


class NumberSource(StrEnum):
    """Who told the caller's number: the network (ISDN, checked or its own), the caller (ISDN, unchecked), or tones on the line."""

    NETWORK = "network"
    USER = "user"
    FSK = "fsk"
    DTMF = "dtmf"
    MF = "mf"
    SET = "set"  # a telephone of the box: its own number


class BlockedBy(StrEnum):
    """Who keeps a channel from taking calls: nobody, a person, or the line server after failures in a row."""

    NOBODY = ""
    PERSON = "person"
    FAILURES = "failures"


class PlayEnd(StrEnum):
    FINISHED = "finished"
    BARGED = "barged"
    STOPPED = "stopped"
    FAILED = "failed"


class Sides(StrEnum):
    """What a recording holds: both sides in stereo (left the party, right what it hears) or the party alone."""

    BOTH = "both"
    PARTY = "party"


class TransferWhen(StrEnum):
    """When the box lets go of a caller it transfers."""

    DIALLED = "dialled"
    RINGING = "ringing"
    ANSWERED = "answered"


class TransferOutcome(StrEnum):
    """What came of a transfer in the switch. Only after TRANSFERRED the leg is released; otherwise its caller is there again."""

    TRANSFERRED = "transferred"
    BUSY = "busy"
    CONGESTION = "congestion"
    NO_ANSWER = "no_answer"
    NO_DIAL_TONE = "no_dial_tone"  # the switch did not take the flash
    REFUSED = "refused"  # it did not take the number


class Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of everything on the wire; the class name is the type."""


# --- parts of messages -------------------------------------------------------------------------------------------


class Caller(msgspec.Struct, frozen=True):
    """Who calls, as the line told it. `number` can be there although it is withheld: it is then for emergency use alone.

    `category` of MFC/R2 ("national_subscriber" and so on), `name` of ISDN display or caller id.
    """

    number: str = ""
    presentation: Presentation = Presentation.UNAVAILABLE
    source: NumberSource = NumberSource.NETWORK
    name: str = ""
    category: str = ""

    @property
    def ani(self) -> str | None:
        """The number that may be shown and matched."""
        return self.number or None if self.presentation is Presentation.ALLOWED else None


class DigitPress(msgspec.Struct, frozen=True):
    """One key; `seq` rises by one per event of the leg."""

    seq: int
    digit: str
    at: datetime


class RecordingState(msgspec.Struct, frozen=True):
    recording_id: str
    path: str
    sides: Sides
    started_at: datetime
    samples: int = 0
    lost_samples: int = 0
    stopped: bool = False


class PlayState(msgspec.Struct, frozen=True):
    """The current or last play of a leg; `end` is None while it plays."""

    play_id: int
    end: PlayEnd | None = None


class TransferState(msgspec.Struct, frozen=True):
    """The current or last transfer of a leg in the switch; `outcome` is None while it goes on, or when it came to the leg's release."""

    transfer_id: int
    outcome: TransferOutcome | None = None


class LegState(msgspec.Struct, frozen=True, kw_only=True):
    """All that the line server knows of one leg."""

    leg: str
    channel: int
    group: str
    direction: Direction
    phase: LegPhase
    ani: str | None = None
    dnis: str | None = None
    caller: Caller | None = None
    rdnis: str | None = None
    offered_at: datetime
    answered_at: datetime | None = None
    released_at: datetime | None = None
    cause: int | None = None
    released_by_far_end: bool = False
    tag: bytes = b""
    digits: tuple[DigitPress, ...] = ()
    play: PlayState | None = None
    recordings: tuple[RecordingState, ...] = ()
    bridged_with: str | None = None
    native: bool = False
    conference: tuple[str, ...] = ()  # the others of it
    transfer: TransferState | None = None
    digits_masked: bool = False


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    name: str
    span: int
    group: str
    signalling: str
    leg: str | None = None
    blocked: bool = False
    alarms: tuple[str, ...] = ()
    last_cause: int | None = None
    failures: int = 0
    state: str = ""  # the signaller's word
    blocked_by: BlockedBy = BlockedBy.NOBODY
    far_blocked: bool = False  # the far side takes no calls here
    calls: int = 0
    failures_in_a_row: int = 0
    last_call_at: datetime | None = None
    test: str = ""  # kind of the test that runs


class SpanState(msgspec.Struct, frozen=True, kw_only=True):
    """`errors` None: a card that counts none. `link_up` None: a span without D-channel."""

    number: int
    name: str
    description: str
    channels: int
    alarms: tuple[str, ...] = ()
    alarm_since: datetime | None = None
    errors: SpanErrors | None = None
    link_up: bool | None = None


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    channels: tuple[int, ...]
    hunting: str


def emergency_leg(leg: str) -> str:
    """The leg out of an emergency call that the line server made for a set's leg, while no call agent was there."""
    return f"{leg}-emergency"
