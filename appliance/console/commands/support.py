"""The support bundle."""

from appliance.console.command import Command, Given, Report
from appliance.console.table import facts
from appliance.console.work import Work, bytes_told
from appliance.store.rights import Right
from appliance.system.services.messages import MakeSupportBundle, SupportBundle


def bundle(work: Work, given: Given) -> Report:
    made = work.long(MakeSupportBundle(by=work.by), SupportBundle)
    assert made is not None
    pairs = [
        (work.say("support.path"), made.path),
        (work.say("support.size"), bytes_told(made.size_bytes)),
        (work.say("support.files"), len(made.files)),
        (work.say("support.masked"), made.masked),
    ]
    return Report(facts(pairs, work.columns), made)


COMMANDS = (Command(name="support bundle", zh="支持 打包", right=Right.LOOK_AFTER_BOX, act=bundle),)
