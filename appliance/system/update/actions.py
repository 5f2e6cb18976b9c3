"""What the box service does about updates, a function for each request."""

import re
from datetime import UTC, datetime

import msgspec

from appliance.store import kept
from appliance.store.left import left_behind, mark_seen
from appliance.system.box import Action, Box, Tell
from appliance.system.errors import BoxError
from appliance.system.messages import SystemRequest
from appliance.system.update import bundles, rauc, restart, state
from appliance.system.update.install import Installation
from appliance.system.update.messages import (
    BUNDLE_NAME,
    RESTART_LIMIT_MIN_MOST,
    AskBundles,
    AskUpdate,
    BundleChecked,
    BundlesTold,
    CancelRestart,
    CheckBundle,
    DiscardUpload,
    Event,
    GoBack,
    InstallUpdate,
    RestartWhenQuiet,
    SettleLeft,
    Slot,
    StayHere,
    UpdateTold,
)
from appliance.system.update.places import places_of
from drivers.protocol import Message


def told(box: Box, asked: AskUpdate, tell: Tell) -> UpdateTold:
    places = places_of(box)
    standing, here = state.read(places), bundles.version_here(places)
    slots, fault = _slots(box, standing, here)
    older = {**kept.settled(places.store), **kept.copies(places.store)}
    return UpdateTold(
        version=here,
        slots=slots,
        job=standing.job,
        trial=standing.trial,
        restart=standing.restart,
        calls=restart.calls(box),
        history=state.history(places),
        left=left_behind(places.store),
        copy_at=datetime.fromtimestamp(older[max(older)].stat().st_mtime, UTC) if older else None,
        fault=fault,
    )


def _slots(box: Box, standing: state.Standing, here: str) -> tuple[tuple[Slot, ...], str]:
    """And why there are none."""
    try:
        found = standing.slots or rauc.state(places_of(box).rauc).slots
    except BoxError as error:
        return (), f"{error.code}: {error.what}"
    return tuple(msgspec.structs.replace(slot, version=here) if slot.booted else slot for slot in found), ""


def listed(box: Box, asked: AskBundles, tell: Tell) -> BundlesTold:
    return bundles.listed(places_of(box))


def check(box: Box, asked: CheckBundle, tell: Tell) -> BundleChecked:
    places = places_of(box)
    with bundles.in_place(places, asked.bundle) as path:
        return bundles.check(places, asked.bundle, path)


def install(box: Box, asked: InstallUpdate, tell: Tell) -> None:
    if asked.background:
        Installation(box, places_of(box), asked, lambda percent, step: None).begin()
    else:
        Installation(box, places_of(box), asked, tell).run()


def discard(box: Box, asked: DiscardUpload, tell: Tell) -> None:
    if re.fullmatch(BUNDLE_NAME, asked.name):
        (places_of(box).incoming / asked.name).unlink(missing_ok=True)


def restart_box(box: Box, asked: RestartWhenQuiet, tell: Tell) -> None:
    if not 0 <= asked.limit_min <= RESTART_LIMIT_MIN_MOST:
        raise BoxError("SYS-085", f"a restart cannot wait for {asked.limit_min} minutes", f"Allowed are 0 to {RESTART_LIMIT_MIN_MOST}")
    restart.ask(box, places_of(box), asked)


def cancel_restart(box: Box, asked: CancelRestart, tell: Tell) -> None:
    restart.cancel(box, places_of(box), asked.by)


def go_back(box: Box, asked: GoBack, tell: Tell) -> None:
    places = places_of(box)
    other = rauc.state(places.rauc).other
    if not other.good:
        raise BoxError("SYS-081", f"the version in slot {other.name} is not whole, or did not prove itself", "Install one, then restart")
    rauc.mark(places.rauc, "active", "other")
    kept.allow(places.store)
    state.change(places, lambda was: msgspec.structs.replace(was, trial=None, switches=0))
    state.note(places, Event.BACK_ASKED, box.clock.now(), by=asked.by, version=other.version, slot=other.name)


def stay(box: Box, asked: StayHere, tell: Tell) -> None:
    places = places_of(box)
    rauc.mark(places.rauc, "good", "booted")
    rauc.mark(places.rauc, "active", "booted")
    kept.settle(places.store)
    state.change(places, lambda was: msgspec.structs.replace(was, trial=None))
    slot = rauc.state(places.rauc).booted.name
    state.note(places, Event.STAY_ASKED, box.clock.now(), by=asked.by, version=bundles.version_here(places), slot=slot)


def settle_left(box: Box, asked: SettleLeft, tell: Tell) -> None:
    places = places_of(box)
    if not mark_seen(places.store, asked.database):
        raise BoxError("SYS-086", f"there is no store {asked.database} put aside", "Look at the page anew")
    state.note(places, Event.LEFT_SETTLED, box.clock.now(), by=asked.by, version=asked.database)


ACTIONS: dict[type[SystemRequest], Action] = {
    AskUpdate: told,
    AskBundles: listed,
    CheckBundle: check,
    InstallUpdate: install,
    DiscardUpload: discard,
    RestartWhenQuiet: restart_box,
    CancelRestart: cancel_restart,
    GoBack: go_back,
    StayHere: stay,
    SettleLeft: settle_left,
}
REPLIES: tuple[type[Message], ...] = (UpdateTold, BundlesTold, BundleChecked)
