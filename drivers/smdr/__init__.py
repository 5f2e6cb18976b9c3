"""Call records of another switch (SMDR, CDR): lines on a serial line or a TCP connection, and what stands in their columns.

`table` and `models` say how a line is read, `replay` which lines are told twice; all three pure. `source` brings the lines.
"""
