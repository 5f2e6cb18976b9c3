"""`python -m tests.bench`: measures this machine and prints a table; `--json FILE` writes the figures down too."""

import argparse
import json
import sys
from pathlib import Path

from tests.bench import answer, barge_in, booking, digits, engine, hangup, hospital, hotline, isdn, lab, system

TITLES = {
    "engine_core_pct_240": "media core, 240 channels playing, detecting digits, recording stereo: % of one core",
    "tick_late_ms_p999": "start of a 20 ms tick, late by (p99.9), ms",
    "underruns": "frames a line needed and did not get",
    "late_ticks_hogged": "ticks over 20 ms late while a Python loop hogs the interpreter for 5 s",
    "underruns_hogged": "frames missed meanwhile",
    "barge_in_ms_p50": "start of the key's tone to the first sample without prompt, median, ms",
    "barge_in_ms_p99": "the same, p99, ms",
    "digits_wrong_clean": "keys lost, doubled or changed of 10 005 (50/50 ms, -3 to -30 dBm0, twist +-6 dB)",
    "digits_wrong_noise_20_db": "the same with noise 20 dB below the key",
    "digits_wrong_under_prompt": "the same with noise, from -26 dBm0 up, under a prompt returning 30 dB down",
    "false_digits_60_min": "keys heard in 60 minutes of made-up speech and music",
    "tone_hangup_ms_p99": "begin of busy or congestion tone (500, from -35 to -5 dBm0, 2 % off, any zone) to its detection, p99, ms",
    "tone_hangup_missed": "of these, not known within 2.5 s",
    "tone_false_2h": "tones of four countries heard in two hours of made-up speech and music",
    "calls_held": "calls up at once through line server and call agent",
    "lines_core_pct": "line server with these calls: % of one core",
    "calls_core_pct": "call agent with these calls: % of one core",
    "rss_lines_mb": "memory of the line server (resident), MB",
    "rss_calls_mb": "memory of the call agent (resident), MB",
    "system_underruns": "underruns of the line server during these calls",
    "system_tick_late_ms_p999": "its ticks late by (p99.9), ms",
    "setup_ms_p50": "primary rate: SETUP received to CONNECT sent, line server and call agent, median, ms",
    "setup_ms_p99": "the same, p99, ms",
    "cps20_calls_per_s": "new calls a second on primary rate, answered by the hotline, hung up after 2 s",
    "cps20_not_answered": "of these, not answered",
    "cps20_core_pct": "line server, call agent and the exchange at the far end with these calls: % of one core",
    "answer_to_audio_ms_p50": "line answered to the first sound of the greeting at the caller's ear, median, ms",
    "answer_to_audio_ms_p99": "the same, p99, ms",
    "patient_open_ms_p95": "200 000 patients, 2 million lines of history: found by card, numbers, name or telephone and opened, p95, ms",
    "drug_read_ms_p95": "20 000 drugs: from the number keyed to what is said first, p95, ms",
    "drug_heard_ms_p95": "20 000 drugs, by telephone: end of the last key to the first sound of the drug's text, p95, ms",
    "vip_ringing_ms_p95": "200 000 patients, a VIP's call dialled to the bell of the operator's set, p95, ms",
    "booking_tx_ms_p95": "a place paid from a card and booked, in the call agent's store: one transaction, p95, ms",
    "bookings_per_s": "such bookings a second, 30 callers at once, each keeping the place before",
    "native_bridge_cpu_pct": "lab guest, line server with 15 bridges in the kernel that carry sound: % of one core",
    "native_bridge_damaged_ms": "sound of these bridges, in both directions, that came otherwise than it was sent, ms",
    "handover_silent_ms_each": "silence when a bridge goes from the kernel into the media core or back, mean, ms",
    "lab_cpu_ms_per_call_s": "lab guest, 24 calls, both legs ours: ms of CPU per call-second",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="careline bench", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--channels", type=int, default=240)
    parser.add_argument("--seconds", type=float, default=30, help="how long each figure is measured")
    parser.add_argument("--soak", action="store_true", help="hold the calls for 10 minutes")
    parser.add_argument("--lab", action="store_true", help="the lab guest's figure too (needs `make lab` to have run once)")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> dict[str, float]:
    figures = engine.measure(options.channels, options.seconds)
    figures |= barge_in.measure()
    figures |= digits.measure()
    figures |= hangup.measure()
    figures |= isdn.measure(60)
    figures |= answer.measure()
    figures |= hospital.measure()
    figures |= hotline.measure()
    figures |= system.measure(options.channels, 600 if options.soak else options.seconds)
    figures |= booking.measure()
    if options.lab:
        figures |= lab.measure()
    return figures


def main() -> int:
    options = arguments()
    figures = measure(options)
    for name, value in figures.items():
        print(f"{value:10.2f}  {name:26} {TITLES.get(name, '')}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


sys.exit(main())
