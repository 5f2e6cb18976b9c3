"""Versions of flows: draft, check, publish, roll back. Plain functions that run inside a transaction of the caller (web or call agent).

Whoever publishes asks the call agent afterwards to use it (control message UseFlows): new calls walk it at once, running calls finish on
the edition they began with. Every change is in the audit.
"""

import functools
import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from peewee import fn

from appliance.config import LANGUAGES
from appliance.errors import FlowError
from appliance.ivr.actions import ACTIONS, Action
from appliance.ivr.checking import PromptIds, faults
from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import Flow, FlowSet
from appliance.ivr.reading import built_in, built_in_texts, read
from appliance.store.flow_tables import FlowEdition, FlowVersion
from appliance.store.models import Account, Audit

DRAFT, PUBLISHED, RETIRED = "draft", "published", "retired"
ONE_LINE_OF_AUDIT = timedelta(minutes=10)
"""Savings of a draft by one person that follow each other within it: the page saves each change at once."""


class Published(msgspec.Struct, frozen=True):
    """It is live from the call agent's next look on, as this edition."""

    edition: int


class Refused(msgspec.Struct, frozen=True):
    """Nothing was changed."""

    faults: tuple[FlowFault, ...]


# --- what there is -----------------------------------------------------------------------------------------------------


def flow_names() -> list[str]:
    """Of every flow there is a text of, the program's own first."""
    stored = [row.flow for row in FlowVersion.select(FlowVersion.flow).distinct().order_by(FlowVersion.flow)]
    return list(dict.fromkeys([*built_in().flows, *stored]))


def versions(flow: str) -> list[FlowVersion]:
    """The newest first; version 0, the program's own, is not among them."""
    return list(FlowVersion.select().where(FlowVersion.flow == flow).order_by(FlowVersion.version.desc()))


def text_of(flow: str, version: int) -> str:
    """Raises: FlowError APP-147 when there is no such version."""
    if version == 0 and flow in built_in_texts():
        return built_in_texts()[flow]
    return str(_version(flow, version).text)


def live_versions() -> dict[str, int]:
    """Flow to the version that new calls walk; 0 is the program's own."""
    newest = FlowEdition.select().order_by(FlowEdition.number.desc()).first()
    return {**dict.fromkeys(built_in().flows, 0), **(json.loads(newest.versions) if newest else {})}


def newest_edition() -> int:
    """0 when nothing was ever published."""
    return int(FlowEdition.select(fn.max(FlowEdition.number)).scalar() or 0)


def texts_of_edition(number: int) -> dict[str, tuple[int, str]] | None:
    """Flow to version and text, for those that are not the program's own; None when there is no such edition."""
    row = FlowEdition.get_or_none(FlowEdition.number == number)
    if row is None:
        return {} if number == 0 else None
    return {flow: (version, text_of(flow, version)) for flow, version in json.loads(row.versions).items() if version}


# --- drafts ------------------------------------------------------------------------------------------------------------


def save_draft(flow: str, text: str, by: Account, now: datetime, *, note: str = "", saved: int | None = None) -> FlowVersion:
    """The flow's draft with this text; there is one at most. `saved`: how often it had been saved when it was opened, None for a new one.

    The text may have faults: they are for `check` to tell. Raises: FlowError APP-146 when somebody else saved it meanwhile.
    """
    draft = FlowVersion.get_or_none(FlowVersion.flow == flow, FlowVersion.state == DRAFT)
    if (draft.saved if draft else None) != saved:
        who = draft.author if draft else "somebody"
        raise FlowError("APP-146", f"the draft of {flow} was changed meanwhile, last by {who}", "Open it again, and make your change there")
    before = (draft.author, draft.made_at) if draft else None
    if draft is None:
        last = FlowVersion.select(fn.max(FlowVersion.version)).where(FlowVersion.flow == flow).scalar() or 0
        draft = FlowVersion.create(flow=flow, version=last + 1, author=by.name, made_at=now, note=note, text=text)
    else:
        draft.text, draft.note, draft.author, draft.made_at, draft.saved = text, note, by.name, now, draft.saved + 1
        draft.save()
    if before is None or before[0] != by.name or now - before[1] > ONE_LINE_OF_AUDIT:
        _audit(by, now, "save_flow", flow, f"version {draft.version}")
    return draft


def discard_draft(flow: str, by: Account, now: datetime) -> bool:
    """False when there was none."""
    gone = FlowVersion.delete().where(FlowVersion.flow == flow, FlowVersion.state == DRAFT).execute()
    if gone:
        _audit(by, now, "discard_flow", flow, "")
    return bool(gone)


# --- checking ------------------------------------------------------------------------------------------------------------


def check(flow: str, text: str, prompt_ids: PromptIds, actions: Mapping[str, Action] = ACTIONS) -> list[FlowFault]:
    """Everything that would be wrong if this text were published now, with what else is live."""
    return _built({**_live_texts(), flow: (0, text)}, 0, prompt_ids, actions)[1]


