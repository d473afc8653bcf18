"""Batches whose order differs by epoch and by seed.

ClinicaDL 2.0's ``Split.train_loader`` builds a new loader at each access, so the epoch
given to ``set_epoch`` is lost, and its sampler always has the seed 0: every epoch of
every run sees the same batches. ``SeededSplit`` keeps one loader and seeds its sampler.
It is a class of its own, not a patch of the host's: trainings that do not ask for it
stay as they are.

Images drawn by ``sampling_weights`` have a sampler without a seed of its own: their
order comes from torch's global generator, and depends on all that was drawn from it
before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from clinicadl.data.dataloader import DataLoader
from clinicadl.data.datasets import Dataset
from clinicadl.split import Split
from torch.utils.data import DistributedSampler

from clinicadl_trust.host.memory import stack

__all__ = ["SeededSplit", "evaluation_loader"]


class SeededSplit(Split):
    """A split whose order of training images follows from the seed and the epoch.

    Parameters
    ----------
    index : int
        The split's number.
    train_dataset, val_dataset : clinicadl.data.datasets.Dataset
        The data.
    seed : int
        The run's seed. Runs whose seeds differ see unrelated orders, also when the
        seeds are neighbours. It does not reach a loader with ``sampling_weights``.

    See Also
    --------
    clinicadl.split.Split
        Whose methods it keeps.
    """

    def __init__(
        self, index: int, train_dataset: Dataset, val_dataset: Dataset, seed: int
    ) -> None:
        super().__init__(index, train_dataset, val_dataset)
        self.seed = seed
        self._loaders: dict[str, DataLoader] = {}

    @property
    def train_loader(self) -> DataLoader:
        """The one training loader."""
        if "train" not in self._loaders:
            loader = _stacking(super().train_loader)
            if isinstance(loader.sampler, DistributedSampler):
                # The sampler adds the epoch to its seed: run 0's epoch 2 would be
                # run 1's epoch 1 were the run's seed used as it is.
                state = np.random.SeedSequence(self.seed).generate_state(1)
                loader.sampler.seed = int(state[0])
            self._loaders["train"] = loader
        return self._loaders["train"]

    @property
    def val_loader(self) -> DataLoader:
        """The one validation loader."""
        if "validation" not in self._loaders:
            self._loaders["validation"] = _stacking(super().val_loader)
        return self._loaders["validation"]

    def build_train_loader(self, **options: Any) -> None:
        """Configure the training loader; the one in use is dropped."""
        super().build_train_loader(**options)
        self._loaders.pop("train", None)

    def build_val_loader(self, **options: Any) -> None:
        """Configure the validation loader; the one in use is dropped."""
        super().build_val_loader(**options)
        self._loaders.pop("validation", None)


def evaluation_loader(dataset: Dataset, **options: Any) -> DataLoader:
    """Return a loader that keeps the order of the dataset.

    Parameters
    ----------
    dataset : clinicadl.data.datasets.Dataset
        The data.
    **options
        As ``clinicadl.data.dataloader.DataLoader``.
    """
    return _stacking(DataLoader(dataset, shuffle=False, **options))


def _stacking(loader: DataLoader) -> DataLoader:
    if loader.config.collate_fn is None:
        loader.collate_fn = stack
    return loader
