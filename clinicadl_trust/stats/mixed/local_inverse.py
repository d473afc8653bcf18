"""Elements of the random effects' inverse that belong to one row of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.covariance import CovarianceFactor
from clinicadl_trust.stats.mixed.elimination import Elimination

__all__ = ["LocalInverse", "local_inverse"]

Array = NDArray[np.float64]

#: Numbers that are held at once.
_CHUNK = 20_000_000


@dataclass(frozen=True)
class LocalInverse:
    """``H^-1 T' z`` of each row, at the levels that the row belongs to.

    Attributes
    ----------
    effects : ndarray of float, shape (n_rows, n_effects)
        All groupings side by side.
    leverage : ndarray of float, shape (n_rows,)
        ``z' T H^-1 T' z``.
    starts : tuple of int
        First column of each grouping.
    """

    effects: Array
    leverage: Array
    starts: tuple[int, ...]

    def solved(self, grouping: int, effect: int) -> Array:
        """Return the column of an effect."""
        return self.effects[:, self.starts[grouping] + effect]


def local_inverse(
    elimination: Elimination, factor: CovarianceFactor, theta: Array
) -> LocalInverse:
    """Solve the system for each row's own effects.

    Parameters
    ----------
    elimination : Elimination
        The system, at ``theta``.
    factor : CovarianceFactor
        Of the same groupings.
    theta : ndarray of float, shape (n_theta,)
        Relative covariance parameters.

    Returns
    -------
    LocalInverse
        Exact.
    """
    scaled = [
        grouping.values @ matrix
        for grouping, matrix in zip(
            factor.groupings, factor.matrices(theta), strict=True
        )
    ]
    sizes = [part.shape[1] for part in scaled]
    starts = tuple(int(s) for s in np.cumsum([0, *sizes])[:-1])
    codes = factor.groupings[0].codes
    inverse = elimination.first_inverse
    own = np.einsum("nij,nj->ni", inverse[codes], scaled[0])
    if len(scaled) == 1:
        return LocalInverse(own, (own * scaled[0]).sum(axis=1), starts)
    positions = factor.positions
    z_rest = np.hstack(scaled[1:])
    made = np.empty((len(codes), sum(sizes)))
    # What is left of a row once its first grouping is eliminated, solved for.
    pushed, solve = elimination.pushed, elimination.system.solve
    n_rest, effects = pushed.shape[0], sizes[0]
    rest_inverse = solve(np.eye(n_rest))
    levels = max(1, _CHUNK // (n_rest * effects))
    for begin in range(0, len(factor.groupings[0].levels), levels):
        rows = np.flatnonzero((codes >= begin) & (codes < begin + levels))
        stop = min(begin + levels, len(factor.groupings[0].levels))
        part = pushed[:, begin * effects : stop * effects]
        if not isinstance(part, np.ndarray):
            part = part.toarray()
        part = part.reshape(n_rest, -1, effects)
        solved = (rest_inverse @ part.reshape(n_rest, -1)).reshape(part.shape)  # S^-1 C
        both = np.einsum("rqi,rqj->qij", part, solved)
        level = codes[rows] - begin
        place = positions[rows]
        across = solved[place, level[:, None]]  # (rows, rest effects, first effects)
        z1, z2 = scaled[0][rows], z_rest[rows]
        made[rows, :effects] = (
            own[rows]
            + np.einsum("nij,nj->ni", both[level], z1)
            - np.einsum("nri,nr->ni", across, z2)
        )
        among = rest_inverse[place[:, :, None], place[:, None, :]]
        made[rows, effects:] = np.einsum("nrs,ns->nr", among, z2) - np.einsum(
            "nri,ni->nr", across, z1
        )
    leverage = (made * np.hstack(scaled)).sum(axis=1)
    return LocalInverse(made, leverage, starts)
