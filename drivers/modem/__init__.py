"""A GSM modem on a serial line that sends and takes text messages (SMS): codec, AT dialogue, the modem's own state.

`gsm7`, `numbers`, `body`, `pdu`, `faults` are pure; `lines` cuts and sorts what the modem says, pure too; `link` is the serial line with
its reader thread; `modem` what is asked of a modem, used by one thread; `pin` guards the SIM's tries; `finding` looks for the device.
"""
