"""The unit in which a network sees quantities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

__all__ = ["Scale"]

#: A number for one output, one a column for several.
Numbers: TypeAlias = float | list[float]


@dataclass(frozen=True)
class Scale:
    """The unit in which a network sees a quantity, or several.

    Attributes
    ----------
    mean, deviation : float or list of float
        Of the training set. A network that starts near 0 would take most of its
        training to reach an age of 70.
    """

    mean: Numbers = 0.0
    deviation: Numbers = 1.0

    @classmethod
    def of(cls, values: np.ndarray) -> Scale:
        """Measure the training set's.

        Parameters
        ----------
        values : numpy.ndarray of shape (n_images,) or (n_images, n_outputs)
            Its labels; each column of several has its own scale.
        """
        deviation = np.std(values, axis=0)
        deviation = np.where(deviation > 0, deviation, 1.0)
        return cls(np.mean(values, axis=0).tolist(), deviation.tolist())

    def to_network(self, values: np.ndarray) -> np.ndarray:
        """Express labels in the network's unit."""
        return (values - np.asarray(self.mean)) / np.asarray(self.deviation)

    def to_user(self, outputs: np.ndarray) -> np.ndarray:
        """Express outputs in the label's own unit."""
        return outputs * np.asarray(self.deviation) + np.asarray(self.mean)

    def threshold(self, value: float, output: int) -> float:
        """Express a value of one output in the network's unit."""
        means, deviations = np.atleast_1d(self.mean), np.atleast_1d(self.deviation)
        return float((value - means[output]) / deviations[output])
