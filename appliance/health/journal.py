"""Alarms into the store, and what is to be told of them into the one table of what goes out: both in one transaction, each once.

Runs in the thread `store`, with that thread's connection. While the store does not work, changes wait here in order, and `Direct` senders
tell of them at once; nothing is told twice when it works again.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from appliance.health import words
from appliance.health.judge import Change, Cleared, Raised
from appliance.health.looks import Key
from appliance.health.words import Event, Story
from appliance.store.alarm_rules import RULES, SEVERITIES, RuleNow, RuleSetting, Severity, now
from appliance.store.alarms import AlarmSetting, AlarmTest, MailSettings, Receiver, Receivers, read, rules_now
from appliance.store.models import Alarm, database
from appliance.store.outgoing import OutgoingMessage, enqueue
from appliance.store.transaction import write_transaction
from drivers.clock import Clock

log = logging.getLogger("careline.health")

WAITS_MOST = 10_000
CONTACT = "contact"
"""Stands for the alarm relay where a receiver is named."""
SMS_LATE = timedelta(minutes=3)
SMS_LOOKED_BACK = timedelta(hours=1)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes to one receiver. `text`: subject, empty line, body of a mail; a text message; a Story as JSON for a trap."""

    receiver: Receiver
    text: str
    once_key: str


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What people have set, as read last."""

    rules: dict[str, RuleNow]
    receivers: tuple[Receiver, ...] = ()
    mail: MailSettings = MailSettings()


class _Waiting:
    """A change that is not in the store yet. `told`: directly, because the store does not work."""

    def __init__(self, change: Change, at: datetime) -> None:
        self.change, self.at, self.told = change, at, False


class Journal:
    """`box`: the hospital's name. `direct`: tells without the store. `pulse` tries the alarm relay, and says whether there is one.
    `sms_fault`: why the last alarm by text message did not go."""

    def __init__(self, box: str, zone: ZoneInfo, clock: Clock, direct: Callable[[Letter], None], pulse: Callable[[], bool]) -> None:
        self.sms_fault = ""
        self.settings = Settings(rules=rules_now_by_default())
        self._box, self._zone, self._clock, self._direct, self._pulse = box, zone, clock, direct, pulse
        self._waiting: deque[_Waiting] = deque(maxlen=WAITS_MOST)
        self._settings_read = -1

    # --- with the store ------------------------------------------------------------------------------------------------

    def left_open(self) -> list[tuple[str, Key]]:
        """Alarms that an earlier process raised and whose end it did not tell. Raises: peewee's errors."""
        rows = Alarm.select().where(Alarm.over_at.is_null(), Alarm.raised_at.is_null(False))
        return [(row.rule, Key(row.subject, row.number, row.alarm)) for row in rows]

    def read_settings(self) -> None:
        """When somebody saved one. Raises: peewee's errors."""
        newest = AlarmSetting.select().order_by(AlarmSetting.id.desc()).first()
        if (number := newest.id if newest else 0) != self._settings_read:
            self.settings = Settings(rules=rules_now(), receivers=read("receivers", Receivers).all, mail=read("mail", MailSettings))
            self._settings_read = number

    def note(self, changes: Iterable[Change]) -> None:
        """To be written by the next `write`."""
        self._waiting.extend(_Waiting(change, self._clock.now()) for change in changes)

    def write(self) -> int:
        """Everything that waits, each in a transaction; how many. Raises: peewee's errors."""
        written = 0
        while self._waiting:
            with write_transaction(database):
                self._write_one(self._waiting[0])
            self._waiting.popleft()
            written += 1
        return written

    def tell_directly(self) -> None:
        """The store does not work: receivers hear of what waits all the same."""
        for waiting in self._waiting:
            if not waiting.told:
                waiting.told = True
                for letter in self._letters(_story(waiting, 0), "direct"):
                    self._direct(letter)

    def look_after(self, raised: Iterable[tuple[str, Key]]) -> None:
        """What goes on beside changes: rows that the call agent made anew of an alarm that lasts, alarms nobody acknowledged, tests."""
        with write_transaction(database):
            self._adopt(raised)
            self._escalate()
            self._test()
        self.sms_fault = self._last_sms()

    # --- changes -------------------------------------------------------------------------------------------------------

    def _write_one(self, waiting: _Waiting) -> None:
        change = waiting.change
        row = self._raise(change, waiting.at) if isinstance(change, Raised) else self._clear(change, waiting.at)
        if row is not None:
            self._tell(_story(waiting, row.id), waiting.told)

    def _raise(self, change: Raised, at: datetime) -> Alarm | None:
        """None when it stands there as raised already."""
        key = change.finding.key
        row = _open_row(key)
        if row is not None and row.raised_at is not None:
            return None
        if row is None:
            began = at - timedelta(seconds=change.lasted_s)
            row = Alarm(subject=key.subject, number=key.number, alarm=key.alarm, began_at=began)
        row.rule, row.severity, row.detail, row.raised_at = change.rule, change.severity.value, change.finding.detail, at
        row.save()
        log.warning("alarm %d %s: %s %d %s %s", row.id, change.rule, key.subject, key.number, key.alarm, change.finding.detail)
        return row

    def _clear(self, change: Cleared, at: datetime) -> Alarm | None:
        """The row may have been ended by the call agent already."""
        _of_key(Alarm.update(ended_at=at), change.key).where(Alarm.ended_at.is_null()).execute()
        _of_key(Alarm.update(over_at=at), change.key).where(Alarm.over_at.is_null(), Alarm.raised_at.is_null(False)).execute()
        row: Alarm | None = _of_key(Alarm.select(), change.key).where(Alarm.rule == change.rule).order_by(Alarm.id.desc()).first()
        if row is not None:
            log.warning("alarm %d %s is over: %s %d %s", row.id, change.rule, change.key.subject, change.key.number, change.key.alarm)
        return row

    def _tell(self, story: Story, told: bool) -> None:
        for letter in self._letters(story, f"alarm:{story.number}"):
            self._enqueue(letter, story)
            if told and letter.receiver.kind != "sms":
                sent = OutgoingMessage.update(state="sent", sent_at=self._clock.now())
                sent.where(OutgoingMessage.once_key == letter.once_key).execute()

    def _letters(self, story: Story, of: str) -> list[Letter]:
        return [self._letter(receiver, story, of) for receiver in self.settings.receivers if concerns(receiver, story)]

    def _letter(self, receiver: Receiver, story: Story, of: str) -> Letter:
        match receiver.kind:
            case "email":
                text = words.mail(story, receiver.language, self._box, self._zone)
            case "sms":
                text = words.sms(story, receiver.language, self._box)
            case "snmp":
                text = msgspec.json.encode(story).decode()
        return Letter(receiver=receiver, text=text, once_key=f"{of}:{story.event}:{receiver.kind}:{receiver.name}")

    def _enqueue(self, letter: Letter, story: Story) -> None:
        receiver = letter.receiver
        urgent = story.severity is Severity.CRITICAL
        enqueue(receiver.kind, receiver.to, letter.text, letter.once_key, self._clock.now(), language=receiver.language, urgent=urgent)

    # --- beside changes ------------------------------------------------------------------------------------------------

    def _adopt(self, raised: Iterable[tuple[str, Key]]) -> None:
        """It flapped for less than its hold-off time: the row that goes on is the alarm's."""
        fresh = Alarm.select().where(Alarm.ended_at.is_null(), Alarm.raised_at.is_null())
        rows = {Key(row.subject, row.number, row.alarm): row for row in fresh}
        for rule, key in raised if rows else ():
            if row := rows.get(key):
                before = _of_key(Alarm.select(), key).where(Alarm.rule == rule).order_by(Alarm.id.desc()).first()
                row.rule, row.severity = rule, self.settings.rules[rule].severity.value
                row.raised_at = row.began_at
                if before is not None:
                    row.detail, row.acknowledged_by, row.acknowledged_at = before.detail, before.acknowledged_by, before.acknowledged_at
                row.save()

    def _escalate(self) -> None:
        at = self._clock.now()
        open_ = Alarm.select().where(Alarm.ended_at.is_null(), Alarm.raised_at.is_null(False), Alarm.escalated_at.is_null())
        for row in open_.where(Alarm.acknowledged_by == ""):
            rule = self.settings.rules.get(row.rule)
            if rule and rule.escalate_min and at - row.raised_at >= timedelta(minutes=rule.escalate_min):
                row.escalated_at = at
                row.save()
                self._tell(story_of(row, "escalated", at), told=False)

    def _last_sms(self) -> str:
        of_alarms = (OutgoingMessage.channel == "sms") & OutgoingMessage.once_key.startswith("alarm:")
        row = OutgoingMessage.select().where(of_alarms).order_by(OutgoingMessage.id.desc()).first()
        age = self._clock.now() - row.asked_at if row else SMS_LOOKED_BACK
        if row is None or age >= SMS_LOOKED_BACK or row.state in ("sent", "delivered"):
            return ""
        return row.error or ("not sent" if row.state == "failed" or age > SMS_LATE else "")

    def _test(self) -> None:
        for test in AlarmTest.select().where(AlarmTest.state == "waiting"):
            if test.receiver == CONTACT:
                test.state, test.error = ("sent", "") if self._pulse() else ("failed", "there is no alarm relay")
                test.save()
                continue
            receiver = next((each for each in self.settings.receivers if each.name == test.receiver), None)
            if receiver is None:
                test.state, test.error = "failed", "there is no such receiver"
                test.save()
                continue
            story = Story(number=0, event="test", at=self._clock.now())
            letter = self._letter(receiver, story, f"test:{test.id}")
            self._enqueue(letter, story)
            sent = OutgoingMessage.get(OutgoingMessage.once_key == letter.once_key)
            if sent.state != "waiting" or sent.error:
                test.state, test.error = ("failed", sent.error) if sent.error else ("sent", "")
                test.save()