def build(texts: Mapping[str, tuple[int, str]], edition: int, own: FlowSet | None = None) -> tuple[FlowSet, list[FlowFault]]:
    """The program's own flows, those of `texts` in their place; and what of those cannot be read, which is left out."""
    flows: dict[str, Flow] = dict((own or built_in()).flows)
    unread: list[FlowFault] = []
    for name, (_, text) in texts.items():
        flow, found = _read(text, name)
        unread = [*unread, *(found or _misnamed(name, flow))]
        if flow is not None:
            flows[name] = flow
    stored = {name: version for name, (version, _) in texts.items()}
    return FlowSet(flows, edition, {**dict.fromkeys(flows, 0), **stored}), unread


@functools.lru_cache(64)
def _read(text: str, name: str) -> tuple[Flow | None, list[FlowFault]]:
    """What is live is read again for every check and every edition."""
    return read(text, name)


def _misnamed(name: str, flow: Flow | None) -> list[FlowFault]:
    if flow is None or flow.flow == name:
        return []
    remedy = f"Write flow: {name}, or save it as a flow of its own"
    return [FlowFault(code="APP-132", flow=name, place="", what=f"it calls itself {flow.flow!r}", remedy=remedy, line=1)]


def _built(
    texts: Mapping[str, tuple[int, str]], edition: int, prompt_ids: PromptIds, actions: Mapping[str, Action]
) -> tuple[FlowSet, list[FlowFault]]:
    flows, unread = build(texts, edition)
    return flows, unread or faults(flows, prompt_ids, LANGUAGES, actions)


def _live_texts() -> dict[str, tuple[int, str]]:
    return {flow: (version, text_of(flow, version)) for flow, version in live_versions().items() if version}


# --- publishing ----------------------------------------------------------------------------------------------------------


def publish(
    chosen: Mapping[str, int],
    by: Account,
    now: datetime,
    prompt_ids: PromptIds,
    *,
    note: str = "",
    actions: Mapping[str, Action] = ACTIONS,
) -> Published | Refused:
    """Put these versions (flow to version, 0: the program's own) in the place of what is live, all of them or none.

    Raises: FlowError APP-147 when there is no such version.
    """
    for flow, version in chosen.items():
        text_of(flow, version)  # there must be one
    told = ", ".join(f"{flow} version {version}" for flow, version in chosen.items())
    return _put_live({**live_versions(), **chosen}, by, now, prompt_ids, actions, note, told)


def roll_back(
    edition: int, by: Account, now: datetime, prompt_ids: PromptIds, *, note: str = "", actions: Mapping[str, Action] = ACTIONS
) -> Published | Refused:
    """Publish what was live as that edition once more, as a new one. 0: the program's own flows. `note`: why.

    Raises: FlowError APP-147 when there is no such edition.
    """
    texts = texts_of_edition(edition)
    if texts is None:
        raise FlowError("APP-147", f"there is no edition {edition} of the flows", "Look at the list of editions")
    wanted = {flow: version for flow, (version, _) in texts.items()}
    told = f"{note} (as edition {edition})" if note else f"as edition {edition}"
    return _put_live(wanted, by, now, prompt_ids, actions, told, f"back to edition {edition}")


def _put_live(
    wanted: Mapping[str, int],
    by: Account,
    now: datetime,
    prompt_ids: PromptIds,
    actions: Mapping[str, Action],
    note: str,
    told: str,
) -> Published | Refused:
    texts = {flow: (version, text_of(flow, version)) for flow, version in wanted.items() if version}
    number = newest_edition() + 1
    _, wrong = _built(texts, number, prompt_ids, actions)
    if wrong:
        return Refused(tuple(wrong))
    stored = {flow: version for flow, (version, _) in texts.items()}
    FlowEdition.create(number=number, versions=json.dumps(stored), published_at=now, published_by=by.name, note=note)
    _mark(stored, by, now)
    _audit(by, now, "publish_flows", f"edition {number}", told)
    return Published(number)


def _mark(live: Mapping[str, int], by: Account, now: datetime) -> None:
    """States of the versions: what is live is published, what was is retired."""
    for row in FlowVersion.select().where(FlowVersion.state == PUBLISHED):
        if live.get(row.flow) != row.version:
            row.state = RETIRED
            row.save()
    for flow, version in live.items():
        row = _version(flow, version)
        if row.state != PUBLISHED:
            row.state, row.published_at, row.published_by = PUBLISHED, now, by.name
            row.save()


def _version(flow: str, version: int) -> FlowVersion:
    row = FlowVersion.get_or_none(FlowVersion.flow == flow, FlowVersion.version == version)
    if row is None:
        raise FlowError("APP-147", f"there is no version {version} of flow {flow}", "Look at the list of versions")
    return row


def _audit(by: Account, now: datetime, action: str, subject: str, detail: str) -> None:
    Audit.create(at=now, account=by, action=action, subject=subject, detail=detail)
