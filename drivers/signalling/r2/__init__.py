"""MFC/R2 on E1 spans with channel associated signalling: line signals in ABCD bits, numbers in compelled two-tone signals. Pure.

What lives where: `line` the table of line signals, one visible table for both directions of a both-way trunk; `line_rows` what its rows
do; `machine` what walks it; `outgoing` and `incoming` the register signals of a call (the same way: a table, its rows beside it);
`variants` what each country means by each signal, as data; `settings` the `[[lines.r2]]` section. Nothing here knows a descriptor, a clock
or audio: the owner feeds BitsChanged, MfHeard and TimerFired and performs what comes back. Line server's event loop only.

Why this is not libopenr2 (1.3.3), which the design names: it owns the descriptor and its clock (ioctl, read and write are called inside,
and the static library cannot be relinked into ours because it is not position independent), so it runs neither on the virtual card nor on
the virtual clock; it wants to read every block of audio of every channel itself, in Python's process, while our audio never leaves the
media core; and its China variant stalls as the calling side, because after A6 it takes A1 for "next digit of the called number". Its test
program `r2test` is the far end of the lab instead, in both directions.

Source: ITU-T Q.400 to Q.490 (line signals Q.421, Q.422, register signals Q.440 to Q.442, Q.476 to Q.480); for China GF 002-9002
(signalling system No. 1).
"""

from drivers.signalling.r2.line import R2Line
from drivers.signalling.r2.settings import R2Span, R2Timers, span_of
from drivers.signalling.r2.variants import VARIANTS, Variant

__all__ = ["VARIANTS", "R2Line", "R2Span", "R2Timers", "Variant", "span_of"]
