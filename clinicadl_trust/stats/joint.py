"""Several numbers of the same participants: their covariance, and max-T."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.options import check_seed
from clinicadl_trust.stats.sample import Sample

__all__ = ["Means", "clustered_means", "max_t"]

#: Draws for adjusted p-values: .05 is known to .0007.
N_SIMULATIONS = 100_000


@dataclass(frozen=True)
class Means:
    """Means over the same images.

    Attributes
    ----------
    values : numpy.ndarray of shape (k,)
        The means.
    covariance : numpy.ndarray of shape (k, k)
        Their cluster sandwich, nan with a single cluster.
    n_contributing : numpy.ndarray of shape (k,)
        Clusters with an image whose value is not 0.
    n_telling : numpy.ndarray of shape (k,)
        Clusters that the variance rests on, (sum d^2)^2 / sum d^4 of what each differs
        by: few where rare values are large.
    """

    values: np.ndarray
    covariance: np.ndarray
    n_contributing: np.ndarray
    n_telling: np.ndarray

    @property
    def standard_errors(self) -> np.ndarray:
        """Roots of the variances; what rounding leaves of 0 is 0."""
        errors = np.sqrt(np.diag(self.covariance))
        return np.where(errors < 1e-12, 0.0, errors)


def clustered_means(each: np.ndarray, sample: Sample) -> Means:
    """Average what each image adds, with the covariance over clusters.

    Parameters
    ----------
    each : numpy.ndarray of shape (n_images, k)
        One column per mean.
    sample : Sample
        Whose images they are.
    """
    n, g = len(each), sample.n_clusters
    values = each.mean(axis=0)
    columns = (each - values).T
    sums = np.stack([np.bincount(sample.cluster, c, g) for c in columns])
    factor = g / (g - 1) if g > 1 else np.nan
    filled = [np.bincount(sample.cluster, c != 0, g) > 0 for c in each.T]
    squares = sums**2
    with np.errstate(divide="ignore", invalid="ignore"):
        telling = squares.sum(axis=1) ** 2 / (squares**2).sum(axis=1)
    covariance = factor * (sums @ sums.T) / n**2
    return Means(
        values, covariance, np.sum(filled, axis=1), np.nan_to_num(telling, nan=0.0)
    )


def max_t(
    p_values: npt.ArrayLike,
    covariance: np.ndarray,
    seed: int,
    df: float = np.inf,
) -> np.ndarray:
    """Adjust p-values for their number, as correlated as their effects are.

    Parameters
    ----------
    p_values : array-like of shape (k,)
        Two-sided; a nan stays nan and does not count.
    covariance : numpy.ndarray of shape (k, k)
        Of the effects, on any scale; one with a variance of 0 counts as independent of
        the others.
    seed : int
        Of the simulation of their joint distribution.
    df : float
        Degrees of freedom of a joint t distribution, that of the least sure of them;
        by default it is normal.

    Returns
    -------
    numpy.ndarray of shape (k,)
        Single-step max-T: the chance that the largest of all statistics is as large
        without any effect. Never below the p-value nor above Bonferroni's.

    Raises
    ------
    StatisticsError
        If there are other than k by k covariances.

    References
    ----------
    Westfall and Young, Resampling-Based Multiple Testing, 1993; Hothorn, Bretz and
    Westfall, Biometrical Journal 50, 2008.
    """
    check_seed(seed)
    raw = np.asarray(p_values, dtype=float)
    if covariance.shape != (raw.size, raw.size):
        raise StatisticsError(
            f"{raw.size} p-values need a covariance of as many rows and columns, not "
            f"of shape {covariance.shape}."
        )
    known = np.isfinite(raw)
    adjusted = np.full(raw.size, np.nan)
    if not known.any():
        return adjusted
    values, vectors = np.linalg.eigh(_correlation(covariance[np.ix_(known, known)]))
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(N_SIMULATIONS, len(values))) @ root.T
    if np.isfinite(df):
        drawn /= np.sqrt(rng.chisquare(df, (N_SIMULATIONS, 1)) / df)
    greatest = np.sort(np.abs(drawn).max(axis=1))
    half = raw[known] / 2
    seen = -(special.stdtrit(df, half) if np.isfinite(df) else special.ndtri(half))
    above = N_SIMULATIONS - np.searchsorted(greatest, seen)
    chance = np.minimum((1 + above) / (1 + N_SIMULATIONS), known.sum() * raw[known])
    adjusted[known] = np.clip(chance, raw[known], 1.0)
    return adjusted


def _correlation(covariance: np.ndarray) -> np.ndarray:
    errors = np.sqrt(np.diag(covariance))
    errors = np.where(errors > 0, errors, np.inf)
    correlation = covariance / np.outer(errors, errors)
    np.fill_diagonal(correlation, 1.0)
    return correlation
