"""A constrained training step against the plain one, in time and memory.

A CNN that can be differentiated twice (GELU, group normalisation, averaging), batches
of 4 images of 64 x 72 x 64 voxels. Steps of all kinds alternate in one process and
their medians are compared; peak memory is that of a process of its own for each kind,
above what importing and building take.

    python benchmarks/attribution.py [--rounds 7] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.losses.config import BCEWithLogitsLossConfig
from clinicadl.models import Model
from clinicadl.optim.optimizers.config import AdamConfig
from torch import nn

from clinicadl_trust.attribution import AttributionConstrainedModel
from clinicadl_trust.models.classification import ClassificationModel

SHAPE = (1, 64, 72, 64)

_EXPECTED = {"method": "expected_gradients", "baselines": "rolled"}
#: What is constrained, and the options of the model.
KINDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "gradient, healthy images": ({}, {}),
    "gradient, all images": ({"mode": "supervised"}, {}),
    "expected gradients, healthy images": (_EXPECTED, {}),
    "expected gradients, all images": ({"mode": "supervised", **_EXPECTED}, {}),
    "expected gradients, half of all images": (
        {"mode": "supervised", **_EXPECTED, "fraction": 0.5},
        {},
    ),
    "gradient, every 4 steps": ({"mode": "supervised"}, {"every": 4}),
    "expected gradients, every 4 steps": (
        {"mode": "supervised", **_EXPECTED},
        {"every": 4},
    ),
    "gradient, exact": ({"mode": "supervised"}, {"second_order": "exact"}),
}


def network() -> nn.Module:
    """Return a small CNN with a smooth gradient."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for before, after in ((1, 8), (8, 16), (16, 32)):
        layers += [
            nn.Conv3d(before, after, 3, padding=1),
            nn.GroupNorm(after // 4, after),
            nn.GELU(),
            nn.AvgPool3d(2),
        ]
    head = [nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(32, 1)]
    return nn.Sequential(*layers, *head)


def batch() -> Batch:
    """Return four images, two of them healthy, with masks."""
    generator = torch.Generator().manual_seed(0)
    points = []
    for number in range(4):
        image = tio.ScalarImage(tensor=torch.randn(SHAPE, generator=generator))
        mask = torch.zeros(SHAPE, dtype=torch.uint8)
        mask[:, 20:30, 20:30, 20:30] = 1
        lesion = tio.LabelMap(tensor=mask)
        label = {"label": number % 2, "lesion": lesion}
        points.append(DataPoint(image, f"sub-{number}", "ses-M000", **label))
    return Batch(points)


def make(kind: str | None) -> Model:
    """Return the plain model, or one of ``KINDS``."""
    parts = {
        "network": network(),
        "loss": BCEWithLogitsLossConfig(),
        "optimizer": AdamConfig(),
    }
    if kind is None:
        return ClassificationModel(**parts).train()
    constraint, options = KINDS[kind]
    return AttributionConstrainedModel(
        **parts,
        **options,
        wait=0.0,
        constraints=({"name": "HealthyGradient", **constraint},),
        mask_key="lesion",
    ).train()


def steps(model: Model, images: Batch, number: int) -> float:
    """Return the mean seconds of some steps."""
    begun = time.perf_counter()
    for _ in range(number):
        model.backward_step(model.forward_step(images))
        model.zero_grad(set_to_none=True)
    return (time.perf_counter() - begun) / number


def memory(kind: str | None) -> float:
    """Return the peak memory of a step, above what there was before, in MB."""
    model, images = make(kind), batch()
    steps(model, images, 1)
    Path("/proc/self/clear_refs").write_text("5")  # Linux: forget the earlier peak
    before = _status("VmRSS")
    steps(model, images, 4)
    return (_status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    """Return a size of this process in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def measured_memory(kind: str | None, threads: int) -> float:
    """Measure it in a process of its own."""
    command = [sys.executable, __file__, "--threads", str(threads), "--memory"]
    found = subprocess.run(
        [*command, kind or "plain"], check=True, capture_output=True, text=True
    )
    return float(found.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory:
        print(memory(None if options.memory == "plain" else options.memory))
        return
    models = {None: make(None)} | {kind: make(kind) for kind in KINDS}
    images = batch()
    times: dict[str | None, list[float]] = {kind: [] for kind in models}
    for turn in range(options.rounds + 1):
        for kind, model in models.items():
            every = KINDS[kind][1].get("every", 1) if kind else 1
            found = steps(model, images, every)
            if turn:  # the first warms up
                times[kind].append(found)
    plain = statistics.median(times[None])
    used = measured_memory(None, options.threads)
    print(f"plain step: {plain:.2f} s, {used:.0f} MB")
    for kind in KINDS:
        ratio = statistics.median(times[kind]) / plain
        more = measured_memory(kind, options.threads) / used
        print(f"{kind:40s} time x {ratio:.2f}  memory x {more:.2f}", flush=True)


if __name__ == "__main__":
    main()
