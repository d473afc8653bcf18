"""Maps of the images of a group, one batch after the other, and what they measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from clinicadl.utils.dictionary.words import IMAGE
from torch import nn

from clinicadl_trust.attribution.attributions import attributions
from clinicadl_trust.attribution.baselines import blurred
from clinicadl_trust.attribution.interpretation.batch_maps import BatchMaps
from clinicadl_trust.attribution.interpretation.completeness import COMPLETE
from clinicadl_trust.attribution.interpretation.explained import Explanation
from clinicadl_trust.attribution.interpretation.localisation import localisation
from clinicadl_trust.attribution.interpretation.perturbation import (
    Curve,
    deletion,
    insertion,
)
from clinicadl_trust.attribution.interpretation.question import Asked, Question
from clinicadl_trust.attribution.interpretation.randomisation import (
    cascade,
    random_network,
)
from clinicadl_trust.attribution.interpretation.reference import Reference
from clinicadl_trust.attribution.interpretation.request import Request
from clinicadl_trust.attribution.interpretation.similarity import likeness
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.host.memory import MemoryDataset, stack
from clinicadl_trust.models.volumes import Geometry

__all__ = ["Explainer"]


@dataclass(frozen=True)
class Explainer:
    """Explains a network, batch by batch.

    Batches are the same whatever was done before, and draws follow from the seed and
    the batch: an interrupted interpretation ends as one that was not.

    Attributes
    ----------
    network : torch.nn.Module
        Trained, in evaluation.
    question : Question
        What is asked of it.
    request : Request
        How; with nothing left to fill in.
    reference : Reference
        What images are compared with.
    mask : str or None
        The name of the mask in a sample.
    cascaded : frozenset of int
        The numbers of the images for which layer after layer is made random.
    """

    network: nn.Module
    question: Question
    request: Request
    reference: Reference
    mask: str | None = None
    cascaded: frozenset[int] = frozenset()

    def batches(self, data: MemoryDataset) -> list[range]:
        """Return the numbers of the images of each batch.

        Parameters
        ----------
        data : MemoryDataset
            The images of a group.
        """
        size = self.request.batch_size or 1
        if len(data) and self._outputs(_images(data, range(1))).ndim > 2:
            size = 1  # each image has a region of its own
        return [
            range(start, min(start + size, len(data)))
            for start in range(0, len(data), size)
        ]

    def explain(
        self, data: MemoryDataset, batch: range, number: int
    ) -> Iterator[Explanation]:
        """Explain the images of a batch.

        Parameters
        ----------
        data : MemoryDataset
            The images of a group.
        batch : range
            Their numbers.
        number : int
            The batch's.

        Yields
        ------
        Explanation
            Of each image.

        Raises
        ------
        AttributionError
            If a map holds NaN.
        """
        maps = self._batch(data, batch, number)
        for row, index in enumerate(batch):
            sample, found = data[index], maps.found[row]
            self._check_finite(sample, found)
            affine = np.asarray(sample[IMAGE].affine, dtype=float)
            curves = self._curves(maps, row)
            yield Explanation(
                participant_id=sample["participant_id"],
                session_id=sample["session_id"],
                map=found,
                geometry=_geometry(found.shape, affine),
                outputs=maps.outputs[row].double().cpu().numpy(),
                readout=float(maps.asked.readout(maps.outputs[row : row + 1])),
                metrics={
                    **self._located(sample, found, affine),
                    "completeness_error": maps.completeness_error(row),
                    **maps.similarity(row),
                    **{_area_of(name): curve.area for name, curve in curves.items()},
                },
                curves=curves,
                cascade=self._cascade(maps, row) if index in self.cascaded else [],
            )

    def _batch(self, data: MemoryDataset, batch: range, number: int) -> BatchMaps:
        images = _images(data, batch)
        images = images.to(next(self.network.parameters()).device)
        outputs, seed = self._outputs(images), _seed(self.request.seed, number)
        asked = self.question.of(outputs)
        randoms = None
        if self.request.randomise:
            untrained = random_network(self.network, seed).eval()
            randoms = self._maps(untrained, images, asked, seed)
        return BatchMaps(
            images=images,
            outputs=outputs,
            asked=asked,
            seed=seed,
            found=self._maps(self.network, images, asked, seed),
            randoms=randoms,
            expected=self._expected(images, outputs, asked),
        )

    def _check_finite(self, sample: Any, found: np.ndarray) -> None:
        bad = int((~np.isfinite(found)).sum())
        if bad:
            who = f"{sample['participant_id']} {sample['session_id']}"
            raise AttributionError(
                f"The attributions of {who} by '{self.request.method}' hold {bad} NaN "
                f"or infinite voxels of {found.size}: the network's gradient is not "
                "finite there. Look at its weights, or use another method."
            )

    def _outputs(self, images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            found = self.network(images.to(next(self.network.parameters()).device))
        assert isinstance(found, torch.Tensor)
        return found

    def _maps(
        self, network: nn.Module, images: torch.Tensor, asked: Asked, seed: int
    ) -> np.ndarray:
        """Return the maps of images, (N, x, y, z)."""
        generator = torch.Generator().manual_seed(seed)
        found = attributions(
            network,
            images,
            self.request.method,
            baselines=self.reference.baselines(images, generator),
            target=asked.target,
            n_samples=self.request.n_samples,
            generator=generator,
        )
        return found.detach().sum(dim=1).float().cpu().numpy()

    def _cascade(self, maps: BatchMaps, row: int) -> list[dict[str, Any]]:
        """Compare a map with those of networks that have ever fewer trained layers."""
        image, seed = maps.images[row : row + 1], maps.seed + row
        trained = self._maps(self.network, image, maps.asked, seed)[0]
        return [
            {"step": step, "layer": layer}
            | likeness(trained, self._maps(made.eval(), image, maps.asked, seed)[0])
            for step, (layer, made) in enumerate(cascade(self.network, image, seed), 1)
        ]

    def _expected(
        self, images: torch.Tensor, outputs: torch.Tensor, asked: Asked
    ) -> list[tuple[float, float]] | None:
        """Return f(x) and f(x') of each image, where attributions should add up."""
        if self.request.method not in COMPLETE:
            return None
        start = self.reference.scores(self.network, asked.target, images)
        return list(zip(asked.target(outputs).tolist(), start.tolist(), strict=True))

    def _located(
        self, sample: Any, found: np.ndarray, affine: np.ndarray
    ) -> dict[str, float]:
        if self.mask is None:
            return {}
        mask = sample[self.mask].tensor[0].cpu().numpy().reshape(found.shape)
        return localisation(found, mask, affine, self.request.tolerance)

    def _curves(self, maps: BatchMaps, row: int) -> dict[str, Curve]:
        if not self.request.n_steps:
            return {}
        image, found = maps.images[row], maps.found[row]
        smooth = blurred(image[None])[0]
        drawn = np.random.default_rng(maps.seed + row).random(found.shape)
        return {
            name + suffix: curve(
                lambda images: maps.asked.readout(self.network(images)),
                image,
                smooth,
                ranking,
                n_steps=self.request.n_steps,
                batch_size=self.request.batch_size or 1,
            )
            for name, curve in (("deletion", deletion), ("insertion", insertion))
            for suffix, ranking in (("", found), ("_random", drawn))
        }


def _images(data: MemoryDataset, batch: range) -> torch.Tensor:
    samples = [data[index] for index in batch]
    images = stack(samples).get_field(IMAGE, dtype=torch.float32)
    assert isinstance(images, torch.Tensor)
    return images


def _geometry(shape: tuple[int, ...], affine: np.ndarray) -> Geometry:
    x, y, z = (*shape, 1, 1)[:3]
    return Geometry((x, y, z), tuple(float(value) for value in affine.ravel()))


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _area_of(curve: str) -> str:
    """Return what the area under a curve is called among ``METRICS``."""
    kind, random, _ = curve.partition("_random")
    return f"{kind}_auc{random}"
