"""Quantities: one output is explained, or all of them at once by a random weighting."""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.losses.types import Loss

from clinicadl_trust.attribution.supervision.base import Question, Supervision
from clinicadl_trust.attribution.targets import select
from clinicadl_trust.exceptions import AttributionError, ConfigError

__all__ = ["Output", "Regression"]

#: Which output is explained.
Output: TypeAlias = int | Literal["random"]


class Regression(Supervision):
    """One or several quantities an image.

    Parameters
    ----------
    loss : callable
        Such as the mean squared error, given outputs and labels of shape (N, K).
    label_key : str
        Where the quantities are in a sample.
    output : int or "random"
        The output that is explained, from 0 on; or all of them, as their sum weighted
        by signs that each step draws anew. See the notes.
    healthy_below : float, optional
        Participants whose label, that of ``output`` among several, is below it are
        healthy. In the unit of the labels that the model is given; in an experiment
        file, in the label's own, from which it is converted as the labels are.

    Notes
    -----
    With signs s_k of equal chance, the attribution of ``sum_k s_k f_k`` in a voxel is
    ``sum_k s_k a_k``, whose expected square is ``sum_k a_k ** 2``: the cross terms
    vanish. So a squared penalty that does not rescale attributions (``RightReasons``
    with ``scale = "none"`` or ``"voxels"``) is on average that of all outputs, at the
    cost of one. ``scale = "rms"`` divides by the size of what was drawn, and then it
    is so only about. A penalty of absolute values (``RegionShare``, ``TotalVariation``,
    ``Sparsity``) is one of a random mixture of outputs, not of each; one of signs
    (``HealthyGradient``, ``MonotoneSign``) would mean nothing and is refused. For
    these choose an output.

    References
    ----------
    Hutchinson (1990), A stochastic estimator of the trace of the influence matrix for
    Laplacian smoothing splines. Communications in Statistics - Simulation and
    Computation 19, 433-450: signs of equal chance as probes.
    """

    def __init__(
        self,
        loss: Loss,
        label_key: str = "label",
        output: Output = "random",
        healthy_below: float | None = None,
    ) -> None:
        wrong = isinstance(output, bool) or not isinstance(output, int)
        if output != "random" and (wrong or output < 0):
            raise ConfigError(
                f"explain.output = {output!r} is neither 'random' nor the number of an "
                "output, from 0 on."
            )
        self.loss = loss
        self.label_key = label_key
        self.output = output
        self.healthy_below = healthy_below

    def labels(self, batch: Batch) -> torch.Tensor:
        """Return quantities, (N, K)."""
        found = batch.get_field(
            self.label_key, dtype=torch.float32, ensure_channel_dim=True
        )
        return cast(torch.Tensor, found)

    def question(self, labels: torch.Tensor, images: torch.Tensor) -> Question:
        """Ask for one output, or for a random weighting of them.

        Parameters
        ----------
        labels : torch.Tensor of shape (N, K)
            Quantities.
        images : torch.Tensor of shape (N, C, ...)
            The batch's.

        Raises
        ------
        AttributionError
            If ``output`` names none, or it is not said which of several outputs
            ``healthy_below`` is about.
        """
        n_outputs = labels.shape[1]
        healthy = self._healthy(labels)
        if n_outputs > 1 and self.output == "random":
            drawn = torch.randint(2, (len(images), n_outputs)) * 2.0 - 1.0
            signs = drawn.to(images.device)
            return Question(
                lambda outputs, rows: (select(outputs, "all") * signs[rows]).sum(dim=1),
                healthy,
                signed=False,
            )
        index = self._index(n_outputs)
        return Question(lambda outputs, rows: select(outputs, index)[:, 0], healthy)

    def _index(self, n_outputs: int) -> int:
        index = 0 if self.output == "random" else int(self.output)
        if index >= n_outputs:
            raise AttributionError(
                f"explain.output = {index} names none of {n_outputs} outputs, which "
                f"are 0 to {n_outputs - 1}."
            )
        return index

    def _healthy(self, labels: torch.Tensor) -> torch.Tensor | None:
        if self.healthy_below is None:
            return None
        if labels.shape[1] > 1 and self.output == "random":
            raise AttributionError(
                f"explain.healthy_below = {self.healthy_below:g} does not say which of "
                f"{labels.shape[1]} outputs it is about. Choose one: explain.output = "
                "0, 1, ..."
            )
        return labels[:, self._index(labels.shape[1])] < self.healthy_below
