"""Networks trained again from other seeds, each seed counted once."""

from __future__ import annotations

from collections.abc import Sequence

from clinicadl_trust.stats.estimands import SEED
from clinicadl_trust.stats.means import finite_values, mean_test
from clinicadl_trust.stats.results import Comparison

__all__ = ["seed_ttest"]


def seed_ttest(
    differences: Sequence[float], confidence_level: float = 0.95
) -> Comparison:
    """Test whether one way of training beats another, seed by seed.

    Parameters
    ----------
    differences : sequence of float of length S
        First minus second way in each seed, of a metric of the same test images.
    confidence_level : float
        For example .95.

    Returns
    -------
    Comparison
        The paired t-test with S - 1 degrees of freedom. It tells of these test
        images: participants are not drawn again, as ``compare`` does, which in turn
        takes the networks as they are.

    Raises
    ------
    StatisticsError
        If a value is not finite.
    """
    array = finite_values(differences)
    return mean_test(
        array,
        1.0 / array.size,
        confidence_level,
        method="paired t over seeds",
        estimand=SEED,
        n_units=array.size,
    )
