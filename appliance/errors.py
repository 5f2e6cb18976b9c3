"""Faults of the call agent. Expected outcomes (busy, no answer, silence) are values, in appliance/call/outcome.py.

Codes: APP-001..019 calls and flows, APP-020..029 the connection to the line server, APP-030..039 the control
socket, APP-040..049 start-up and the command line, APP-05x health, APP-06x prompts, APP-071 bench, APP-08x and
09x what `careline doctor` finds, APP-110 asking during a talk, APP-111..119 music on hold, APP-120 `careline check`,
APP-121 the file of `careline demo`.
APP-130..149 flows: 130 and 131 their text, 132 exits and names, 133 keys, 134 prompts, 135 and 136 places and ways, 137 the key 0,
138 variables and values, 139 actions, 140 sub-flows, 141 services, 142 and 143 at run time, 145..149 versions, putting a caller back.
APP-180..182 the box's own voice, APP-190..196 versions of prompts.
"""

from drivers.errors import CarelineError


class CallError(CarelineError):
    """A call that cannot go on as its script says."""


class FlowError(CarelineError):
    """A flow that could leave a caller nowhere."""


class LinesError(CarelineError):
    """No connection to the line server."""


class MusicError(CarelineError):
    """Music on hold that cannot be had."""


class StartError(CarelineError):
    """The call agent cannot start."""