def concerns(receiver: Receiver, story: Story) -> bool:
    """Whether this receiver is told that. Escalations go to level 2 alone; what those were told of they are also told the end of."""
    if not receiver.on or SEVERITIES.index(story.severity) < SEVERITIES.index(receiver.least):
        return False
    if receiver.rules and story.rule not in receiver.rules:
        return False
    return receiver.level == 1 if story.event == "began" else receiver.level == 2 if story.event == "escalated" else _knows(receiver, story)


def _knows(receiver: Receiver, story: Story) -> bool:
    if receiver.level == 1:
        return True
    row = Alarm.get_or_none(Alarm.id == story.number)
    return row is not None and row.escalated_at is not None


def story_of(row: Alarm, event: Event, at: datetime) -> Story:
    """An alarm of the store."""
    return Story(
        number=row.id,
        event=event,
        rule=row.rule,
        severity=Severity(row.severity or "notice"),
        key=Key(row.subject, row.number, row.alarm),
        detail=row.detail,
        at=at,
    )


def _story(waiting: _Waiting, number: int) -> Story:
    change = waiting.change
    if isinstance(change, Raised):
        finding = change.finding
        return Story(
            number=number, event="began", rule=change.rule, severity=change.severity, key=finding.key, detail=finding.detail, at=waiting.at
        )
    row = Alarm.get_or_none(Alarm.id == number) if number else None
    if row is not None:
        return story_of(row, "ended", waiting.at)
    return Story(number=0, event="ended", rule=change.rule, severity=Severity.CRITICAL, key=change.key, at=waiting.at)


def rules_now_by_default() -> dict[str, RuleNow]:
    """Before the store could be read."""
    return {rule.name: now(rule, RuleSetting()) for rule in RULES}


def _open_row(key: Key) -> Alarm | None:
    row: Alarm | None = _of_key(Alarm.select(), key).where(Alarm.ended_at.is_null()).order_by(Alarm.id.desc()).first()
    return row


def _of_key(query, key: Key):  # type: ignore[no-untyped-def]  # peewee's queries have no common type
    return query.where(Alarm.subject == key.subject, Alarm.number == key.number, Alarm.alarm == key.alarm)
