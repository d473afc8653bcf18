"""Converted images held in bounded memory.

``MemoryDataset`` is ClinicaDL's ``TensorDataset`` that opens each file once. Tensors
are memory-mapped, so the processes that train on one cohort share the pages and the
system takes them back when it is short. It is written into a MAPS as a
``TensorDataset``: reopening that MAPS needs nothing of ours.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.datasets import TensorDataset
from clinicadl.data.structures import DataPoint, Sample
from clinicadl.data.structures.images import Tensor
from clinicadl.utils.dictionary.words import IMAGE

__all__ = ["MemoryDataset", "StackedBatch", "available_memory", "stack"]


class MemoryDataset(TensorDataset):
    """A ``TensorDataset`` that opens each file once.

    Parameters
    ----------
    *args, **kwargs
        As ``clinicadl.data.datasets.TensorDataset``.
    max_memory : int, optional
        Bytes of tensors to hold; the images beyond it are read from disk at each
        access. By default half of the memory that is free now.
    """

    def __init__(
        self, *args: Any, max_memory: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        budget = available_memory() // 2 if max_memory is None else max_memory
        self.image: _HeldTensors = _HeldTensors(self.image, budget)
        self._ready = _Ready()

    def __getitem__(self, idx: int) -> Sample:
        """Return a sample; only what augmentation changes is made anew.

        Parameters
        ----------
        idx : int
            The sample's number.

        Returns
        -------
        clinicadl.data.structures.Sample
            A copy that the caller may add fields to.
        """
        if self._changes_images():
            return super().__getitem__(idx)
        sample = self._ready.get(idx)
        if sample is None:
            # TorchIO draws a number even for no transform: what is kept, and so the
            # memory that is free, would change the weights.
            with torch.random.fork_rng(devices=[]):
                sample = super().__getitem__(idx)
            if self.image.holds(sample.participant_id, sample.session_id):
                self._ready[idx] = sample
        return _shallow_copy(sample)

    def _changes_images(self) -> bool:
        """Whether a transform, which may work in place, comes after reading."""
        transforms = self.transforms
        always = transforms.image_transforms, transforms.sample_transforms
        return any(some.transforms for some in always) or bool(
            not self.eval_mode and transforms.augmentations.transforms
        )

    def _get_images(self, participant_id: str, session_id: str) -> DataPoint:
        changed = self._changes_images()
        return self.image.get(participant_id, session_id, copy=changed)


class _HeldTensors(Tensor):
    """Reads tensor files, and keeps the first ones up to a number of bytes.

    Which images are kept does not change: a training passes over all of them in
    turn, so dropping the least recent one would drop the next one needed.
    """

    def __init__(self, tensor: Tensor, max_bytes: int) -> None:
        super().__init__(tensor.bids, tensor.file_type, tensor.to_load)
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._held: dict[tuple[str, str], _Opened] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> _HeldTensors:
        # `Dataset.subset` copies the dataset deeply: not the tensors.
        return self

    def holds(self, participant_id: str, session_id: str) -> bool:
        """Whether an image is kept."""
        return (participant_id, session_id) in self._held

    def get(self, participant_id: str, session_id: str, copy: bool = True) -> DataPoint:
        """Return an image, or a copy of it that transforms may change."""
        opened = self._open(participant_id, session_id)

        def whole(kind: type[tio.Image], stored: _Stored) -> tio.Image:
            tensor, affine = stored
            return kind(tensor=tensor.clone() if copy else tensor, affine=affine)

        masks = {name: whole(tio.LabelMap, m) for name, m in opened.masks.items()}
        return DataPoint(
            image=whole(tio.ScalarImage, opened.image),
            participant_id=participant_id,
            session_id=session_id,
            image_path=opened.path,
            file_type=self.file_type,
            **masks,
        )

    def _open(self, participant_id: str, session_id: str) -> _Opened:
        key = (participant_id, session_id)
        if key in self._held:
            return self._held[key]
        path = self.bids.get_path(
            self.file_type, participant_id=participant_id, session_id=session_id
        )
        content = torch.load(path, mmap=True, weights_only=False)
        opened = _Opened(content["images"][IMAGE], content["masks"], path)
        size = opened.n_bytes
        if self.n_bytes + size <= self.max_bytes:
            self.n_bytes += size
            self._held[key] = opened
        return opened


#: A tensor with its affine.
_Stored: TypeAlias = tuple[torch.Tensor, np.ndarray]


@dataclass(frozen=True)
class _Opened:
    """An image and its masks, memory-mapped, and their file."""

    image: _Stored
    masks: dict[str, _Stored]
    path: Path

    @property
    def n_bytes(self) -> int:
        tensors = [self.image[0], *(tensor for tensor, _ in self.masks.values())]
        return sum(tensor.element_size() * tensor.nelement() for tensor in tensors)


class _Ready(dict):
    """Samples made before; a copy of the dataset starts without any."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Ready:
        return _Ready()


class StackedBatch(Batch):
    """A ``Batch`` that copies its images once, not three times."""

    def get_field(
        self,
        field_name: str,
        dtype: torch.dtype | None = None,
        ensure_channel_dim: bool = False,
    ) -> Any:
        """As ``clinicadl.data.dataloader.Batch.get_field``.

        Parameters
        ----------
        field_name : str
            The key in each sample.
        dtype : torch.dtype, optional
            Of the result, when it is a tensor.
        ensure_channel_dim : bool, default=False
            Whether to make (N,) into (N, 1).

        Returns
        -------
        torch.Tensor or list
            The samples' values, batch first.
        """
        tensors = self._plain_images() if field_name == IMAGE else None
        if tensors is None:
            return super().get_field(field_name, dtype, ensure_channel_dim)
        stacked = torch.stack(tensors)
        return stacked.to(
            dtype=dtype,
            device=self._device,
            non_blocking=self._non_blocking,
            memory_format=self._get_memory_format(stacked, self._channels_last),
        )

    def _plain_images(self) -> list[torch.Tensor] | None:
        """Return the images, None unless all are 3D and of one shape."""
        tensors: list[torch.Tensor] = []
        for sample in self:
            image = sample.get(IMAGE)
            if (
                type(sample).get_image_tensor is not DataPoint.get_image_tensor
                or not isinstance(image, tio.Image)
                or (tensors and image.tensor.shape != tensors[0].shape)
            ):
                return None
            tensors.append(image.tensor)
        return tensors


def stack(samples: Sequence[Sample]) -> StackedBatch:
    """Put samples in a batch, the collate function of our loaders."""
    return StackedBatch(samples)


def available_memory() -> int:
    """Return the bytes of memory that this process may still use.

    Returns
    -------
    int
        What Linux calls available, and less when a control group (a container, a
        cluster's job) allows less; elsewhere a quarter of the physical memory.
    """
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        available = int(fields["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
        return pages * size // 4
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return available
    return max(0, min(available, limit - used))


def _shallow_copy(sample: Sample) -> Sample:
    """Copy a sample without its tensors and without validating it again."""
    copy: Sample = dict.__new__(type(sample))
    dict.update(copy, sample)
    copy.__dict__.update(sample.__dict__)
    copy.applied_transforms = list(sample.applied_transforms)
    return copy
