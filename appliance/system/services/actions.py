"""Which request of this subject is done by which function."""

from appliance.system.box import Action
from appliance.system.messages import SystemRequest
from appliance.system.services.accounts import reset_password
from appliance.system.services.bundle import make_bundle
from appliance.system.services.clock import set_time, told_time
from appliance.system.services.messages import (
    REPLIES,
    AskLogs,
    AskServices,
    AskTime,
    FactoryReset,
    KeepRunning,
    MakeSupportBundle,
    PrepareReset,
    ResetPassword,
    RestartBox,
    RestartService,
    SetTime,
)
from appliance.system.services.power import keep_running, restart_box
from appliance.system.services.reset import factory_reset, prepare
from appliance.system.services.units import logs, restart, services

__all__ = ["ACTIONS", "REPLIES"]

ACTIONS: dict[type[SystemRequest], Action] = {
    AskServices: services,
    RestartService: restart,
    AskLogs: logs,
    AskTime: told_time,
    SetTime: set_time,
    RestartBox: restart_box,
    KeepRunning: keep_running,
    ResetPassword: reset_password,
    PrepareReset: prepare,
    FactoryReset: factory_reset,
    MakeSupportBundle: make_bundle,
}
