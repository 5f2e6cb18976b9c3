"""Which request about backups is answered by which function of answering.py. That is imported with the first of them: with its ciphers and
the store it takes 20 MB, and every client imports this table.
"""

from importlib import import_module

from appliance.system.backup import messages
from appliance.system.box import Action, Box, Tell
from appliance.system.messages import SystemRequest
from drivers.protocol import Message

__all__ = ["ACTIONS", "REPLIES"]


def _answered_by(name: str, module: str = "answering") -> Action:
    def action(box: Box, request: SystemRequest, tell: Tell) -> Message | None:
        answer: Message | None = getattr(import_module(f"appliance.system.backup.{module}"), name)(box, request, tell)
        return answer

    return action


ACTIONS: dict[type[SystemRequest], Action] = {
    messages.AskBackupState: _answered_by("state", "telling"),
    messages.AskBackups: _answered_by("backups"),
    messages.AskBackupSettings: _answered_by("told_settings"),
    messages.AskUsbDisks: _answered_by("usb_disks"),
    messages.AskBackupWords: _answered_by("told_words"),
    messages.NewBackupWords: _answered_by("new_words"),
    messages.MakeBackup: _answered_by("make"),
    messages.VerifyBackup: _answered_by("check"),
    messages.RestoreBackup: _answered_by("restore"),
    messages.RestoreRecordings: _answered_by("recordings"),
    messages.ConfirmRestore: _answered_by("confirm"),
    messages.UndoRestore: _answered_by("undo"),
    messages.CancelBackupJob: _answered_by("cancel"),
    messages.FetchBackup: _answered_by("fetch"),
    messages.RemoveBackup: _answered_by("remove"),
    messages.SetBackupSettings: _answered_by("set_settings"),
    messages.UndoBackupSettings: _answered_by("undo_settings"),
    messages.SetTargetPassword: _answered_by("set_password"),
    messages.ProbeTarget: _answered_by("probe"),
    messages.AskHostKey: _answered_by("host_key"),
    messages.EjectDisk: _answered_by("eject"),
}
REPLIES = messages.REPLIES
