"""One epoch through our runner against the same epoch of a bare PyTorch loop.

The bare loop has the same network, optimizer, batches and validation, over tensors
that are in memory. Epochs of the two alternate in one process, so that a busy machine
slows both; the medians are compared. The runner's epoch has everything: the
validation, the metrics, the checkpoint, the logs.

    python benchmarks/epoch.py [--epochs 20] [--images 160] [--resolution 4]

Exits with 1 when the ratio is above 1.2.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from clinicadl.callbacks import Callback

from clinicadl_trust.caps import ImageType, with_images
from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.models import RunSpec
from clinicadl_trust.models import trainer as runner
from clinicadl_trust.split import Fold

LIMIT = 1.2

#: Voxels of Clinica's crop at 4 mm.
SHAPE_AT_4_MM = np.array([42, 52, 45])


class Alternate(Callback):
    """Times the runner's epochs, and runs a bare one before each."""

    def __init__(self) -> None:
        self.ours: list[float] = []
        self.bare: list[float] = []
        self.loop: BareLoop | None = None
        self.start: float | None = None

    def on_train_start(self, *, split, model, **kwargs) -> None:
        """Prepare the bare loop: same network, same images."""
        self.loop = BareLoop(split, model)

    def on_epoch_start(self, **kwargs) -> None:
        """End the runner's epoch, do a bare one, begin the next."""
        self.stop()
        start = time.perf_counter()
        self.loop.epoch()
        self.bare.append(time.perf_counter() - start)
        self.start = time.perf_counter()

    def on_train_end(self, **kwargs) -> None:
        """End the last epoch."""
        self.stop()

    def stop(self) -> None:
        """Note how long the runner's epoch took."""
        if self.start is not None:
            self.ours.append(time.perf_counter() - self.start)


class BareLoop:
    """What one writes by hand."""

    def __init__(self, split, model) -> None:
        self.batch_size = split.train_loader.batch_size
        self.network = model.config.network.get_object()
        self.loss = torch.nn.BCEWithLogitsLoss()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3)
        self.train = self.tensors(split.train_dataset)
        self.validation = self.tensors(split.val_dataset)

    @staticmethod
    def tensors(dataset) -> tuple[torch.Tensor, torch.Tensor]:
        """Put a dataset in two tensors."""
        samples = [dataset[index] for index in range(len(dataset))]
        images = torch.stack([sample.image.tensor for sample in samples])
        labels = torch.tensor([[float(sample["label"])] for sample in samples])
        return images.contiguous(), labels

    def epoch(self) -> float:
        """Train on all batches in random order, then measure the validation loss."""
        images, labels = self.train
        self.network.train()
        for index in torch.randperm(len(images)).split(self.batch_size):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(self.network(images[index]), labels[index])
            loss.backward()
            self.optimizer.step()
        self.network.eval()
        images, labels = self.validation
        with torch.no_grad():
            losses = [
                self.loss(self.network(x), y).item() * len(x)
                for x, y in zip(
                    images.split(self.batch_size),
                    labels.split(self.batch_size),
                    strict=True,
                )
            ]
        return sum(losses) / len(images)


def make_caps(folder: Path, images: int, resolution: float) -> ImageType:
    """Write noise as a CAPS: speed does not depend on what is in the images."""
    description = {"Name": "noise", "BIDSVersion": "1.7.0", "CAPSVersion": "1.0.0"}
    description["DatasetType"] = "derivative"
    folder.mkdir()
    (folder / "dataset_description.json").write_text(json.dumps(description))
    rng = np.random.default_rng(0)
    shape = tuple(np.rint(SHAPE_AT_4_MM * 4 / resolution).astype(int))
    affine = np.diag([resolution, resolution, resolution, 1.0])
    rows = []
    for number in range(images):
        participant, session = f"sub-{number:04d}", "ses-M000"
        place = folder / "subjects" / participant / session / "t1_linear"
        place.mkdir(parents=True)
        voxels = rng.normal(size=shape).astype(np.float32)
        name = f"{participant}_{session}_T1w.nii"
        nib.save(nib.Nifti1Image(voxels, affine), place / name)
        rows.append((participant, session, ("CN", "AD")[number % 2]))
    columns = ["participant_id", "session_id", "diagnosis"]
    table = pd.DataFrame(rows, columns=columns)
    table.to_csv(folder / "participants.tsv", sep="\t", index=False)
    return ImageType("t1_linear", "T1w")


def make_spec(folder: Path, options: argparse.Namespace) -> RunSpec:
    """Describe one run: 75 % train, 15 % validation, 10 % test."""
    image = make_caps(folder / "caps", options.images, options.resolution)
    cohort = read_cohort(folder / "caps" / "participants.tsv")
    cohort, _ = with_images(cohort, folder / "caps", image)
    ids = cohort.table[["participant_id", "session_id"]]
    cuts = [0, int(0.75 * len(ids)), int(0.9 * len(ids)), len(ids)]
    train, validation, test = (
        ids.iloc[a:b].reset_index(drop=True) for a, b in pairwise(cuts)
    )
    training = {"epochs": options.epochs, "patience": 0, "batch_size": 8}
    return RunSpec(
        model="cnn",
        config={"type": "trainer", "training": training},
        task=cohort.task("diagnosis"),
        cohort=cohort,
        fold=Fold(0, 0, "", train, validation, test),
        split_strategy="speed",
        caps=folder / "caps",
        image=image,
        seed=0,
        output=folder / "maps",
        cache=folder / "cache",
        threads=options.threads,
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--images", type=int, default=160)
    parser.add_argument("--resolution", type=float, default=4.0, help="mm")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    watches: list[Alternate] = []

    class Watched(runner._Run):
        def _services(self, trainer):
            watches.append(Alternate())
            return [watches[-1], *super()._services(trainer)]

    runner._Run = Watched
    with tempfile.TemporaryDirectory() as folder:
        runner.run_trainer(make_spec(Path(folder), options))
    # The first epoch opens the files and warms the libraries.
    ours, bare = (
        statistics.median(times[1:]) for times in (watches[0].ours, watches[0].bare)
    )
    ratio = ours / bare
    print(f"epoch of {options.images} images at {options.resolution:g} mm")
    print(f"  through the runner {ours:8.3f} s")
    print(f"  bare PyTorch loop  {bare:8.3f} s")
    print(f"  ratio              {ratio:8.3f} (at most {LIMIT})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
