"""The penalties of one training step: which passes are made, and what they share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import nn

from clinicadl_trust.attribution.baselines import Baselines
from clinicadl_trust.attribution.constraints.base import Explained
from clinicadl_trust.attribution.first_layer import quick_image_gradient
from clinicadl_trust.attribution.methods import Points, points_of
from clinicadl_trust.attribution.networks import by_image, mixes_images
from clinicadl_trust.attribution.second_order import (
    Evaluated,
    by_difference,
    by_difference_apart,
    exactly,
)
from clinicadl_trust.attribution.supervision import Question
from clinicadl_trust.attribution.terms import HEALTHY, Term
from clinicadl_trust.exceptions import AttributionError

__all__ = ["ConstrainedStep"]

#: Methods whose only point is the image itself.
_AT_THE_IMAGE = ("gradient", "gradient_x_input")


@dataclass(frozen=True)
class ConstrainedStep:
    """A batch's images, and how penalties on them are computed.

    A term that looks at all images at themselves shares the pass of the supervised
    loss; others make passes of their own, on the images that they look at.

    Attributes
    ----------
    network : torch.nn.Module
        What is trained.
    question : Question
        What is explained of each image.
    images : torch.Tensor of shape (N, C, ...)
        The batch's.
    difference : bool
        Whether penalties are differentiated by a difference.
    """

    network: nn.Module
    question: Question
    images: torch.Tensor
    difference: bool

    @cached_property
    def outputs(self) -> torch.Tensor:
        """The network's, for the supervised loss; made when they are first needed."""
        with self._quick():
            outputs: torch.Tensor = self.network(self._leaves)
        return outputs

    def _quick(self) -> AbstractContextManager[None]:
        """Return the setting of passes whose gradients are not differentiated."""
        return quick_image_gradient(self.network) if self.difference else nullcontext()

    @cached_property
    def _leaves(self) -> torch.Tensor:
        return self.images.detach().requires_grad_(self._shares)

    @cached_property
    def _shares(self) -> bool:
        """Whether the supervised loss's pass is in full precision, image by image."""
        half = torch.is_autocast_enabled(self.images.device.type)
        return not half and not mixes_images(self.network)

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
        rows = _rows(term, self.question, self.images)
        part = _part(explained, rows)

        def penalty(attributions: torch.Tensor) -> torch.Tensor:
            _check_finite(attributions, term)
            return term.constraint(replace(part, attributions=attributions))

        def scores(images: torch.Tensor, part: slice = slice(None)) -> torch.Tensor:
            return self.question.score(self.network(images), rows[part])

        weights = [w for w in self.network.parameters() if w.requires_grad]
        kind, shares = self.images.device.type, self._shares  # before it is left
        with (
            by_image(self.network),
            torch.autocast(kind, enabled=False),
            self._quick(),
        ):
            whole = shares and len(rows) == len(self.images)
            if whole and term.method in _AT_THE_IMAGE:
                here = self._at_the_image(term, rows)
                if self.difference:
                    return by_difference(here, penalty, scores, weights)
                return exactly([here], penalty)
            points = self._points(term, rows)
            if not points:
                return self.images.new_zeros(())
            if self.difference:
                return by_difference_apart(points, penalty, scores, weights)
            return exactly([_evaluated(one, scores) for one in points], penalty)

    def _at_the_image(self, term: Term, rows: torch.Tensor) -> Evaluated:
        factor = 1.0 if term.method == "gradient" else self.images.detach()
        scores = self.question.score(self.outputs, rows)
        return Evaluated(Points(self._leaves, factor), scores)

    def _points(self, term: Term, rows: torch.Tensor) -> list[Points]:
        """Return where a term takes gradients, nowhere if nothing can be compared."""
        if not len(rows):
            return []
        images, healthy = self.images.detach().float(), self.question.healthy
        baselines: Baselines = term.baselines
        if term.baselines == HEALTHY:
            if healthy is None or healthy.sum() < 2:
                return []  # no other healthy image to compare with
            baselines = _draw_healthy(images, healthy, rows)
        return [*points_of(term.method, images[rows], baselines, term.n_samples)]


def _check_finite(attributions: torch.Tensor, term: Term) -> None:
    if not bool(torch.isfinite(attributions.detach()).all()):
        raise AttributionError(
            f"{term.name}, of weight {term.weight:g}: the attributions hold NaN or "
            "infinite values, so training diverges. Lower that weight, or the learning "
            "rate."
        )


def _evaluated(
    points: Points, scores: Callable[[torch.Tensor], torch.Tensor]
) -> Evaluated:
    images = points.images.detach().clone().requires_grad_()
    return Evaluated(Points(images, points.factor), scores(images))


def _rows(term: Term, question: Question, images: torch.Tensor) -> torch.Tensor:
    """Return which images of the batch a term looks at, drawn where it is a part."""
    counted = term.constraint.counted(question.healthy)
    rows = torch.arange(len(images), device=images.device)
    if counted is not None:
        rows = rows[counted]
    if term.fraction == 1 or not len(rows):
        return rows
    kept = max(1, round(term.fraction * len(rows)))
    chosen = torch.randperm(len(rows))[:kept].sort().values
    return rows[chosen.to(rows.device)]


def _part(explained: Explained, rows: torch.Tensor) -> Explained:
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
