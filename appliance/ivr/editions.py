"""The flows that calls walk, edition by edition: the program's own until the store says otherwise. Runs in the call agent's event loop;
texts are read in a thread.
"""

import asyncio
import logging

from appliance.errors import FlowError
from appliance.ivr import publishing
from appliance.ivr.checking import PromptIds, faults
from appliance.ivr.fault import FlowFault
from appliance.ivr.flow import FlowSet
from appliance.ivr.prompts.catalogue import LANGS
from appliance.ivr.reading import built_in
from appliance.store.writer import Store
from drivers.clock import Clock
from drivers.errors import CarelineError

KEPT = 20
OWN = 0

log = logging.getLogger("careline.flows")


class Editions:
    """`current`: what new calls walk. `fault`: why that is not what was published last."""

    def __init__(self, store: Store, clock: Clock, prompt_ids: PromptIds, own: FlowSet | None = None) -> None:
        """`own`: instead of the flows that come with the program."""
        self._store = store
        self._clock = clock
        self._prompt_ids = prompt_ids
        self._own = own or built_in()
        self.current: FlowSet = self._own
        self._known: dict[int, FlowSet] = {OWN: self._own}
        self.fault: CarelineError | None = None

    async def begin(self) -> None:
        """What was published last, as soon as the store works; until then the program's own, so that callers are answered."""
        while True:
            try:
                return await self.use_newest()
            except FlowError as error:
                log.error("%s", error)
                return None
            except CarelineError as error:
                log.error("flows in the store are not known yet: %s", error)
                await self._store.mended()
                await asyncio.sleep(1.0)

    async def use_newest(self) -> None:
        """New calls walk what was published last.

        Raises: StoreError; FlowError APP-148 when it cannot be walked: all stays as it is.
        """
        number = await self._store.read(publishing.newest_edition)
        try:
            flows = await self._edition(number)
            await self._must_be_good(flows)
            self.current, self.fault = flows, None
        except CarelineError as error:
            self.fault = error
            raise

    async def of(self, edition: int) -> FlowSet:
        """Those of that edition; the current ones when it cannot be had any more."""
        try:
            return await self._edition(edition)
        except CarelineError as error:
            log.error("a call that began on edition %d goes on with %d: %s", edition, self.current.edition, error)
            return self.current

    async def _must_be_good(self, flows: FlowSet) -> None:
        """What was published was checked, but by the actions and prompts there were then."""
        with self._clock.external_work():
            wrong = await asyncio.to_thread(lambda: faults(flows, self._prompt_ids, LANGS))
        if wrong:
            raise _unusable(flows.edition, wrong[0])

    async def _edition(self, number: int) -> FlowSet:
        if number not in self._known:
            self._known[number] = await self._load(number)
            for oldest in sorted(self._known)[1:-KEPT]:
                del self._known[oldest]
        return self._known[number]

    async def _load(self, number: int) -> FlowSet:
        texts = await self._store.read(lambda: publishing.texts_of_edition(number))
        if texts is None:
            raise FlowError("APP-147", f"there is no edition {number} of the flows", "Publish the flows again")
        with self._clock.external_work():
            flows, wrong = await asyncio.to_thread(lambda: publishing.build(texts, number, self._own))
        if wrong:
            raise _unusable(number, wrong[0])
        return flows


def _unusable(edition: int, first: FlowFault) -> FlowError:
    error = first.error()
    return FlowError("APP-148", f"edition {edition} of the flows cannot be used: {error.what}", error.remedy)
