"""How sure the conditional modes of random effects are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.cross_products import CrossProducts
from clinicadl_trust.stats.mixed.design import DesignMatrices
from clinicadl_trust.stats.mixed.elimination import Elimination

__all__ = ["mode_variances"]

Array = NDArray[np.float64]

#: Numbers that are held at once.
_CHUNK = 20_000_000


def mode_variances(
    design: DesignMatrices, theta: Array, weights: Array, scale: float
) -> list[Array]:
    """Compute the variances of the random effects given the data and the parameters.

    Parameters
    ----------
    design : DesignMatrices
        What was fitted.
    theta : ndarray of float, shape (n_theta,)
        Relative covariance parameters of the fit.
    weights : ndarray of float, shape (n_rows,)
        Prior weights; of a logistic model times the variance of the response.
    scale : float
        Residual standard deviation, 1 for a logistic model.

    Returns
    -------
    list of ndarray of float, shape (n_levels, n_effects)
        By grouping: the diagonal of ``scale ** 2 T (T' Z'WZ T + I)^-1 T'``, as lme4's
        ``ranef(condVar = TRUE)``. Fixed effects and theta are taken as known.
    """
    factor = CovarianceFactor(design.groupings)
    products = CrossProducts(factor)
    products.weigh(weights)
    elimination = Elimination(products, theta)
    own = np.einsum(
        "ij,qjk,lk->qil",
        elimination.first,
        elimination.first_inverse,
        elimination.first,
    )
    first = np.diagonal(own, axis1=1, axis2=2).copy()
    n_rest, shape = products.n_rest, first.shape
    among = np.empty(n_rest)
    # What the rest does not know is passed on to the first grouping, column by column.
    step = max(1, _CHUNK // max(1, first.size + n_rest))
    for start in range(0, n_rest, step):
        unit = np.eye(n_rest)[:, start : start + step]
        passed, rest = elimination.solve(np.zeros((*shape, unit.shape[1])), unit)
        among[start : start + step] = (rest * unit).sum(axis=0)
        part = products.cross[start : start + step]
        part = part if isinstance(part, np.ndarray) else part.toarray()
        pulled = np.einsum("qij,qjk->qik", own, part.T.reshape(*shape, -1))
        first -= (passed * pulled).sum(axis=2)
    made, start = [first], 0
    for grouping in factor.groupings[1:]:
        size = len(grouping.levels), grouping.values.shape[1]
        made.append(among[start : start + size[0] * size[1]].reshape(size))
        start += size[0] * size[1]
    return [scale**2 * variances for variances in made]
