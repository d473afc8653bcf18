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


_DESIGNS = ((4, 0.4), (5, 0.4), (8, 0.4), (20, 0.4), (50, 0.4), (5, 0.15), (20, 0.15))


def _predicted(data: Seen) -> Answer:
    made = data.made
    return Answer(
        made.prediction_low, made.prediction_high, calibration=made.calibration
    )


def _averaged(data: Seen) -> Answer:
    return Answer(data.made.low, data.made.high, calibration=data.made.calibration)


def _setting(sites: _Sites) -> Setting:
    return Setting(
        f"{sites.sites} sites, standard deviation {sites.spread:g} of d'",
        sites,
        (
            Procedure("interval of the mean, for the next site", _averaged, True),
            Procedure("heterogeneity: prediction interval", _predicted),
            Procedure(
                "heterogeneity: Hartung and Knapp, for the mean",
                _averaged,
                truth=sites.mean,
            ),
        ),
        truth=lambda d: d.unseen,
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
    settings=tuple(_setting(_Sites(*design)) for design in _DESIGNS),
)
