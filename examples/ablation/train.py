"""Train a small network with and without remedies, over paired seeds.

Within a seed the data, the initial weights and the batches are the same for every
setting. Writes one row a setting, seed and epoch; what is in the table already is not
made again.

    clinicadl generate CAPS --participants 600 --sessions 1 --resolution 8 \\
        --modality FLAIR --disease lesions --sites 4 --seed 4
    python examples/ablation/train.py CAPS [--seeds 15]
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.losses.config import BCEWithLogitsLossConfig
from clinicadl.networks.config import CNNConfig
from clinicadl.optim.optimizers.config import AdamConfig
from settings import SETTINGS
from sklearn.metrics import roc_auc_score

from clinicadl_trust.attribution import AttributionConstrainedModel, attributions

#: The middle of the head, in voxels of 8 mm.
CROP = (slice(4, 16), slice(6, 20), slice(8, 18))
SHAPE = (1, 12, 14, 10)
N_TRAIN, N_VALIDATION, BATCH, EPOCHS, LR = 128, 200, 16, 8, 3e-3
COLUMNS = ("setting", "seed", "epoch", "auc", "seconds", "auprc")


@dataclass(frozen=True)
class Data:
    """Images and lesions of shape (n, 1, 12, 14, 10), and who is a patient."""

    images: torch.Tensor
    lesions: torch.Tensor
    labels: np.ndarray

    @cached_property
    def samples(self) -> list[DataPoint]:
        """ClinicaDL's, one an image."""
        return [
            DataPoint(
                tio.ScalarImage(tensor=image),
                f"sub-{row}",
                "ses-M000",
                label=int(label),
                lesion=tio.LabelMap(tensor=lesion),
            )
            for row, (image, lesion, label) in enumerate(
                zip(self.images, self.lesions, self.labels, strict=True)
            )
        ]


def read(caps: Path) -> Data:
    """Read a generated cohort, each image standardised."""
    table = pd.read_csv(caps / "participants.tsv", sep="\t")
    images, lesions = [], []
    for who, visit in zip(table["participant_id"], table["session_id"], strict=True):
        folder = caps / "subjects" / who / visit / "flair_linear"
        (image,) = folder.glob("*_FLAIR.nii.gz")
        values = nib.load(image).get_fdata(dtype=np.float32)[CROP]
        images.append((values - values.mean()) / values.std())
        masks = [*folder.glob("*_desc-lesion_mask.nii.gz")]
        mask = nib.load(masks[0]).get_fdata()[CROP] > 0 if masks else values < -np.inf
        lesions.append(mask)
    return Data(
        torch.from_numpy(np.stack(images)[:, None]),
        torch.from_numpy(np.stack(lesions)[:, None].astype(np.uint8)),
        (table["diagnosis"] != "CN").to_numpy().astype(int),
    )


def build(setting: str, seed: int) -> tuple[AttributionConstrainedModel, float | None]:
    """Return a model, and the norm that its gradients are clipped to."""
    options = dict(SETTINGS[setting])
    clip = options.pop("clip", None)
    options.pop("epochs", None)
    torch.manual_seed(seed + options.pop("start", 0))
    network = CNNConfig(
        in_shape=SHAPE,
        num_outputs=1,
        conv_args={
            "channels": [4, 8],
            "padding": 1,
            "norm": "batch",
            "pooling": ("max", {"kernel_size": 2}),
        },
    )
    model = AttributionConstrainedModel(
        network=network,
        loss=BCEWithLogitsLossConfig(),
        optimizer=AdamConfig(lr=LR),
        mask_key="lesion",
        **options,
    )
    return model, clip


def epoch_of(
    model: AttributionConstrainedModel,
    optimizer: torch.optim.Optimizer,
    batches: list[Batch],
    clip: float | None,
) -> float:
    """Train once over the data; return the processor's seconds."""
    begun = time.process_time()
    model.train()
    for batch in batches:
        optimizer.zero_grad()
        model.backward_step(model.forward_step(batch))
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
    return time.process_time() - begun


def precision(
    model: AttributionConstrainedModel, data: Data, rows: np.ndarray
) -> float:
    """Return the mean over patients of the attributions' AUPRC for their lesions."""
    lesions = data.lesions[rows].flatten(1) > 0
    seen = lesions.any(dim=1)
    maps = attributions(model.network, data.images[rows][seen], "gradient").flatten(1)
    ranked = lesions[seen].gather(1, maps.argsort(dim=1, descending=True)).float()
    precisions = ranked.cumsum(dim=1) / torch.arange(1, ranked.shape[1] + 1)
    return float(((precisions * ranked).sum(dim=1) / ranked.sum(dim=1)).mean())


def run(setting: str, seed: int, data: Data) -> list[tuple[object, ...]]:
    """Train one model; return the rows of its epochs."""
    draws = np.random.default_rng(seed)
    rows = draws.permutation(len(data.labels))[: N_TRAIN + N_VALIDATION]
    train, validation = rows[:N_TRAIN], rows[N_TRAIN:]
    model, clip = build(setting, seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    found: list[tuple[object, ...]] = []
    epochs = SETTINGS[setting].get("epochs", EPOCHS)
    for epoch in range(1, epochs + 1):
        batches = [
            Batch([data.samples[row] for row in part])
            for part in np.split(draws.permutation(train), N_TRAIN // BATCH)
        ]
        seconds = epoch_of(model, optimizer, batches, clip)
        model.eval()
        with torch.no_grad():
            scores = model.network(data.images[validation])[:, 0].numpy()
        auc = roc_auc_score(data.labels[validation], scores)
        last = epoch == epochs
        found_in = precision(model, data, validation) if last else float("nan")
        found.append(
            (setting, seed, epoch, f"{auc:.4f}", f"{seconds:.3f}", f"{found_in:.4f}")
        )
    return found


def main() -> None:
    """Run all settings and seeds that are not in the table yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("caps", type=Path)
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--first", type=int, default=0, help="The first seed.")
    parser.add_argument("--only", nargs="*", default=[*SETTINGS])
    here = Path(__file__).parent / "results.tsv"
    parser.add_argument("--output", type=Path, default=here)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = read(options.caps)
    if not options.output.exists():
        options.output.write_text("\t".join(COLUMNS) + "\n")
    table = pd.read_csv(options.output, sep="\t")
    done = {*zip(table["setting"], table["seed"], strict=True)}
    for seed in range(options.first, options.first + options.seeds):
        for setting in options.only:
            if (setting, seed) in done:
                continue
            rows = run(setting, seed, data)
            with options.output.open("a", newline="") as file:
                csv.writer(file, delimiter="\t", lineterminator="\n").writerows(rows)
            seconds = sum(float(str(row[4])) for row in rows)
            print(setting, seed, f"auc {rows[-1][3]}, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
