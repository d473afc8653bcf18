"""What a hospital not seen may expect, against the mean of those that were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from clinicadl_trust.stats import Heterogeneity, heterogeneity, roc_auc
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

#: d' of an AUC of .85.
_MIDDLE = 2**0.5 * ndtri(0.85)


@dataclass(frozen=True)
class Seen:
    """The meta-analysis of sites that were seen, and the AUC of one that was not."""

    made: Heterogeneity
    unseen: float


@dataclass(frozen=True)
class _Sites:
    """Sites of 40 patients and 40 controls whose AUC varies around .85."""

    sites: int
    spread: float

    def __call__(self, rng: np.random.Generator) -> Seen:
        shift = _MIDDLE + self.spread * rng.normal(size=self.sites + 1)
        label = np.repeat([1.0, 0.0], 40)
        found = [roc_auc(label, d * label + rng.normal(size=80)) for d in shift[1:]]
        # An AUC of 1 has an interval, though no standard error.
        errors = [e.standard_error or (e.high - e.low) / 3.92 for e in found]
        made = heterogeneity([e.value for e in found], errors, transform="logit")
        return Seen(made, float(ndtr(shift[0] / 2**0.5)))

    @property
    def mean(self) -> float:
        """The mean AUC over all sites there could be, on the logit scale."""
        points, weights = np.polynomial.hermite_e.hermegauss(60)
        values = logit(ndtr((_MIDDLE + self.spread * points) / 2**0.5))
        return float(expit(weights @ values / weights.sum()))


_UNSEEN = (
    Procedure(
        "95 % interval of the mean over sites",
        lambda d: Answer(d.made.low, d.made.high),
        True,
    ),
    Procedure(
        "heterogeneity: prediction interval",
        lambda d: Answer(
            d.made.prediction_low,
            d.made.prediction_high,
            calibration=d.made.calibration,
        ),
    ),
)
_MEAN = (
    Procedure(
        "heterogeneity: Hartung and Knapp, logit scale",
        lambda d: Answer(d.made.low, d.made.high, calibration=d.made.calibration),
    ),
)
_DESIGNS = ((4, 0.4), (5, 0.4), (8, 0.4), (20, 0.4), (50, 0.4), (5, 0.15), (20, 0.15))


def _setting(sites: _Sites, is_mean: bool) -> Setting:
    title = "mean AUC" if is_mean else "AUC of the next site"
    return Setting(
        f"{title}, {sites.sites} sites, standard deviation {sites.spread:g} of d'",
        sites,
        _MEAN if is_mean else _UNSEEN,
        truth=sites.mean if is_mean else lambda d: d.unseen,
    )


SCENARIO = Scenario(
    name="new-site",
    title="The performance at a hospital not seen",
    naive=(
        "The confidence interval of the mean over hospitals is read as what the next "
        "hospital will see. It says where the mean lies, and the next hospital is not "
        "the mean."
    ),
    ours=(
        "A prediction interval adds the variance between hospitals. With few of them "
        "that variance is hardly known."
    ),
    settings=tuple(
        _setting(_Sites(*design), is_mean)
        for is_mean in (False, True)
        for design in _DESIGNS
    ),
)
