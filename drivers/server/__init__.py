"""The line server, `careline-lines`: lines and media on one side, the call agent on the other. Run by `python -m drivers.server`."""

from drivers.server.line_server import LineServer

__all__ = ["LineServer"]
