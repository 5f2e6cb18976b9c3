"""The network as one thing: what is kept, what is tried, what the kernel has; the only place that changes any of it.

One NetworkDesk in careline-system. Its public functions may be called by any thread; a lock lets one change at a time happen, and every
wait under it has a limit. `step` is called often by the background (watch.py).
"""

import contextlib
import hmac
import ipaddress
import logging
import secrets
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

from appliance.system.errors import BoxError
from appliance.system.network import addresses, checks, kernel, names, taken, wanted
from appliance.system.network.dhcp import DhcpClients
from appliance.system.network.firewall import Firewall
from appliance.system.network.messages import (
    LeaseTold,
    NetworkChecked,
    NetworkHistory,
    NetworkTrying,
    OutcomeTold,
    SettleNetwork,
    TrialTold,
)
from appliance.system.network.model import Ipv4, NetworkFault, Role, Settings
from appliance.system.network.places import NetworkConfig, Places
from appliance.system.network.ports import PORTS, ListedPort
from appliance.system.network.settings_file import LONG_AGO, SettingsFile, Trying, Version, diff
from drivers.clock import Clock
from drivers.errors import CarelineError

SOON_S = 1.5
LOCK_LIMIT_S = 30.0
AGAIN_S = 10.0
"""What could not be put in place is tried again after that."""
CODE_UNCONFIRMED, CODE_RESTARTED = "SYS-068", "SYS-069"

log = logging.getLogger("careline.network")


class Trial:
    """A change being tried. Times by the monotonic clock: nobody who sets the clock makes it last."""

    def __init__(self, trying: Trying, apply_at_s: float, until_s: float, told_until: datetime) -> None:
        self.trying, self.apply_at_s, self.until_s, self.told_until = trying, apply_at_s, until_s, told_until
        self.key = secrets.token_urlsafe(16)
        self.applied = False


