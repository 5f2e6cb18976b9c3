"""IPRoute of pyroute2 without the rest of it: the package `pyroute2` loads all that speaks netlink, 10 MB, and this needs a fifth."""

import sys
from importlib.util import find_spec, module_from_spec

_WHOLE = "pyroute2"
_spec = find_spec(_WHOLE)
if _spec is not None and _WHOLE not in sys.modules:
    sys.modules[_WHOLE] = module_from_spec(_spec)  # knows where its parts are, and has loaded none
    from pyroute2.iproute import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    del sys.modules[_WHOLE]  # who wants the whole of it gets it
else:
    from pyroute2.iproute import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

__all__ = ["IPRoute", "NetlinkError"]
