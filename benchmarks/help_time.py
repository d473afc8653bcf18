"""Time `clinicadl --help` against `import clinicadl.train`, and print the ratio.

Each is run in a process of its own, in turns, after one run of each that fills the
disk's cache; the medians are compared. Exit code 1 above a tenth.

    python benchmarks/help_time.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

HELP = [sys.executable, "-m", "clinicadl_trust", "--help"]
HOST = [sys.executable, "-c", "import clinicadl.train"]
PYTHON = [sys.executable, "-c", "pass"]

#: The largest part of the host's import that the help may take.
LIMIT = 0.1


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    commands = {"help": HELP, "host": HOST, "python": PYTHON}
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            spent = seconds(command)
            if number:
                times[name].append(spent)
    median = {name: statistics.median(spent) for name, spent in times.items()}
    ratio = median["help"] / median["host"]
    print(f"clinicadl --help        {median['help']:6.2f} s")
    print(f"import clinicadl.train  {median['host']:6.2f} s")
    print(f"python -c pass          {median['python']:6.2f} s")
    print(f"ratio                   {ratio:6.3f}   (at most {LIMIT})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
