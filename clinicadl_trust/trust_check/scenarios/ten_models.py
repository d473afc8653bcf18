"""Several models on the same images, one of them unlike the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats as distributions

from clinicadl_trust.stats import ModelComparison, compare_models
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Values:
    """A value, such as Dice, of each image and model; the last model is the odd one.

    Attributes
    ----------
    by_image : ndarray of shape (n_images, n_models)
        One image of each participant.
    site : ndarray of int, shape (n_images,), or None
        Hospitals.
    """

    by_image: Array
    site: npt.NDArray[np.intp] | None = None

    @cached_property
    def compared(self) -> ModelComparison:
        """All pairs, compared by ours."""
        n, k = self.by_image.shape
        table = pd.DataFrame(
            {
                "participant_id": np.repeat(np.arange(n), k).astype(str),
                "session_id": "M000",
                "model": np.tile([f"m{i}" for i in range(k)], n),
                "dice": self.by_image.ravel(),
            }
        )
        if self.site is not None:
            table["site"] = np.repeat(self.site, k).astype(str)
        return compare_models(table, "dice")

    def pair(self, first: int, second: int) -> Answer:
        """Return the answer on one pair, as ours gives it."""
        rows = self.compared.comparisons
        keep = (rows["model"] == f"m{first}") & (rows["reference"] == f"m{second}")
        row = rows[keep].iloc[0]
        return Answer(
            row["low"], row["high"], row["p_value"], self.compared.calibration
        )

    def any_pair(self) -> Answer:
        """Return the smallest adjusted p-value."""
        least = self.compared.comparisons["p_adjusted"].min()
        return Answer(p_value=float(least), calibration=self.compared.calibration)

    def shared_intercepts(self, first: int, second: int) -> Answer:
        """Test a pair in ``value ~ model + (1 | image)``, whose noise all pairs share.

        In this balanced table it is the repeated-measures analysis of variance.
        """
        x = self.by_image
        n, k = x.shape
        rest = x - x.mean(axis=0) - x.mean(axis=1, keepdims=True) + x.mean()
        df = (n - 1) * (k - 1)
        error = np.sqrt(2 * (rest**2).sum() / df / n)
        t = abs(x[:, first].mean() - x[:, second].mean()) / error
        return Answer(p_value=float(2 * distributions.t.sf(t, df)))

    def ignoring_sites(self, first: int, second: int) -> Answer:
        """Test a pair by the paired t-test of all images."""
        d = self.by_image[:, first] - self.by_image[:, second]
        return Answer(p_value=float(distributions.ttest_1samp(d, 0).pvalue))


def _ten(rng: np.random.Generator) -> Values:
    """Draw 60 images; nine models correlate by .95, the tenth by .5 with each."""
    correlation = np.full((10, 10), 0.95)
    correlation[9] = correlation[:, 9] = 0.5
    np.fill_diagonal(correlation, 1.0)
    root = np.linalg.cholesky(correlation)
    return Values(0.8 + 0.1 * rng.normal(size=(60, 10)) @ root.T)


@dataclass(frozen=True)
class _InSites:
    """Equal models that do better or worse from hospital to hospital."""

    sites: int
    models: int

    def __call__(self, rng: np.random.Generator) -> Values:
        site = np.arange(120) % self.sites
        image = 0.05 * rng.normal(size=(120, 1))
        by_site = 0.02 * rng.normal(size=(self.sites, self.models))[site]
        noise = 0.03 * rng.normal(size=(120, self.models))
        return Values(0.8 + image + by_site + noise, site)


_TEN = (
    Procedure(
        "one model with shared intercepts: odd one against another",
        lambda d: d.shared_intercepts(8, 9),
        True,
    ),
    Procedure(
        "one model with shared intercepts: two of the nine",
        lambda d: d.shared_intercepts(0, 1),
        True,
    ),
    Procedure("compare_models: odd one against another", lambda d: d.pair(8, 9)),
    Procedure("compare_models: two of the nine", lambda d: d.pair(0, 1)),
    Procedure("compare_models: any of 45 pairs, max-T", lambda d: d.any_pair()),
)
_SITES = (
    Procedure("paired t-test of images", lambda d: d.ignoring_sites(0, 1), True),
    Procedure("compare_models: one pair", lambda d: d.pair(0, 1)),
)
_MAX_T = Procedure("compare_models: any of 3 pairs, max-T", lambda d: d.any_pair())

SCENARIO = Scenario(
    name="ten-models",
    title="Many models on the same images",
    naive=(
        "All models are put into one mixed model with an intercept for each image, "
        "which supposes that any two of them are as alike as any others. Or the "
        "hospitals are left out, though some models do better at some of them."
    ),
    ours=(
        "Each pair's differences have a model of their own, with the variance between "
        "hospitals; max-T keeps the error rate of all pairs together."
    ),
    settings=(
        Setting(
            "ten equal models, nine alike (.95) and one not (.5)",
            _ten,
            _TEN,
            "rejection",
        ),
        *(
            Setting(
                f"{models} equal models that differ between {sites} sites",
                _InSites(sites, models),
                (*_SITES, _MAX_T) if models > 2 else _SITES,
                "rejection",
            )
            for sites, models in ((5, 2), (8, 3), (20, 2))
        ),
    ),
)
