"""Why a constrained training is harder: two terms that pull, bend and shake weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd
import torch
from clinicadl.data.dataloader import Batch
from torch.nn.modules.batchnorm import _BatchNorm

from clinicadl_trust.attribution.balancing import gradient_of

if TYPE_CHECKING:
    from clinicadl_trust.attribution.model import AttributionConstrainedModel

__all__ = ["TermDiagnostics", "diagnose", "diagnose_terms"]

#: Returns the supervised loss and the weighted penalty at the weights as they are.
Terms = Callable[[], tuple[torch.Tensor, torch.Tensor]]

#: Length of a step in the weights, as a part of theirs.
_STEP = 1e-3


@dataclass(frozen=True)
class TermDiagnostics:
    """The two terms of a loss on one batch, seen from the weights.

    Attributes
    ----------
    cosine : float
        Of the angle between the terms' gradients: below 0 they are in conflict, nan
        where one has none.
    loss_norm, penalty_norm : float
        Lengths of these gradients.
    loss_curvature, penalty_curvature : float
        Second derivative of each term along the direction of steepest descent of
        their sum. Gradient descent is unstable where the curvature of the sum is
        above 2 / learning rate.
    penalty_noise : float
        Variance of the penalty's gradient over draws of the stochastic attribution,
        summed over weights, in squared lengths of its mean: 0 where nothing is drawn,
        and above 1 where one draw tells more noise than direction.
    n_draws : int
        Draws that were made for it.
    """

    cosine: float
    loss_norm: float
    penalty_norm: float
    loss_curvature: float
    penalty_curvature: float
    penalty_noise: float
    n_draws: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row."""
        return pd.DataFrame([asdict(self)])


def diagnose(
    model: AttributionConstrainedModel, batch: Batch, n_draws: int = 8, seed: int = 0
) -> TermDiagnostics:
    """Measure a model on a batch, with its weights and weighting as they are.

    Parameters
    ----------
    model : AttributionConstrainedModel
        Left as it is. At a step that has no constraint, the next that has is measured;
        constraints do not wait (``wait``).
    batch : clinicadl.data.dataloader.Batch
        As in training.
    n_draws : int
        Draws of the stochastic attribution, 2 at least.
    seed : int
        Of the draws.

    Returns
    -------
    TermDiagnostics
        It took ``2 n_draws + 6`` backward passes or so.
    """
    tried = copy.deepcopy(model).train()
    for module in tried.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = 0.0  # what it remembers would drift from draw to draw
    tried.readiness.wait = 0.0
    while not tried.schedule.factor(int(tried.constraint_step)):
        tried.constraint_step += 1

    def terms() -> tuple[torch.Tensor, torch.Tensor]:
        found = tried.forward_step(batch)
        loss = found.pop("loss")
        return loss, torch.stack([*found.values()]).sum()

    weights = [weight for weight in tried.parameters() if weight.requires_grad]
    return diagnose_terms(terms, weights, n_draws, seed)


def diagnose_terms(
    terms: Terms,
    weights: Sequence[torch.Tensor],
    n_draws: int = 8,
    seed: int = 0,
) -> TermDiagnostics:
    """Measure any two terms.

    Parameters
    ----------
    terms : callable
        Returns the supervised loss and the penalty at the weights as they are, drawing
        from torch's generator what it draws.
    weights : sequence of torch.Tensor
        Leaves that both depend on; as before at the end.
    n_draws : int
        As in ``diagnose``.
    seed : int
        As in ``diagnose``.

    Raises
    ------
    ValueError
        If there are fewer than two draws.
    """
    if n_draws < 2:
        raise ValueError(f"n_draws={n_draws}: a variance needs at least 2 draws.")
    with torch.random.fork_rng(devices=[]):
        drawn = []
        for number in range(n_draws):
            loss, penalty = _gradients(terms, weights, seed + number)
            drawn.append(penalty)
        draws = torch.stack(drawn)
        first = draws[0]
        bends = _curvatures(terms, weights, loss + first, seed)
    lengths = loss.norm() * first.norm()
    return TermDiagnostics(
        cosine=float(loss @ first / lengths) if lengths > 0 else float("nan"),
        loss_norm=float(loss.norm()),
        penalty_norm=float(first.norm()),
        loss_curvature=bends[0],
        penalty_curvature=bends[1],
        penalty_noise=_noise(draws),
        n_draws=n_draws,
    )


def _gradients(
    terms: Terms, weights: Sequence[torch.Tensor], seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    loss, penalty = terms()
    return gradient_of(loss, weights), gradient_of(penalty, weights)


def _curvatures(
    terms: Terms, weights: Sequence[torch.Tensor], descent: torch.Tensor, seed: int
) -> tuple[float, float]:
    """Return each term's second derivative along a direction, by central difference."""
    length = descent.norm()
    if not length > 0:
        return float("nan"), float("nan")
    unit = descent / length
    before = [weight.detach().clone() for weight in weights]
    size = torch.cat([weight.flatten() for weight in before]).norm()
    h = _STEP * float(size if size > 0 else 1.0)
    sides = []
    for sign in (1, -1):
        _move(weights, before, sign * h * unit)
        sides.append(_gradients(terms, weights, seed))
    _move(weights, before, 0 * unit)
    loss, penalty = (
        float((ahead - behind) @ unit / (2 * h))
        for ahead, behind in zip(*sides, strict=True)
    )
    return loss, penalty


def _move(
    weights: Sequence[torch.Tensor], before: Sequence[torch.Tensor], by: torch.Tensor
) -> None:
    parts = by.split([weight.numel() for weight in before])
    with torch.no_grad():
        for weight, old, part in zip(weights, before, parts, strict=True):
            weight.copy_(old + part.view_as(old))


def _noise(draws: torch.Tensor) -> float:
    """Return the variance of a draw in squared lengths of the mean, both unbiased."""
    mean = draws.mean(dim=0)
    variance = float((draws - mean).square().sum() / (len(draws) - 1))
    if variance == 0:
        return 0.0
    squared = float(mean.square().sum()) - variance / len(draws)
    return variance / squared if squared > 0 else float("inf")
