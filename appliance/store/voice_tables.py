"""Tables of what is spoken: texts that the box's own voice speaks as wholes (appliance/hospital/voicing.py), and the hospital's versions of
prompts (appliance/ivr/prompts/versions.py). Times UTC."""

from typing import Any

from peewee import AutoField, CharField, DoubleField, IntegerField, TextField

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


class PromptText(StoreModel):
    """What a prompt is to say, where the hospital wrote it: instead of the package's text, or of a prompt of its own. An audio that says
    something else is old."""

    id = AutoField()
    prompt = CharField(max_length=64)
    language = CharField(max_length=2)
    text = TextField()
    author = CharField()
    written_at = UtcField()

    class Meta:
        indexes = ((("prompt", "language"), True),)


class PromptVersion(StoreModel):
    """An audio of a prompt with the text it says; never changed once it is there. `source`: telephone, upload, voice, edit (cut or
    levelled, of the version `made_from`). `path`: below the data folder, no two alike. Number 0, the package's own, is not here."""

    id = AutoField()
    prompt = CharField(max_length=64)
    language = CharField(max_length=2)
    number = IntegerField()
    text = TextField()
    source = CharField(max_length=10)
    made_from = IntegerField(null=True)
    author = CharField()
    made_at = UtcField()
    note = CharField(default="")
    path = CharField()
    sha256 = CharField(max_length=64)
    duration_ms = IntegerField()
    loudness_lufs = DoubleField(null=True)

    class Meta:
        indexes = ((("prompt", "language", "number"), True),)


class PromptUse(StoreModel):
    """From then on callers hear that version; the newest row of a prompt in a language counts. `version` 0: the package's own again."""

    id = AutoField()
    prompt = CharField(max_length=64)
    language = CharField(max_length=2)
    version = IntegerField()
    used_at = UtcField()
    by = CharField()

    class Meta:
        indexes = ((("prompt", "language"), False),)


class PromptOrder(StoreModel):
    """An audio that was asked for. `kind`: voice (the box speaks the text), telephone (whoever calls in with `code` until `expires_at`
    does). `state`: waiting, done (`version` came of it), failed (`error` as code, what and remedy), over (taken back, or too late)."""

    id = AutoField()
    prompt = CharField(max_length=64)
    language = CharField(max_length=2)
    kind = CharField(max_length=10)
    text = TextField()
    state = CharField(max_length=8, default="waiting", index=True)
    code = CharField(max_length=8, default="", index=True)
    asked_by = CharField()
    asked_at = UtcField()
    expires_at = UtcField(null=True)
    version = IntegerField(null=True)
    error_code = CharField(default="")
    error = TextField(default="")
    remedy = TextField(default="")

    class Meta:
        indexes = ((("prompt", "language"), False),)


VOICE_TABLES: tuple[Any, ...] = (SpokenText,)
PROMPT_TABLES: tuple[Any, ...] = (PromptText, PromptVersion, PromptUse, PromptOrder)
