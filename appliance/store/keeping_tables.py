"""Tables of how long recordings are kept: the setting, calls that must be kept, what each night did, what was deleted and why.

The web writes the setting and what must be kept; careline-system alone deletes (appliance/system/recordings).
"""

from typing import Any

from peewee import AutoField, BooleanField, CharField, IntegerField, TextField

from appliance.store.models import StoreModel, UtcField


class RetentionSetting(StoreModel):
    """As it was once saved; the newest holds. `body`: store.keeping.Retention as JSON."""

    id = AutoField()
    at = UtcField()
    by = CharField()
    body = TextField()


class LegalHold(StoreModel):
    """Recordings of that call are kept until somebody ends the hold (`ended_at`), whatever their age."""

    id = AutoField()
    call = CharField(index=True, column_name="call_id")
    reason = TextField()
    by = CharField()
    at = UtcField()
    ended_at = UtcField(null=True)
    ended_by = CharField(default="")
    ended_why = TextField(default="")


class RetentionNight(StoreModel):
    """What one night did. `state`: begun (it was broken off when it stays so), done, refused (nothing was deleted: `fault` says why).
    `by`: who vouched for the clock; empty: it was the night's own work. unsaved: kept since no backup has them; left: for later nights."""

    id = AutoField()
    at = UtcField(index=True)
    state = CharField()
    by = CharField(default="")
    deleted = IntegerField(default=0)
    freed_kb = IntegerField(default=0)
    unsaved = IntegerField(default=0)
    left = IntegerField(default=0)
    code = CharField(default="")
    fault = TextField(default="")


class DeletedRecording(StoreModel):
    """A file that is no more, `path` below the recordings folder. `kind`: operator, box, message. `days`: the setting that it had outlived.
    `was_gone`: it was not there any more when it was to be deleted."""

    path = CharField(primary_key=True)
    call = CharField(index=True, column_name="call_id")
    kind = CharField()
    recorded_at = UtcField()
    deleted_at = UtcField(index=True)
    days = IntegerField()
    size_kb = IntegerField(default=0)
    was_gone = BooleanField(default=False)


KEEPING_TABLES: tuple[Any, ...] = (RetentionSetting, LegalHold, RetentionNight, DeletedRecording)
