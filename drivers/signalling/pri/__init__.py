"""ISDN primary rate: libpri behind the seam of `drivers.signalling`. See `span.PriSpan`; `config.PriConfig` is its configuration.

Nothing here opens a device or reads a clock; frames and time are handed in. Line server's event loop only.
"""
