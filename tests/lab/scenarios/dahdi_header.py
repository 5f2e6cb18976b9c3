"""Our declarations of the kernel interface against the kernel's own header: every size and request number, by the compiler."""

import glob
import re
import subprocess
from pathlib import Path

import drivers.dahdi
from tests.lab.scenario import Report, scenario

OURS = Path(drivers.dahdi.__file__).with_name("kernel.h")


@scenario()
def sizes_and_numbers(report: Report) -> None:
    """Both headers are compiled on their own; what they print must be the same."""
    found = glob.glob("/usr/src/dahdi-[0-9]*/include/dahdi/user.h")
    assert found, "the package dahdi-dkms is not installed"
    text = OURS.read_text()
    structs = [name for name in re.findall(r"^struct (\w+) \{", text, re.MULTILINE) if name.startswith("dahdi_")]
    # The kernel calls ELAST what we call DAHDI_ELAST.
    numbers = [name for name in re.findall(r"^#define (DAHDI_\w+) ", text, re.MULTILINE) if name != "DAHDI_ELAST"]
    ours = _printed(OURS, structs, numbers, "/tmp/ours")
    kernels = _printed(Path(found[0]), structs, numbers, "/tmp/kernels", "-I", str(Path(found[0]).parents[1]))
    report.figure("structs", len(structs))
    report.figure("numbers", len(numbers))
    different = [f"{a} != {b}" for a, b in zip(ours, kernels, strict=True) if a != b]
    assert not different, different


def _printed(header: Path, structs: list[str], numbers: list[str], program: str, *options: str) -> list[str]:
    prints = [f'printf("sizeof {name} %zu\\n", sizeof(struct {name}));' for name in structs]
    prints += [f'printf("{name} %lx\\n", (unsigned long){name});' for name in numbers]
    source = f'#include <stdio.h>\n#include <stddef.h>\n#include "{header}"\nint main(void) {{ {" ".join(prints)} return 0; }}\n'
    Path(f"{program}.c").write_text(source)
    subprocess.run(["gcc", *options, "-o", program, f"{program}.c"], check=True, timeout=100)
    done = subprocess.run([program], capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.splitlines()
