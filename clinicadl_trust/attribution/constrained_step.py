"""The penalties of one training step: which passes are made, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import nn

from clinicadl_trust.attribution.baselines import Baselines
from clinicadl_trust.attribution.constraints.base import Explained
from clinicadl_trust.attribution.methods import Points, points_of
from clinicadl_trust.attribution.networks import by_image
from clinicadl_trust.attribution.second_order import (
    Evaluated,
    by_difference,
    exactly,
)
from clinicadl_trust.attribution.terms import HEALTHY, Term
from clinicadl_trust.exceptions import AttributionError

__all__ = ["ConstrainedStep"]

#: Methods whose only point is the image itself.
_AT_THE_IMAGE = ("gradient", "gradient_x_input")


@dataclass(frozen=True)
class ConstrainedStep:
    """A batch's images, and how penalties on them are computed.

    Attributes
    ----------
    network : torch.nn.Module
        What is trained.
    score : callable
        From outputs of shape (M, K, ...) and the rows (M,) of the batch that they are
        of, to what is explained of each, (M,).
    images : torch.Tensor of shape (N, C, ...)
        The batch's. They require a gradient where ``outputs`` are given.
    outputs : torch.Tensor or None
        The network's for these images, in single precision, where they can be shared
        between the supervised loss and the attributions at the image.
    difference : bool
        Whether penalties are differentiated by a difference.
    """

    network: nn.Module
    score: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    images: torch.Tensor
    outputs: torch.Tensor | None
    difference: bool

    def penalty(self, term: Term, explained: Explained) -> torch.Tensor:
        """Return a term's penalty, differentiable in the weights, not weighted.

        Parameters
        ----------
        term : Term
            The constraint.
        explained : Explained
            The batch; its attributions are filled in here.

        Raises
        ------
        AttributionError
            If attributions are not finite, naming the term's weight.
        """
        counted = term.constraint.counted(explained.healthy)
        if counted is not None and not bool(counted.any()):
            return self.images.new_zeros(())
        shared = self.outputs is not None and term.method in _AT_THE_IMAGE
        rows = torch.arange(len(self.images), device=self.images.device)
        if counted is not None and not shared:
            rows = rows[counted]
        part = _rows(explained, rows)

        def penalty(attributions: torch.Tensor) -> torch.Tensor:
            _check_finite(attributions, term)
            return term.constraint(replace(part, attributions=attributions))

        kind = self.images.device.type
        with by_image(self.network), torch.autocast(kind, enabled=False):
            if shared:
                evaluated = self._at_the_image(term)
            else:
                evaluated = self._elsewhere(term, rows, explained.healthy)
            if not evaluated:
                return self.images.new_zeros(())
            if self.difference:
                return by_difference(
                    evaluated,
                    penalty,
                    lambda images, at: self._scores(images, rows[at]),
                )
            return exactly(evaluated, penalty)

    def _at_the_image(self, term: Term) -> list[Evaluated]:
        assert self.outputs is not None
        images = self.images
        factor = 1.0 if term.method == "gradient" else images.detach()
        every = torch.arange(len(images), device=images.device)
        scores = self.score(self.outputs, every)[:, None]
        return [Evaluated(Points(images, factor), scores)]

    def _elsewhere(
        self, term: Term, rows: torch.Tensor, healthy: torch.Tensor | None
    ) -> list[Evaluated]:
        chosen = self.images.detach().float()
        baselines: Baselines = term.baselines
        if term.baselines == HEALTHY:
            if healthy is None or healthy.sum() < 2:
                return []  # no other healthy image to compare with
            baselines = _draw_healthy(chosen, healthy, rows)
        chosen = chosen[rows]
        found = []
        for one in points_of(term.method, chosen, baselines, term.n_samples):
            images = one.images.clone().requires_grad_()
            found.append(
                Evaluated(Points(images, one.factor), self._scores(images, rows))
            )
        return found

    def _scores(self, images: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        return self.score(self.network(images), rows)[:, None]


def _check_finite(attributions: torch.Tensor, term: Term) -> None:
    if not bool(torch.isfinite(attributions.detach()).all()):
        raise AttributionError(
            f"{term.name}, of weight {term.weight:g}: the attributions hold NaN or "
            "infinite values, so training diverges. Lower that weight, or the learning "
            "rate."
        )


def _rows(explained: Explained, rows: torch.Tensor) -> Explained:
    healthy, mask = explained.healthy, explained.mask
    return replace(
        explained,
        healthy=None if healthy is None else healthy[rows],
        mask=None if mask is None else mask[rows],
    )


def _draw_healthy(
    images: torch.Tensor, healthy: torch.Tensor, rows: torch.Tensor
) -> Callable[[], torch.Tensor]:
    """Return what draws, for each of some images, a healthy one of the others."""
    known = torch.nonzero(healthy)[:, 0].tolist()
    others = [[j for j in known if j != i] for i in rows.tolist()]

    def draw() -> torch.Tensor:
        chosen = [each[int(torch.randint(len(each), ()))] for each in others]
        return images[chosen]

    return draw
