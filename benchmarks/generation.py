"""How fast `clinicadl generate` is: 200 images at 4 mm in under a minute, 2 cores.

Run it as `python benchmarks/generation.py`; it exits with 1 when the bound is not
kept.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from clinicadl_trust.caps import find_images
from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type

IMAGES = 200
SECONDS = 60.0


def main() -> int:
    options = GeneratorOptions(
        participants=IMAGES // 2, sessions=2, attrition=0.0, resolution=4
    )
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        caps = generate_caps(Path(folder) / "caps", options, n_jobs=2)
        seconds = time.perf_counter() - start
        made = len(find_images(caps, image_type(options)))
    kept = made == IMAGES and seconds < SECONDS
    print(
        f"{made} images of {options.resolution} mm in {seconds:.1f} s on 2 processes, "
        f"preparing the template and starting the processes included: "
        f"{made / seconds:.1f} images per second, {seconds / SECONDS:.2f} of the time "
        f"allowed ({SECONDS:.0f} s): {'pass' if kept else 'FAIL'}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
