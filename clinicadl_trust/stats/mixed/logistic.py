"""Log-likelihood of a logistic model, row by row, with its derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

__all__ = ["LogisticRows", "Moments"]

Array = NDArray[np.float64]

#: Below this a row's variance is no longer told from 0.
_LEAST = 1e-14


@dataclass(frozen=True)
class Moments:
    """The response given its linear predictor.

    Attributes
    ----------
    eta, mean, variance, residuals : ndarray of float, shape (n_rows,)
        Linear predictor; probability; variance and residuals of the number of
        successes.
    log_likelihoods : ndarray of float, shape (n_rows,)
        Without the binomial coefficients.
    """

    eta: Array
    mean: Array
    variance: Array
    residuals: Array
    log_likelihoods: Array


class LogisticRows:
    """Shares of successes among trials.

    Parameters
    ----------
    y, trials : ndarray of float, shape (n_rows,)
        Share of successes, number of trials.
    """

    def __init__(self, y: Array, trials: Array) -> None:
        self.y, self.trials = y, trials
        self.successes = trials * y
        failures = trials - self.successes
        #: Logarithm of the binomial coefficients.
        self.constant = float(
            (gammaln(trials + 1) - gammaln(self.successes + 1)).sum()
            - gammaln(failures + 1).sum()
        )

    def at(self, eta: Array) -> Moments:
        """Return likelihood and moments at a linear predictor, shape (n_rows,)."""
        # One exponential serves all; it never overflows, nor is 1 - mean cancelled.
        small = np.exp(-np.abs(eta))
        share = 1 / (1 + small)
        mean = np.where(eta >= 0, share, small * share)
        variance = self.trials * np.maximum(small * share**2, _LEAST)
        softplus = np.maximum(eta, 0) + np.log1p(small)
        return Moments(
            eta,
            mean,
            variance,
            self.successes - self.trials * mean,
            self.successes * eta - self.trials * softplus,
        )
