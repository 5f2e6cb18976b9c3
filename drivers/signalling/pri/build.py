"""Compiles libpri into `drivers.signalling.pri._pri`: `python drivers/signalling/pri/build.py`. Needs gcc and libpri-dev.

libpri is linked statically, so that its clock can be replaced by ours (stack.c). The declarations given to cffi are stack.h itself
and what is used of libpri.h, each function once.
"""

import re
import subprocess
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wno-unused-parameter"]
LIBPRI = """
int pri_set_timer(struct pri *pri, int timer, int value);
int pri_timer2idx(const char *name);
int pri_set_service_message_support(struct pri *pri, int on);
void pri_set_overlapdial(struct pri *pri, int on);
void pri_hangup_fix_enable(struct pri *pri, int on);
void pri_set_inbanddisconnect(struct pri *pri, unsigned int on);
void pri_facility_enable(struct pri *pri);
void pri_set_debug(struct pri *pri, int bits);
struct q931_call *pri_new_call(struct pri *pri);
int pri_acknowledge(struct pri *pri, struct q931_call *call, int channel, int inband);
int pri_proceeding(struct pri *pri, struct q931_call *call, int channel, int inband);
int pri_progress(struct pri *pri, struct q931_call *call, int channel, int inband);
int pri_setup_ack(struct pri *pri, struct q931_call *call, int channel, int not_isdn, int inband);
int pri_answer(struct pri *pri, struct q931_call *call, int channel, int not_isdn);
int pri_information(struct pri *pri, struct q931_call *call, char digit);
int pri_hangup(struct pri *pri, struct q931_call *call, int cause);
void pri_destroycall(struct pri *pri, struct q931_call *call);
int pri_reset(struct pri *pri, int channel);
int pri_maintenance_service(struct pri *pri, int span, int channel, int status);
int pri_channel_bridge(struct q931_call *call, struct q931_call *other);
int pri_get_crv(struct pri *pri, struct q931_call *call, int *mode);
"""
CONSTANTS = re.compile(r"^#define (PRI_(?:EVENT|SWITCH|PROG|LAYER_1|PRES|TON|NPI|DEBUG)_\w+|PRI_NETWORK|PRI_CPE)\s+\S", re.MULTILINE)


def archive() -> str:
    """Where the compiler finds libpri.a. Raises: SystemExit."""
    found = subprocess.run(["gcc", "-print-file-name=libpri.a"], capture_output=True, text=True, check=True).stdout.strip()
    if not Path(found).is_absolute():
        raise SystemExit("libpri.a is not there: install libpri-dev")
    return found


def constants() -> str:
    """The numbers of libpri.h as cffi takes them: the compiler's values."""
    code = "#include <libpri.h>\n"
    header = subprocess.run(["gcc", "-E", "-dD", "-xc", "-"], input=code, capture_output=True, text=True, check=True).stdout
    return "\n".join(f"#define {name} ..." for name in dict.fromkeys(CONSTANTS.findall(header)))


def declarations(header: str) -> str:
    """stack.h without comments and preprocessor but for plain numbers."""
    bare = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    return "\n".join(line for line in bare.splitlines() if not line.startswith("#") or re.fullmatch(r"#define \w+ +\d+", line))


def make_builder() -> FFI:
    """The configured cffi builder."""
    builder = FFI()
    builder.cdef(declarations((HERE / "stack.h").read_text()) + constants() + LIBPRI)
    builder.set_source(
        "drivers.signalling.pri._pri",
        '#include <libpri.h>\n#include "stack.h"\n',
        sources=[str((HERE / "stack.c").relative_to(CHECKOUT))],
        include_dirs=[str(HERE)],
        depends=[str(HERE / "stack.h")],
        extra_compile_args=FLAGS,
        extra_link_args=[archive(), "-Wl,--wrap=gettimeofday", "-Wl,--exclude-libs,ALL"],
    )
    return builder


if __name__ == "__main__":
    make_builder().compile(tmpdir=str(CHECKOUT), verbose=False)
