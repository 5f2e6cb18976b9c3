"""Compiles the media core: `python drivers/media/build.py`. Does nothing when nothing has changed.

Our C is compiled with all warnings as errors; cffi's generated wrapper, which is not ours, without. The extension is placed
next to this file. `--program FILE.c` builds a test program with sanitizers instead (see `build_program`).
Needs gcc, libspandsp-dev, libtiff-dev (spandsp's headers want it) and libtonezone-dev.
"""

import argparse
import fcntl
import hashlib
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
OBJECTS = HERE.parents[1] / "build" / "media"
SOURCES = sorted(path for path in HERE.glob("*.c") if path.name != "_media.c")
HEADERS = sorted(HERE.glob("*.h"))
LIBRARIES = ["spandsp", "tonezone", "m", "pthread"]
FLAGS = [
    "-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing", "-fcx-limited-range",
    "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wpointer-arith",
    "-Wcast-qual", "-Wformat=2", "-Wvla", "-Wno-unused-result",
]  # fmt: skip


def declarations(header: str) -> str:
    """The header as cffi's parser takes it: no comments, no preprocessor but plain numbers."""
    bare = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    lines = [line.rstrip() for line in bare.splitlines()]
    return "\n".join(line for line in lines if not line.startswith("#") or re.fullmatch(r"#define \w+ +\d+", line))


def digest(paths: list[Path], *more: str) -> str:
    """One name for the content of files and whatever else decides the outcome."""
    state = hashlib.sha256("\0".join(more).encode())
    for path in paths:
        state.update(path.name.encode() + b"\0" + path.read_bytes())
    return state.hexdigest()


@contextmanager
def alone() -> Iterator[None]:
    """One build at a time: two at once would link each other's half-written objects."""
    OBJECTS.mkdir(parents=True, exist_ok=True)
    with (OBJECTS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def compile_objects(flags: list[str], folder: Path) -> list[Path]:
    """Compile what changed; the objects of all sources, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    objects, running = [], []
    for source in SOURCES:
        target = folder / (source.stem + ".o")
        stamp = folder / (source.stem + ".sha256")
        wanted = digest([source, *HEADERS], *flags)
        objects.append(target)
        if target.exists() and stamp.exists() and stamp.read_text() == wanted:
            continue
        command = ["gcc", *flags, "-I", str(HERE), "-c", str(source), "-o", str(target)]
        running.append((subprocess.Popen(command), stamp, wanted))
    for process, stamp, wanted in running:
        if process.wait():
            raise SystemExit(f"media core: {stamp.stem}.c does not compile (see above)")
        stamp.write_text(wanted)
    return objects


def build_extension() -> Path:
    """The extension module, compiled if anything it is made of has changed."""
    import cffi

    target = HERE / f"_media{sysconfig.get_config_var('EXT_SUFFIX')}"
    stamp = OBJECTS / "extension.sha256"
    wanted = digest([*SOURCES, *HEADERS, Path(__file__)], cffi.__version__, sys.version, *FLAGS)
    if target.exists() and stamp.exists() and stamp.read_text() == wanted:
        return target
    objects = compile_objects(FLAGS, OBJECTS)
    ffi = cffi.FFI()
    ffi.cdef(declarations((HERE / "media.h").read_text()))
    ffi.set_source(
        "_media",
        '#include "media.h"\n',
        include_dirs=[str(HERE)],
        libraries=LIBRARIES,
        extra_objects=[str(path) for path in objects],
        extra_compile_args=["-O2", "-Wno-unused"],
    )
    built = Path(ffi.compile(tmpdir=str(OBJECTS)))
    fresh = target.with_name(target.name + ".new")
    fresh.write_bytes(built.read_bytes())
    fresh.chmod(0o755)
    fresh.replace(target)
    stamp.write_text(wanted)
    return target


def build_program(main: Path, sanitize: str) -> Path:
    """A program of `main` and all sources with a sanitizer ("address,undefined" or "thread"), for tests."""
    flags = [*(flag for flag in FLAGS if flag != "-fPIC"), "-O1", f"-fsanitize={sanitize}", "-fno-omit-frame-pointer"]
    folder = OBJECTS / sanitize.replace(",", "-")
    target = folder / main.stem
    libraries = [f"-l{name}" for name in LIBRARIES]
    with alone():
        objects = compile_objects(flags, folder)
        command = ["gcc", *flags, "-I", str(HERE), str(main), *map(str, objects), "-o", str(target), *libraries]
        subprocess.run(command, check=True)
    return target


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, help="build this C program with the core instead")
    parser.add_argument("--sanitize", default="address,undefined", help="sanitizers for --program")
    arguments = parser.parse_args()
    if arguments.program:
        print(build_program(arguments.program, arguments.sanitize))
        return
    with alone():
        print(build_extension())


if __name__ == "__main__":
    main()
