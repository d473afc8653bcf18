"""Measure why a constrained training is harder, after one and eight epochs.

The trainings are those of ``train.py``; the batch has 16 validation participants.

    python examples/ablation/difficulty.py CAPS [--seeds 5]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from clinicadl.data.dataloader import Batch
from train import BATCH, EPOCHS, LR, N_TRAIN, build, epoch_of, read

from clinicadl_trust.attribution import diagnose

SHOWN = (
    "no remedy",
    "rescaling",
    "smooth, rescaling",
    "expected gradients",
    "expected gradients, 4 samples",
)


def main() -> None:
    """Write the table of all settings, seeds and moments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("caps", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = read(options.caps)
    found = []
    for seed in range(options.seeds):
        for setting in SHOWN:
            draws = np.random.default_rng(seed)
            rows = draws.permutation(len(data.labels))
            train, seen = rows[:N_TRAIN], rows[N_TRAIN : N_TRAIN + BATCH]
            model, clip = build(setting, seed)
            optimizer = torch.optim.Adam(model.parameters(), lr=LR)
            for epoch in range(1, EPOCHS + 1):
                parts = np.split(draws.permutation(train), N_TRAIN // BATCH)
                batches = [Batch([data.samples[row] for row in part]) for part in parts]
                epoch_of(model, optimizer, batches, clip)
                if epoch in (1, EPOCHS):
                    measured = diagnose(model, Batch([data.samples[r] for r in seen]))
                    row = measured.to_frame().assign(
                        setting=setting, seed=seed, epoch=epoch
                    )
                    found.append(row)
                    print(setting, seed, epoch, measured, flush=True)
    table = pd.concat(found)
    table.to_csv(
        Path(__file__).parent / "difficulty.tsv",
        sep="\t",
        index=False,
        float_format="%.4g",
    )


if __name__ == "__main__":
    main()
