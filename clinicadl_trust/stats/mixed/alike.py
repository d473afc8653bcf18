"""Levels that the elimination cannot tell apart, taken together.

Participants with as many images, all of one hospital, differ in their responses alone:
what is eliminated for one of them is eliminated for all.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clinicadl_trust.stats.mixed.cross_products import CrossProducts

__all__ = ["AlikeLevels", "alike_levels"]

Array = NDArray[np.float64]

#: Kinds up to which levels are taken together, and the most of them per level.
_MOST, _SHARE = 1000, 0.25


@dataclass(frozen=True)
class AlikeLevels:
    """The kinds of levels of the first grouping.

    Attributes
    ----------
    kinds : ndarray of int, shape (n_levels,)
        Of each level.
    products : CrossProducts
        Of one level of each kind, with how many there are in ``counts``.
    """

    kinds: NDArray[np.intp]
    products: CrossProducts

    def sums(self, first: Array) -> tuple[Array, Array]:
        """Return sums of the levels' right sides, and of their products, by kind.

        Parameters
        ----------
        first : ndarray of float, shape (n_levels, n_effects, k)
            As ``CrossProducts.transposed`` returns it.

        Returns
        -------
        sums : ndarray of float, shape (n_kinds, n_effects, k)
            By kind.
        squares : ndarray of float, shape (n_kinds, n_effects, k, n_effects, k)
            By kind.
        """
        order = np.argsort(self.kinds, kind="stable")
        ends = np.cumsum(np.bincount(self.kinds))[:-1]
        parts = [p.reshape(len(p), -1) for p in np.split(first[order], ends)]
        shape = first.shape[1:]
        sums = np.stack([part.sum(axis=0) for part in parts])
        squares = np.stack([part.T @ part for part in parts])
        return sums.reshape(-1, *shape), squares.reshape(-1, *shape, *shape)


def alike_levels(products: CrossProducts) -> AlikeLevels | None:
    """Find levels with the same cross-products; None where too few are alike."""
    blocks, cross = products.blocks, products.cross
    n_levels, effects = blocks.shape[:2]
    # Levels are sorted by a random projection, and then compared exactly.
    rng = np.random.default_rng(0)
    marks = blocks.reshape(n_levels, -1) @ rng.normal(size=effects**2)
    if products.n_rest:
        pushed = (cross.T @ rng.normal(size=products.n_rest)).reshape(n_levels, -1)
        marks = marks + pushed @ rng.normal(size=effects)
    marks = np.round(marks / max(np.abs(marks).max(), 1e-300), 12)
    _, places, kinds, counts = np.unique(
        marks, return_index=True, return_inverse=True, return_counts=True
    )
    if len(places) > min(_MOST, _SHARE * n_levels):
        return None
    made = copy(products)
    made.counts = counts.astype(float)
    made.blocks = blocks[places]
    if not np.array_equal(blocks, made.blocks[kinds]):
        return None
    if products.n_rest:
        columns = _columns(places, effects)
        if not _same(cross, cross[:, _columns(places[kinds], effects)]):
            return None
        made.cross = cross[:, columns]
        if not products.is_dense:
            made.cross, made.rest = made.cross.toarray(), products.rest.toarray()
            made.is_dense = True
    return AlikeLevels(kinds, made)


def _columns(levels: NDArray[np.intp], effects: int) -> NDArray[np.intp]:
    return np.asarray((levels[:, None] * effects + np.arange(effects)).ravel())


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, two)
    return (one != two).nnz == 0
