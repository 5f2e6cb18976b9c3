"""Table of the texts that the box's own voice speaks as wholes (appliance/hospital/voicing.py). Times UTC."""

from typing import Any

from peewee import AutoField, CharField, IntegerField, TextField

from appliance.store.models import StoreModel, UtcField


class SpokenText(StoreModel):
    """One text in one language. `key`: the id of its rendering, the same for the same text. `state`: wanted, made, failed (`error` says
    why), no_voice (this box has none: `error` says what is missing), recorded (by a person; never made anew). `voice`: whose rendering
    it is. `path`: below the data folder. `used_at`: when somebody's text was last seen to be this."""

    id = AutoField()
    key = CharField(max_length=40, unique=True)
    language = CharField(max_length=2)
    text = TextField()
    voice = CharField(default="")
    state = CharField(max_length=8, default="wanted", index=True)
    path = CharField(default="")
    error = CharField(default="")
    duration_ms = IntegerField(default=0)
    wanted_at = UtcField()
    made_at = UtcField(null=True)
    used_at = UtcField(index=True)


VOICE_TABLES: tuple[Any, ...] = (SpokenText,)
