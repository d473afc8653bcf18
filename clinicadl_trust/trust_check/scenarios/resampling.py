"""The bootstrap: of participants, of a few sites, and of images, which is naive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit

from clinicadl_trust.stats import bootstrap, unit_interval
from clinicadl_trust.stats.resampling.quantiles import Method
from clinicadl_trust.trust_check.populations import Group
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

#: The studentized bootstrap needs a standard error of each resample, which is slow.
_RESAMPLES: dict[Method, int] = {
    "percentile": 499,
    "basic": 499,
    "bca": 499,
    "studentized": 199,
}


def _participants(group: Group) -> Callable[[np.random.Generator], pd.DataFrame]:
    def draw(rng: np.random.Generator) -> pd.DataFrame:
        sample, score, _ = group.draw(rng)
        return pd.DataFrame(
            {"cluster": sample.cluster, "label": sample.label, "score": score}
        )

    return draw


@dataclass(frozen=True)
class _Sites:
    """Errors of 25 participants at each site, whose mean differs by site."""

    sites: int
    spread: float

    def __call__(self, rng: np.random.Generator) -> pd.DataFrame:
        site = np.repeat(np.arange(self.sites), 25)
        error = 5 + self.spread * rng.normal(size=self.sites)[site]
        error += rng.normal(size=site.size)
        return pd.DataFrame({"cluster": site, "label": 0.0, "score": error})


def _bootstrap(
    statistic: str, method: Method, table: pd.DataFrame, cluster: str | None
) -> Answer:
    return Answer.of(
        bootstrap(
            statistic,
            table,
            cluster=cluster,
            method=method,
            n_resamples=_RESAMPLES[method],
            # Of the data, for every replicate must have resamples of its own.
            seed=int(expit(table["score"].to_numpy()[:8]).sum() * 1e9),
        )
    )


def _procedures(
    statistic: str, unit: str, methods: tuple[Method, ...] = tuple(_RESAMPLES)
) -> tuple[Procedure, ...]:
    naive = Procedure(
        "percentile bootstrap of images",
        partial(_bootstrap, statistic, "percentile", cluster=None),
        True,
    )
    ours = tuple(
        Procedure(
            f"bootstrap(cluster={unit}, method='{method}')",
            partial(_bootstrap, statistic, method, cluster="cluster"),
        )
        for method in methods
    )
    return (naive, *ours)


def _t(table: pd.DataFrame) -> Answer:
    means = table.groupby("cluster")["score"].mean()
    return Answer.of(unit_interval(means.tolist()))


#: The studentized AUC is too slow to be drawn often.
_QUICK: tuple[Method, ...] = ("percentile", "basic", "bca")
_GROUPS: dict[Group, tuple[Method, ...]] = {
    Group(60, 5, 0.5, 0.75): _QUICK,
    Group(60, 5, 0.8, 0.95): _QUICK,
    Group(30, 3, 0.5, 0.75): _QUICK,
}

SCENARIO = Scenario(
    name="bootstrap",
    title="The bootstrap",
    naive=(
        "Images are drawn again one by one. Those of one participant, or of one "
        "hospital, are alike, and the interval is too short."
    ),
    ours=(
        "Whole participants, or hospitals, are drawn again. That is approximate with "
        "any method, and with under 20 of them too short but for the studentized one: "
        "the result says so, and offers the t interval."
    ),
    settings=(
        *(
            Setting(
                f"AUC {g.auc:g}, {g.participants} participants x {g.images} images, "
                f"ICC {g.icc:g}",
                _participants(g),
                _procedures("roc_auc", "participant", methods),
                truth=g.auc,
            )
            for g, methods in _GROUPS.items()
        ),
        *(
            Setting(
                f"mean error, {sites} sites x 25 participants",
                _Sites(sites, 0.5),
                (
                    *_procedures("mae", "site"),
                    Procedure("unit_interval: t over sites", _t),
                ),
                truth=5.0,
            )
            for sites in (4, 5, 8, 20)
        ),
    ),
)
