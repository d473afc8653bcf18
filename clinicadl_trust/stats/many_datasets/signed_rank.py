"""Two models on many independent datasets: Wilcoxon's signed ranks, exact."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.estimands import new_unit
from clinicadl_trust.stats.intervals import check_level, disagreement
from clinicadl_trust.stats.means import finite_values
from clinicadl_trust.stats.options import check_choice
from clinicadl_trust.stats.results import Comparison

__all__ = ["walsh_sums", "wilcoxon"]

Array = npt.NDArray[np.float64]

#: Up to so many datasets the null distribution is counted out.
_EXACT = 200
_ZERO_METHODS = ("wilcox", "pratt")


def wilcoxon(
    differences: Sequence[float],
    other: Sequence[float] | None = None,
    *,
    confidence_level: float = 0.95,
    zero_method: str = "wilcox",
) -> Comparison:
    """Test whether a model beats another on many datasets by signed ranks.

    Parameters
    ----------
    differences : sequence of float of length n
        First minus second model, one per dataset. Datasets are independent: not
        folds, and not sites that share training data.
    other : sequence of float of length n, optional
        The second model's values, where ``differences`` are those of the first.
    confidence_level : float
        For example .95.
    zero_method : {"wilcox", "pratt"}
        Differences of 0 are left out before ranking, as in SciPy and R, or after it.

    Returns
    -------
    Comparison
        ``effect`` is the pseudo-median (Hodges and Lehmann 1963) with the interval
        that belongs to the test; ``statistic`` the smaller rank sum. Up to 200
        datasets the p-value is exact, also with ties, given the sizes of the
        differences; beyond, normal. It assumes differences that are symmetric about
        their median. In our simulations of 6 to 30 datasets it rejects .03 to .06 at
        5 % and covers .94 to .97.

    Raises
    ------
    StatisticsError
        If a difference is not finite, the lengths differ or ``zero_method`` is
        unknown.

    References
    ----------
    Wilcoxon (1945), Biometrics Bulletin 1, 80-83. Pratt (1959), JASA 54, 655-667.
    Hodges, Lehmann (1963), Annals of Mathematical Statistics 34, 598-611.
    """
    check_level(confidence_level)
    check_choice("zero_method", zero_method, _ZERO_METHODS)
    array = finite_values(differences)
    if other is not None:
        second = finite_values(other)
        if second.size != array.size:
            raise StatisticsError(
                f"The first model has {array.size} values and the second {second.size}."
                " Give one of each for every dataset, in the same order."
            )
        array = array - second
    ranks = _signed_ranks(array, zero_method)
    smaller = float(min(ranks[ranks > 0].sum(), -ranks[ranks < 0].sum()))
    walsh = walsh_sums(array) / 2
    low, high = _interval(walsh, array.size, confidence_level)
    p_value = _signed_rank_p_value(np.abs(ranks), smaller)
    least = 2.0 ** (1 - ranks.size) if ranks.size else 1.0
    can_reject = least <= 1 - confidence_level
    return Comparison(
        effect=float(np.median(walsh)),
        low=low,
        high=high,
        p_value=p_value,
        statistic=smaller,
        df=math.nan,
        method="Wilcoxon signed rank, "
        + ("exact" if ranks.size <= _EXACT else "normal approximation"),
        calibration="calibrated" if can_reject else "conservative",
        estimand=new_unit("dataset"),
        n=array.size,
        n_clusters=array.size,
        warnings=(
            *_wilcoxon_warnings(ranks.size, array.size, least, can_reject),
            *disagreement(low, high, p_value, confidence_level),
        ),
        confidence_level=confidence_level,
    )


def _signed_ranks(array: Array, zero_method: str) -> Array:
    kept = array[array != 0] if zero_method == "wilcox" else array
    ranks = np.sign(kept) * distributions.rankdata(np.abs(kept))
    return np.asarray(ranks[kept != 0], dtype=float)


def _null_distribution(ranks: Array) -> Array:
    """Return the chance of each rank sum, in halves, when every sign is a coin toss."""
    chance = np.ones(1)
    for rank in np.rint(2 * ranks).astype(int):  # tied ranks are halves
        longer = np.zeros(chance.size + rank)
        longer[: chance.size] += chance / 2
        longer[rank:] += chance / 2
        chance = longer
    return chance


def _signed_rank_p_value(ranks: Array, smaller: float) -> float:
    """Two-sided p-value of the smaller rank sum, over all signs of these ranks."""
    if not ranks.size:
        return 1.0
    if ranks.size > _EXACT:
        error = math.sqrt((ranks**2).sum() / 4)
        return float(min(1.0, 2 * special.ndtr((smaller - ranks.sum() / 2) / error)))
    chance = _null_distribution(ranks)
    return float(min(1.0, 2 * chance[: round(2 * smaller) + 1].sum()))


def _interval(walsh: Array, n: int, level: float) -> tuple[float, float]:
    """Order statistics of the pairwise means that the test does not reject."""
    if n > _EXACT:
        error = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        reach = int(walsh.size / 2 + special.ndtri((1 - level) / 2) * error)
    else:
        cumulated = np.cumsum(
            _null_distribution(np.arange(1, n + 1, dtype=np.float64))[::2]
        )
        reach = int((2 * cumulated <= 1 - level).sum())
    if reach < 1:
        return math.nan, math.nan
    return float(walsh[reach - 1]), float(walsh[walsh.size - reach])


def _wilcoxon_warnings(
    n_ranks: int, n: int, least: float, can_reject: bool
) -> tuple[str, ...]:
    warnings = []
    if n_ranks < n:
        warnings.append(f"{n - n_ranks} of {n} differences are 0.")
    if not can_reject:
        warnings.append(
            f"With {n_ranks} differences the smallest possible p-value is {least:.3g}: "
            "this test cannot reject."
        )
    return tuple(warnings)


def walsh_sums(values: Array) -> Array:
    """Return sums of all pairs with i <= j in ascending order.

    Half of it are the Walsh averages, of which the pseudo-median is the median.
    """
    first, second = np.triu_indices(values.size)
    return np.sort(values[first] + values[second])
