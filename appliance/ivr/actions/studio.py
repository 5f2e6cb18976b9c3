"""Actions of the place where staff record prompts: whose code it is, the recording as a take to be heard, the take as a version.

The recording itself is made by the flow's record node. What a caller heard and did not keep is swept after an hour.
"""

import hashlib
from pathlib import Path
from typing import cast

from appliance.ivr.actions.action import Action, ActionCall, ActionResult
from appliance.ivr.prompts import kept, orders, recordings, shape, versions, wav
from appliance.ivr.prompts.catalogue import Lang, PromptError
from appliance.store.models import Recording
from appliance.store.voice_tables import PromptOrder


async def open_studio(call: ActionCall) -> ActionResult:
    """Which prompt a code is for."""
    now = call.means.now()
    order = await call.means.read(lambda: orders.by_code(call.text("code"), now))
    return ActionResult("open", {"order": order.id}) if order else ActionResult("wrong")


async def take(call: ActionCall) -> ActionResult:
    """The recording, without the key that ended it, as something that can be said. Bytes are as they came from the line."""
    recording = await call.means.read(lambda: Recording.get_or_none(Recording.recording_id == call.text("recording")))
    if recording is None:
        return ActionResult("lost")
    own, source = Path(call.means.paths.data_dir), call.means.paths.recordings_dir / recording.path
    name = kept.TAKE + hashlib.sha256(call.once_key.encode()).hexdigest()[:24]
    try:
        await call.means.in_thread(lambda: kept.keep_take(own, name, shape.without_end_key(recordings.alaw_of(source))))
    except PromptError:
        return ActionResult("lost")
    return ActionResult("taken", {"take": name})


async def keep_take(call: ActionCall) -> ActionResult:
    """A version of the prompt, which nobody hears yet. Kept again it is the same one; an order taken back meanwhile keeps nothing."""
    own, order_id = Path(call.means.paths.data_dir), call.number("order")
    try:
        alaw = await call.means.in_thread(lambda: wav.unwrap(kept.take_file(own, call.text("take"))))
    except PromptError:
        return ActionResult("not_kept")
    order = await call.means.read(lambda: PromptOrder.get_or_none(PromptOrder.id == order_id))
    if order is None or order.state != orders.WAITING:
        return ActionResult("kept" if order and order.state == orders.DONE else "not_kept")
    return ActionResult("kept" if await _kept(call, own, order, alaw) else "not_kept")


async def _kept(call: ActionCall, own: Path, order: PromptOrder, alaw: bytes) -> bool:
    """The file first, then its row: whoever dies between leaves a file that is swept. Raises: PromptError, StoreError."""
    now, lang = call.means.now(), cast(Lang, order.language)
    audio = await call.means.in_thread(lambda: kept.keep(own, order.prompt, lang, alaw))
    number = await call.means.transact(lambda: orders.done(order.id, audio, versions.TELEPHONE, now, note=call.ani))
    return number is not None


ACTIONS = (
    Action(
        name="open_studio",
        what="Whose recording code it is; gives {order}",
        exits={"open": ("order",), "wrong": ()},
        run=open_studio,
        inputs=("code",),
    ),
    Action(
        name="take",
        what="The recording to be heard: {prompt:take}",
        exits={"taken": ("take",), "lost": ()},
        run=take,
        inputs=("recording",),
    ),
    Action(
        name="keep_take",
        what="Keeps the recording as a version of its prompt",
        exits={"kept": (), "not_kept": ()},
        run=keep_take,
        inputs=("order", "take"),
    ),
)
