"""What a trained network is asked: which of its numbers is explained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from clinicadl_trust.attribution.targets import disease_logit, select
from clinicadl_trust.exceptions import AttributionError, did_you_mean
from clinicadl_trust.models.data import Scale
from clinicadl_trust.task import Task

__all__ = ["Asked", "Question", "index_of"]

_Readout = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Asked:
    """What is explained of some images.

    Attributes
    ----------
    target : callable
        From outputs (M, K, ...) to what is explained, (M,): log-odds, or a value.
    readout : callable
        From outputs to what a user reads, (M,): a probability, or a value in its own
        unit.
    """

    target: _Readout
    readout: _Readout


@dataclass(frozen=True)
class Question:
    """What is explained of a run's network.

    Attributes
    ----------
    task : Task
        What the network predicts.
    activation : str
        How its outputs become predictions, as ``activate`` knows it.
    scale : Scale
        The unit in which it sees a quantity.
    healthy : int or None
        The class of healthy participants; None where it is not known.
    target : str, int or None
        A class, or an output, by name or number. None is disease (any class but the
        healthy one), or the only output of a regression.

    Raises
    ------
    AttributionError
        If there is no such class, or it is not known what disease is.
    """

    task: Task
    activation: str
    scale: Scale
    healthy: int | None = 0
    target: str | int | None = None

    def __post_init__(self) -> None:
        if self._index is None and self.healthy is None and self.task.classes:
            raise AttributionError(
                f"Which of the classes {', '.join(self.task.classes)} is healthy is "
                "not told by their names. Say it (healthy, --healthy): others speak "
                "for disease; or name the class to be explained (target, --target)."
            )

    def __str__(self) -> str:
        if self.task.kind == "segmentation":
            return "the summed logit of the region that is predicted, else the mean"
        if self.task.kind == "regression":
            return f"the output '{self._names[self._index or 0]}'"
        if self._index is None and self.healthy is not None:
            return f"the log-odds of any class but '{self.task.classes[self.healthy]}'"
        assert self._index is not None
        return f"the log-odds of '{self.task.classes[self._index]}'"

    def of(self, outputs: torch.Tensor) -> Asked:
        """Fix the question for some images.

        Parameters
        ----------
        outputs : torch.Tensor of shape (N,), (N, K) or (N, K, ...)
            What the network says of them. Of spatial outputs, those of one image.

        Raises
        ------
        AttributionError
            If the output that is asked for is not there, or several images have
            spatial outputs.
        """
        if outputs.ndim > 2:
            return self._of_region(outputs)
        if self.task.kind == "regression":
            index = self._index
            select(outputs, index)
            return Asked(lambda out: select(out, index)[:, 0], self._value)
        if self.activation == "probability":
            return Asked(self._probability, self._probability)
        return Asked(self._log_odds, lambda out: self._log_odds(out).sigmoid())

    def _of_region(self, outputs: torch.Tensor) -> Asked:
        """Ask for the summed logit of what is predicted, or the mean of all voxels."""
        if len(outputs) != 1:
            raise AttributionError(
                f"Of {len(outputs)} images with spatial outputs each has a region of "
                "its own: ask for one at a time."
            )
        region = (_by_voxel(outputs)[0] > 0).float()
        if not region.any():
            region = torch.ones_like(region) / region.numel()
        weights = region / region.sum()
        return Asked(
            lambda out: (_by_voxel(out) * region).flatten(1).sum(dim=1),
            lambda out: (_by_voxel(out).sigmoid() * weights).flatten(1).sum(dim=1),
        )

    def _log_odds(self, outputs: torch.Tensor) -> torch.Tensor:
        if self._index is None:
            return disease_logit(outputs, self.healthy or 0)
        columns = select(outputs, "all")
        if columns.shape[1] == 1:
            return columns[:, 0] if self._index == 1 else -columns[:, 0]
        return -disease_logit(columns, self._index)

    def _probability(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return what a network that ends with its own activation says."""
        columns = select(outputs, "all")
        if columns.shape[1] == 1:
            return 1 - columns[:, 0] if self._index == 0 else columns[:, 0]
        if self._index is None:
            return 1 - columns[:, self.healthy or 0]
        return columns[:, self._index]

    def _value(self, outputs: torch.Tensor) -> torch.Tensor:
        # Several outputs have a unit each.
        means, deviations = map(np.atleast_1d, (self.scale.mean, self.scale.deviation))
        at = (self._index or 0) if len(means) > 1 else 0
        value = select(outputs, self._index)[:, 0]
        return value * float(deviations[at]) + float(means[at])

    @property
    def _index(self) -> int | None:
        """The class or output that is asked for; None for what goes without saying."""
        names = self._names
        if self.target is not None:
            return index_of(self.target, names, "target")
        if self.task.is_binary and self.healthy == 1:
            return 0  # which one logit is read from, too
        if len(self.task.outputs) > 1:
            raise AttributionError(
                f"The network predicts {len(names)} quantities: name the one that is "
                f"to be explained as target, one of {', '.join(names)}."
            )
        return None

    @property
    def _names(self) -> tuple[str, ...]:
        """The names of the classes, or of the outputs."""
        return self.task.classes or self.task.columns


def index_of(given: str | int, names: tuple[str, ...], what: str) -> int:
    """Return the number of a class or an output.

    Parameters
    ----------
    given : str or int
        Its name, or its number from 0 on.
    names : tuple of str
        Of all.
    what : str
        What was given, for messages.

    Raises
    ------
    AttributionError
        If there is none.
    """
    if isinstance(given, str) and given in names:
        return names.index(given)
    number = int(given) if not isinstance(given, str) or given.isdecimal() else -1
    if not 0 <= number < len(names):
        raise AttributionError(
            f"The {what} '{given}' is no output of this network."
            f"{did_you_mean(given, names)} Its number, from 0 on, does too."
        )
    return number


def _by_voxel(outputs: torch.Tensor) -> torch.Tensor:
    """Return the logit of anything but the background, (N, ...)."""
    if outputs.shape[1] == 1:
        return outputs[:, 0]
    return torch.logsumexp(outputs[:, 1:], dim=1) - outputs[:, 0]