class NetworkDesk:
    """`begin` once, before anything else."""

    def __init__(self, config: NetworkConfig, places: Places, clock: Clock, listed: tuple[ListedPort, ...] = PORTS) -> None:
        self._config, self._places, self._clock = config, places, clock
        self._file = SettingsFile(places)
        self._clients = DhcpClients(places.leases, config.dhcp_client)
        self.firewall = Firewall(config.nft, listed)
        self._lock = threading.Lock()
        self._kept = Version()
        self._trial: Trial | None = None
        self._last_number = 0
        self._outcome: OutcomeTold | None = None
        self._faults: tuple[NetworkFault, ...] = ()
        self._again_at_s: float | None = None
        self._leases_at = 0

    # --- told -------------------------------------------------------------------------------------------------------------

    @property
    def managed(self) -> bool:
        return self._config.manage

    @property
    def kept(self) -> Version:
        return self._kept

    @property
    def outcome(self) -> OutcomeTold | None:
        return self._outcome

    @property
    def faults(self) -> tuple[NetworkFault, ...]:
        """What could not be put in place."""
        return self._faults

    def in_use(self) -> Settings:
        trial = self._trial
        return trial.trying.settings if trial and trial.applied else self._kept.settings

    def leases(self, settings: Settings) -> dict[str, LeaseTold]:
        leased = [name for name, each in settings.attachments() if each.ipv4 is Ipv4.DHCP]
        return self._clients.leases(leased, self._clock.now())

    def trial(self) -> TrialTold | None:
        trial = self._trial
        if trial is None:
            return None
        trying = trial.trying
        return TrialTold(
            number=trying.number,
            by=trying.by,
            began_at=trying.at,
            until=trial.told_until,
            applied=trial.applied,
            addresses=self._reached_at(trying.settings),
            diff=diff(self._kept.settings, trying.settings),
        )

    def _reached_at(self, settings: Settings) -> tuple[str, ...]:
        """Where people find the box with these settings: management first, leases and addresses by hand."""
        leases = self.leases(settings)
        found: list[tuple[bool, str]] = []
        for name, each in settings.attachments():
            leased = [leases[name].address] if name in leases else []
            for text in (*leased, *map(str, addresses.own_all(each))):
                found.append((Role.MANAGEMENT not in each.roles, text.partition("/")[0]))
        return tuple(text for _, text in sorted(found, key=lambda one: one[0]))

    def name_servers(self) -> tuple[str, ...]:
        settings = self.in_use()
        return wanted.name_servers(settings, self.leases(settings))

    def own_and_routers(self) -> set[str]:
        """Addresses of the box and of its next routers, which may stand for many people. Raises: BoxError SYS-057."""
        own = {each.text.partition("/")[0] for link in kernel.links() for each in link.addresses}
        return own | {route.via for route in kernel.routes()}

    def check(self, settings: Settings, probe: bool) -> NetworkChecked:
        """Nothing changes. Raises: BoxError SYS-057 when the cards cannot be looked at."""
        cards = kernel.links()
        found = wanted.devices(settings, cards)
        faults = checks.faults(settings, found)
        if probe and not any(fault.refuses for fault in faults):
            faults += self._taken(settings, found, cards)
        return NetworkChecked(diff=diff(self._kept.settings, settings), faults=faults)

    def _taken(self, settings: Settings, found: dict[str, str], cards: tuple[kernel.KernelLink, ...]) -> tuple[NetworkFault, ...]:
        ours = {each.text.partition("/")[0] for card in cards for each in card.addresses if not each.taken}
        up = {card.device for card in cards if card.carrier}
        asked: dict[str, dict[str, str]] = {}
        for name, each in settings.attachments():
            for own in addresses.own_all(each):
                if found.get(name) in up and str(own.ip) not in ours:
                    asked.setdefault(found[name], {})[str(own.ip)] = f"{name}.addresses"
        answers = taken.on_links(asked, self._config.probe_ms / 1000)
        places = {address: place for each in asked.values() for address, place in each.items()}
        return tuple(
            NetworkFault(
                code="SYS-056",
                place=places[address],
                what=f"{address} is taken by {mac}",
                remedy="Take another, or switch the other device off",
            )
            for address, mac in answers.items()
        )

    def history(self, most: int) -> NetworkHistory:
        return NetworkHistory(versions=self._file.history(max(1, min(most, 100)), self._kept.number))

    # --- from start to stop ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """What was kept is put in use. A change that was being tried when the box service, or the box, stopped is none."""
        with self._one_at_a_time():
            kept = self._file.kept()
            self._kept = kept or Version(settings=wanted.delivered(kernel.links()))
            if not self.managed:
                return
            self._clients.end_strangers()
            self._put_in_use(self._kept.settings)
            trying = self._file.trying()
            if trying is not None:
                self._tell_interrupted(trying)
                self._file.forget_trying()
            if kept is None and self._kept.settings.interfaces:
                self._keep_delivered()

    def _keep_delivered(self) -> None:
        """So that they stay the same; a disk that takes nothing keeps no box from its network."""
        try:
            self._file.keep(_as_delivered(self._kept, self._clock.now()))
        except BoxError as error:
            log.error("%s", error)

    def _tell_interrupted(self, trying: Trying) -> None:
        self._last_number = trying.number
        if trying.settings == self._kept.settings:
            return  # cut after it was kept
        what = "the box service began anew while a change was being tried"
        self._ended(trying, False, "", CODE_RESTARTED, what, "Try it again, and confirm it when all is well")

    def stop(self) -> None:
        """The network stays as it is; only the DHCP clients end, addresses hold as long as they were leased."""
        with self._one_at_a_time():
            self._clients.stop()

    def is_due(self) -> bool:
        """Whether `step` would do something; cheap."""
        now_s, trial = self._clock.monotonic_s(), self._trial
        if trial is not None and (now_s >= trial.until_s or (not trial.applied and now_s >= trial.apply_at_s)):
            return True
        again = self._again_at_s is not None and now_s >= self._again_at_s
        return again or self._clients.changed_at() != self._leases_at or self._clients.ended()

    def step(self) -> None:
        """Whatever is due: the change that was to come soon, the return, a new lease, a card that came or went."""
        if not self.managed:
            return
        with self._one_at_a_time():
            now_s, trial = self._clock.monotonic_s(), self._trial
            if trial is not None and now_s >= trial.until_s:
                what = f"nobody confirmed the change within {self._config.confirm_s} s"
                self._take_back("", CODE_UNCONFIRMED, what, "Try it again, and confirm it over the new address")
            elif trial is not None and not trial.applied and now_s >= trial.apply_at_s:
                with contextlib.suppress(CarelineError):  # told as the trial's outcome
                    self._apply_trial(trial)
            else:
                self._put_in_use(self.in_use())

    # --- changes --------------------------------------------------------------------------------------------------------

    def attempt(self, settings: Settings, by: str, soon: bool) -> NetworkTrying:
        """Raises: BoxError: the first fault that refuses; SYS-057, 058, 064, 067 when it could not be put in use and is taken back;
        SYS-061 another is being tried, SYS-063 not ours, SYS-066 nothing would change."""
        with self._one_at_a_time():
            self._check_may_try(settings)
            trial = self._new_trial(settings, by, SOON_S if soon else 0.0)
            self._file.write_trying(trial.trying)
            self._trial = trial
            log.warning("%s tries change %d of the network", by or "somebody", trial.trying.number)
            if not soon:
                self._apply_trial(trial)
        told = self.trial()
        assert told is not None
        return NetworkTrying(trial=told, key=trial.key)

    def _check_may_try(self, settings: Settings) -> None:
        if not self.managed:
            raise BoxError("SYS-063", "this machine's network is not looked after by Careline", "Set [network] manage in careline.toml")
        if self._trial is not None:
            what = f"{self._trial.trying.by} is trying another change"
            raise BoxError("SYS-061", what, "Keep or undo that one first, or wait a minute")
        checked = self.check(settings, probe=True)
        if not checked.diff:
            raise BoxError("SYS-066", "nothing would change", "Change something first")
        for fault in checked.faults:
            if fault.refuses:
                raise BoxError(fault.code, f"{fault.place}: {fault.what}", fault.remedy)

    def _new_trial(self, settings: Settings, by: str, wait_s: float) -> Trial:
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        self._last_number = max(self._last_number + 1, int(now.timestamp()))
        trying = Trying(number=self._last_number, by=by, at=now, settings=settings)
        lasts_s = wait_s + self._config.confirm_s
        return Trial(trying, now_s + wait_s, now_s + lasts_s, now + timedelta(seconds=lasts_s))

    def _apply_trial(self, trial: Trial) -> None:
        """Raises: BoxError; everything is as before then."""
        try:
            self._put_all(trial.trying.settings)
        except BoxError as error:
            self._take_back("", error.code, error.what, error.remedy)
            raise
        trial.until_s = self._clock.monotonic_s() + self._config.confirm_s
        trial.told_until = self._clock.now() + timedelta(seconds=self._config.confirm_s)
        trial.applied = True

    def settle(self, request: SettleNetwork) -> None:
        """Raises: BoxError SYS-059 nothing of that number is tried, SYS-060 it does not come over what is tried, SYS-067."""
        with self._one_at_a_time():
            trial = self._trial
            if trial is None or trial.trying.number != request.number or not _has_key(trial, request):
                raise BoxError("SYS-059", "no such change is being tried", "It is kept or undone already; see the history")
            if not request.keep:
                self._take_back(request.by or trial.trying.by)
                return
            if not trial.applied or not self._comes_over(request.arrived_at):
                remedy = "Open the page at an address of the new settings and confirm there, or on the serial console"
                raise BoxError("SYS-060", "the confirmation did not come over the new settings", remedy)
            self._keep(trial, request.by or trial.trying.by)

    @staticmethod
    def _comes_over(arrived_at: str) -> bool:
        """Whether who came to this address shows that the box is reached. From the box itself ("", loopback) it is as on the console."""
        if not arrived_at:
            return True
        try:
            plain = addresses.plain(arrived_at)
        except ValueError:
            return False
        own = {each.text.partition("/")[0] for link in kernel.links() if link.up for each in link.addresses}
        return ipaddress.ip_address(plain).is_loopback or plain in own

    def _keep(self, trial: Trial, by: str) -> None:
        self._file.keep(Version(number=self._kept.number + 1, by=by, at=self._clock.now(), settings=trial.trying.settings))
        self._kept = self._file.kept() or self._kept
        self._file.forget_trying()
        self._trial = None
        self._ended(trial.trying, True, by)

    def _take_back(self, by: str, code: str = "", what: str = "", remedy: str = "") -> None:
        """The settings kept are in use again; then what was tried is forgotten, so that a crash between is no loss."""
        trial = self._trial
        assert trial is not None
        self._trial = None
        self._put_in_use(self._kept.settings)
        self._file.forget_trying()
        self._ended(trial.trying, False, by, code, what, remedy)

    def _ended(self, trying: Trying, kept: bool, by: str, code: str = "", what: str = "", remedy: str = "") -> None:
        now = self._clock.now()
        self._outcome = OutcomeTold(number=trying.number, at=now, by=by or trying.by, kept=kept, code=code, what=what, remedy=remedy)
        log.warning("change %d of the network is %s %s", trying.number, "kept" if kept else "undone", f"({code}: {what})" if code else "")

    def before(self, number: int) -> Settings:
        """The settings that change `number` of the history replaced. Raises: BoxError SYS-062."""
        return self._file.version(number - 1).settings

    # --- what is in use ---------------------------------------------------------------------------------------------------

    def _put_in_use(self, settings: Settings) -> None:
        """As far as it goes: what fails is told, logged, and tried again."""
        try:
            self._put_all(settings)
        except BoxError as error:
            if error.code not in [fault.code for fault in self._faults]:
                log.error("%s", error)
            self._faults = (NetworkFault(code=error.code, place="network", what=error.what, remedy=error.remedy),)
            self._again_at_s = self._clock.monotonic_s() + AGAIN_S
        else:
            self._faults, self._again_at_s = (), None

    def _put_all(self, settings: Settings) -> None:
        """Firewall before addresses, so that nothing is open for a moment; the rest even if the firewall fails, so that nobody is locked
        out. Raises: the first BoxError."""
        cards = kernel.links()
        found = wanted.devices(settings, cards)
        asking = {name: found[name] for name, each in settings.attachments() if each.ipv4 is Ipv4.DHCP and name in found}
        failed: list[BoxError] = []
        with _collected(failed):
            self.firewall.put_in_place(settings, found)
        self._leases_at = self._clients.changed_at()
        leases = self.leases(settings)
        with _collected(failed):
            kernel.apply(wanted.wanted(settings, cards, leases, self._clock.now()))
        with _collected(failed):
            self._clients.run(asking, settings.host_name)
        self._clients.forget(name for name, each in settings.attachments() if each.ipv4 is Ipv4.DHCP)
        with _collected(failed):
            names.set_host_name(settings.host_name)
            names.write_resolv_conf(
                self._places.resolv_conf, wanted.name_servers(settings, leases), wanted.search_domains(settings, leases)
            )
            names.write_time_sources(self._places.time_sources, settings.ntp, self._config.chronyc)
        for error in failed:
            raise error

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=LOCK_LIMIT_S):
            raise BoxError("SYS-061", "another change of the network is going on", "Wait a minute and try again")
        try:
            yield
        finally:
            self._lock.release()


def _has_key(trial: Trial, request: SettleNetwork) -> bool:
    """Who is signed in needs none; who is not must have the one given to who began."""
    return bool(request.by) if not request.key else hmac.compare_digest(trial.key.encode(), request.key.encode())


def _as_delivered(delivered: Version, now: datetime) -> Version:
    """As delivered, from now on: a card that comes later does not change the names of those there."""
    return Version(number=delivered.number, by=delivered.by, at=max(now, LONG_AGO), settings=delivered.settings)


@contextlib.contextmanager
def _collected(failed: list[BoxError]) -> Iterator[None]:
    try:
        yield
    except BoxError as error:
        failed.append(error)
