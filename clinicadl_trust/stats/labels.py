"""What is known of a procedure with so many participants."""

from __future__ import annotations

from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.results import Calibration
from clinicadl_trust.stats.sample import Counts

__all__ = ["label_of", "say_few"]

#: From so many clusters in the smallest class on, intervals are neither too narrow
#: nor wider than need be (measured in tests/long/test_coverage.py).
ENOUGH_CLUSTERS = 20

#: The same for errors of a quantity, which may be heavy-tailed.
ENOUGH_FOR_QUANTITIES = 60

#: Below so many they do not keep their level.
FEWEST_CLUSTERS = 5

#: Nor where the clusters weigh like fewer than this part of them.
LEAST_EVEN = 0.5


def label_of(
    metric: Metric, best: Calibration, smallest: Counts, cautious: bool
) -> Calibration:
    """Say what was measured of such a procedure in tests/long/test_coverage.py.

    Parameters
    ----------
    metric : Metric
        What is estimated or compared by.
    best : {"calibrated", "conservative", "approximate"}
        Its label with enough participants.
    smallest : Counts
        Of the class with the fewest participants.
    cautious : bool
        Whether a cautious rule stood in for the standard error.
    """
    fewest = FEWEST_CLUSTERS
    if metric.is_of_quantities:
        fewest = ENOUGH_FOR_QUANTITIES
    n_effective = smallest.n_effective
    uneven = n_effective < LEAST_EVEN * smallest.n_clusters
    if n_effective < fewest or uneven or best == "approximate":
        return "approximate"
    return "conservative" if cautious or n_effective < ENOUGH_CLUSTERS else "calibrated"


def say_few(metric: Metric, smallest: Counts) -> tuple[str, ...]:
    """Say when a conclusion rests on few participants.

    Parameters
    ----------
    metric : Metric
        What is estimated or compared by.
    smallest : Counts
        Of the class with the fewest participants.

    Returns
    -------
    tuple of str
        A warning, or none.
    """
    n_clusters, n_effective = smallest.n_clusters, smallest.n_effective
    among = "" if metric.is_of_quantities else " in the smallest class"
    if n_clusters < FEWEST_CLUSTERS:
        rest = "too few for intervals that keep their level."
        if n_clusters < 2:
            rest = "no interval can be given."
        return (
            f"Only {n_clusters} participant{'s' * (n_clusters > 1)}{among}: {rest}",
        )
    if n_effective < LEAST_EVEN * n_clusters:
        return (
            f"A few of the {n_clusters} participants{among} have most of the images: "
            f"all of them weigh like {n_effective:.0f}.",
        )
    return ()
