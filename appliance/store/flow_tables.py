"""Tables of the flows: their versions, and what was live when. Times UTC."""

from typing import Any

from peewee import AutoField, CharField, IntegerField, TextField

from appliance.store.models import StoreModel, UtcField


class FlowVersion(StoreModel):
    """A flow as it was once saved, never changed after it was published. `state`: draft, published, retired. Version 0 is the one that
    comes with the program and is not here. `saved` counts the savings of a draft: who saves over what another saved meanwhile is told."""

    id = AutoField()
    flow = CharField()
    version = IntegerField()
    state = CharField(default="draft", index=True)
    author = CharField()
    made_at = UtcField()
    note = TextField(default="")
    text = TextField()
    saved = IntegerField(default=1)
    published_at = UtcField(null=True)
    published_by = CharField(default="")

    class Meta:
        indexes = ((("flow", "version"), True),)


class FlowEdition(StoreModel):
    """What was live together: a call finishes on the edition it began with. `versions`: JSON, flow to version; a flow that is not named is
    the program's own. Edition 0, all of them the program's, is not here."""

    number = IntegerField(primary_key=True)
    versions = TextField()
    published_at = UtcField(index=True)
    published_by = CharField()
    note = TextField(default="")


FLOW_TABLES: tuple[Any, ...] = (FlowVersion, FlowEdition)
