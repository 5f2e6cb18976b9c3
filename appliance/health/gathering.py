"""All that is known, gathered into Facts: asked of the machine here, of everything else by threads of their own. In the main thread."""

from pathlib import Path

from appliance.config import Config
from appliance.control.messages import SelfCallEnd, SelfCallTold
from appliance.health import machine
from appliance.health.asking import BOX_EVERY_S, FIRST_SELF_CALL_S, WEB_EVERY_S, Asked, BoxProbe, SelfCaller, Told, WebProbe
from appliance.health.beside import CARDS_EVERY_S, CardsProbe
from appliance.health.config import web_address
from appliance.health.contacts import Contacts
from appliance.health.facts import Facts, Ups
from appliance.health.ups import EVERY_S as UPS_EVERY_S
from appliance.health.ups import UpsProbe
from appliance.health.watch import AgentWatch
from drivers.clock import Clock

SLOW_EVERY = 60  # looks between two at what changes slowly
STARTING_S = 30.0  # of the whole box: nobody must answer yet


class Gathering:
    """`start` once; `facts` at any time. Only what is set up is asked."""

    def __init__(self, config: Config, contacts: Contacts, clock: Clock) -> None:
        paths, health = config.paths, config.health
        self._config, self._clock, self._contacts = config, clock, contacts
        self._starting_until_s = clock.monotonic_s() + max(0.0, STARTING_S - machine.uptime_s())
        self._steps = machine.StepWatch(clock)
        self._agent = AgentWatch(paths.control_socket, clock)
        self._web: Asked[str] | None = Asked("web", WEB_EVERY_S, WebProbe(web_address(config.web))) if health.web else None
        self._box: Asked[Told] = Asked("box", BOX_EVERY_S, BoxProbe(paths.system_socket, clock))
        self._cards: Asked[dict[str, str] | None] = Asked("cards", CARDS_EVERY_S, CardsProbe(paths.system_socket), STARTING_S)
        self._ups: Asked[Ups] | None = Asked("ups", UPS_EVERY_S, UpsProbe(health.ups)) if health.ups.name else None
        self._self_call = self._self_caller()
        self._looks = 0
        self._certificates: dict[str, float] = {}
        self._synchronised: bool | None = None

    def _self_caller(self) -> Asked[SelfCallTold | None] | None:
        config = self._config.health.self_call
        if not config.every_min:
            return None
        caller = SelfCaller(self._config.paths.control_socket, config, self._calls, self._clock)
        return Asked(
            "self-call",
            config.every_min * 60.0,
            caller,
            FIRST_SELF_CALL_S,
            soon=lambda told: told is None or told.end is not SelfCallEnd.HEARD,
        )

    def _calls(self) -> int | None:
        lines = self._agent.lines()
        return lines.calls if lines else None

    def start(self) -> None:
        for each in (self._agent, self._web, self._box, self._cards, self._ups, self._self_call):
            if each is not None:
                each.start()

    def stop(self) -> None:
        for each in (self._agent, self._web, self._box, self._cards, self._ups, self._self_call):
            if each is not None:
                each.stop()

    def facts(self, store_fault: str, senders: dict[str, str], peripherals: dict[str, str] | None) -> Facts:
        self._look_slowly()
        box = self._box.latest or Told()
        return Facts(
            at=self._clock.now(),
            agent_quiet_s=None if self._box_is_starting() else self._agent.quiet_s,
            lines=self._agent.lines(),
            disk_free_percent=machine.disk_free_percent((Path(self._config.paths.data_dir),)),
            memory_free_percent=machine.memory_free_percent(),
            temperatures=machine.temperatures(),
            clock_synchronised=box.clock_synchronised if self._synchronised is None else self._synchronised,
            step_s=self._steps.look(),
            certificates=self._certificates,
            backup_age_h=box.backup_age_h,
            update=box.update,
            update_detail=box.update_detail,
            ups=self._ups.latest if self._ups else None,
            self_call=self._self_call.latest if self._self_call else None,
            web_fault=None if self._web is None or self._box_is_starting() else self._web.latest,
            store_fault="" if self._box_is_starting() else store_fault,
            contacts=self._contacts.look(),
            senders=senders,
            peripherals=None if self._box_is_starting() else peripherals,
            cards=None if self._box_is_starting() else self._cards.latest,
        )

    def _box_is_starting(self) -> bool:
        return self._clock.monotonic_s() < self._starting_until_s

    def _look_slowly(self) -> None:
        if self._looks % SLOW_EVERY == 0:
            files = {*self._config.health.certificates, str(self._config.web.get("tls_certificate", ""))} - {""}
            found = {file: machine.days_left(Path(file), self._clock.now()) for file in sorted(files)}
            self._certificates = {file: days for file, days in found.items() if days is not None}
            self._synchronised = machine.clock_is_synchronised()
        self._looks += 1


def _was_not_heard(told: SelfCallTold | None) -> bool:
    return told is None or told.end is not SelfCallEnd.HEARD
