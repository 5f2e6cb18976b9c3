"""One call: its legs, its verbs, its tag. `Call` is what scripts and the switchboard use."""

from appliance.call.call import Call, Script
from appliance.call.core import Surroundings

__all__ = ["Call", "Script", "Surroundings"]
