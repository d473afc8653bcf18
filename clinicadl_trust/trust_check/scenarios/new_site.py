"""What a hospital not seen may expect, against the mean of those that were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from clinicadl_trust.stats import Heterogeneity, heterogeneity, roc_auc
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]


@dataclass(frozen=True)
class Seen:
    """The meta-analysis of sites that were seen, and the AUC of one that was not."""

    made: Heterogeneity
    unseen: float


@dataclass(frozen=True)
class _NewSite:
    """Sites of 40 patients and 40 controls whose AUC varies around .85."""

    sites: int
    spread: float

    def __call__(self, rng: np.random.Generator) -> Seen:
        middle = 2**0.5 * ndtri(0.85)
        shift = middle + self.spread * rng.normal(size=self.sites + 1)
        label = np.repeat([1.0, 0.0], 40)
        found = [roc_auc(label, d * label + rng.normal(size=80)) for d in shift[1:]]
        values, errors = zip(*((e.value, e.standard_error) for e in found), strict=True)
        made = heterogeneity(values, errors, transform="logit")
        return Seen(made, float(ndtr(shift[0] / 2**0.5)))


_PROCEDURES = (
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
        Setting(
            f"{sites} sites, standard deviation {spread:g} of d'",
            _NewSite(sites, spread),
            _PROCEDURES,
            truth=lambda d: d.unseen,
        )
        for sites, spread in ((4, 0.4), (5, 0.4), (8, 0.4), (20, 0.4), (50, 0.4))
    )
    + tuple(
        Setting(
            f"{sites} sites, standard deviation 0.15 of d'",
            _NewSite(sites, 0.15),
            _PROCEDURES,
            truth=lambda d: d.unseen,
        )
        for sites in (5, 20)
    ),
)
