"""Builds `drivers.dahdi._dahdi`: records and request numbers of the kernel interface, taken from kernel.h by
cffi (API mode).

Run as `python -m drivers.dahdi.build`; needs a C compiler and nothing of DAHDI. The declarations given to
cffi are read out of kernel.h itself, so that each is written once.
"""

import re
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]


def declarations(header: str) -> str:
    """What cffi is to know of the header: every struct, and every request number as a constant of the
    compiler's value."""
    code = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    structs = re.findall(r"^struct \w+ \{.*?^\}[^;]*;", code, flags=re.DOTALL | re.MULTILINE)
    constants = re.findall(r"^#define (DAHDI_\w+) ", code, flags=re.MULTILINE)
    return "\n".join([*map(_open_struct, structs), *(f"#define {name} ..." for name in constants)])


def _open_struct(declaration: str) -> str:
    # "..." leaves offsets and size to the compiler.
    return re.sub(r"\}[^;]*;$", "    ...;\n};", declaration)


def make_builder() -> FFI:
    """The configured cffi builder."""
    header = (HERE / "kernel.h").read_text()
    builder = FFI()
    builder.cdef(declarations(header))
    builder.cdef("int careline_ioctl(int fd, unsigned long request, void *argument);")
    builder.set_source(
        "drivers.dahdi._dahdi",
        """
        #include <errno.h>
        #include "kernel.h"
        /* 0 or the errno, so that nothing is lost between the call and Python. */
        static int careline_ioctl(int fd, unsigned long request, void *argument)
        {
            return ioctl(fd, request, argument) < 0 ? errno : 0;
        }
        """,
        include_dirs=[str(HERE)],
        depends=[str(HERE / "kernel.h")],
        extra_compile_args=["-Wall", "-Wextra", "-Werror", "-O2"],
    )
    return builder


ffibuilder = make_builder()

if __name__ == "__main__":
    ffibuilder.compile(tmpdir=str(CHECKOUT), verbose=False)
