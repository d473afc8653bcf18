"""Sites left out in turn, whose share of patients differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from clinicadl_trust.stats import evaluate, roc_auc, unit_interval, unit_ttest
from clinicadl_trust.trust_check.learners import (
    Hospitals,
    Learner,
    auc_of,
    predict,
    ridge,
)
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]

_PENALTY = 50.0
_RIDGE = partial(ridge, penalty=_PENALTY)
_OTHER = partial(ridge, penalty=5.0)


@dataclass(frozen=True)
class LeftOut:
    """Labels and scores by site, each from a model trained at all other sites."""

    label: list[Array]
    score: list[Array]

    @property
    def values(self) -> Array:
        """The AUC within each site."""
        pairs = zip(self.label, self.score, strict=True)
        return np.array([auc_of(label, score) for label, score in pairs])

    def pooled(self) -> tuple[Array, Array]:
        """Return all labels, and all scores."""
        return np.concatenate(self.label), np.concatenate(self.score)

    def predictions(self) -> pd.DataFrame:
        """Return the table that any user would have."""
        label, score = self.pooled()
        site = np.repeat(np.arange(len(self.label)), [len(y) for y in self.label])
        return pd.DataFrame(
            {
                "participant_id": np.arange(label.size).astype(str),
                "session_id": "M000",
                "site": site.astype(str),
                "split_strategy": "LeaveOneSiteOut",
                "split": site,
                "fold": site.astype(str),
                "repeat": 0,
                "seed": 0,
                "model": "ridge",
                "group": "test",
                "label": label,
                "score": 1 / (1 + np.exp(-score)),
            }
        )


def _leave_out(hospitals: list[tuple[Array, Array]], learner: Learner) -> LeftOut:
    scores = []
    for out, (features, _) in enumerate(hospitals):
        rest = [each for number, each in enumerate(hospitals) if number != out]
        model = learner(*(np.concatenate(each) for each in zip(*rest, strict=True)))
        scores.append(predict(features, model))
    return LeftOut([label for _, label in hospitals], scores)


def _one(hospitals: Hospitals) -> Callable[[np.random.Generator], LeftOut]:
    return lambda rng: _leave_out(hospitals.draw(rng), _RIDGE)


def _two(hospitals: Hospitals) -> Callable[[np.random.Generator], Array]:
    def draw(rng: np.random.Generator) -> Array:
        drawn = hospitals.draw(rng)
        ours, theirs = (_leave_out(drawn, each).values for each in (_RIDGE, _OTHER))
        return ours - theirs

    return draw


def _truth(hospitals: Hospitals) -> Callable[[LeftOut], float]:
    return lambda _: hospitals.truth(_RIDGE)


def _evaluated(data: LeftOut) -> Answer:
    row = evaluate(data.predictions(), "roc_auc").iloc[0]
    return Answer(row["low"], row["high"], calibration=row["calibration"])


_NAIVE = (
    Procedure(
        "DeLong's interval of all scores put together",
        lambda d: roc_auc(*d.pooled()),
        True,
    ),
)
_WITHIN = Procedure(
    "unit_interval: within site, t over sites",
    lambda d: unit_interval(d.values, bounds=(0.0, 1.0)),
)
_WHOLE_TABLE = Procedure("evaluate: within site, t over sites", _evaluated)
_DIFFERENCE = (Procedure("unit_ttest: t over sites", unit_ttest),)

_WIDE = (0.2, 0.8)
_ONES = {
    "5 sites, no effect, prevalence .35 to .65": Hospitals(5),
    "5 sites, no effect, prevalence .2 to .8": Hospitals(5, prevalence=_WIDE),
    "8 sites, no effect, prevalence .2 to .8": Hospitals(8, prevalence=_WIDE),
    "20 sites, no effect, prevalence .2 to .8": Hospitals(20, prevalence=_WIDE),
    "5 sites, an effect, prevalence .2 to .8": Hospitals(
        5, effect=1.0, prevalence=_WIDE
    ),
    "8 sites, an effect that differs, prevalence .2 to .8": Hospitals(
        8, effect=1.0, spread=1.0, prevalence=_WIDE
    ),
}

SCENARIO = Scenario(
    name="left-out-sites",
    title="Sites left out in turn, with other shares of patients",
    naive=(
        "The scores of all left-out sites are put together before the AUC is "
        "computed. A site with many patients is predicted by models that were trained "
        "where there are few, and its scores are lower for that alone: without any "
        "effect the AUC lies below .5."
    ),
    ours=(
        "The AUC within each site, averaged, with Student's t over sites. The models "
        "share training sites, which t cannot see: approximate."
    ),
    settings=(
        Setting(
            "5 sites, no effect, prevalence .2 to .8, as a table",
            _one(Hospitals(5, prevalence=_WIDE)),
            (*_NAIVE, _WHOLE_TABLE),
            truth=0.5,
        ),
        *(
            Setting(
                title,
                _one(hospitals),
                (*_NAIVE, _WITHIN),
                truth=_truth(hospitals),
            )
            for title, hospitals in _ONES.items()
        ),
        *(
            Setting(
                f"difference of two models of no use, {sites} sites",
                _two(Hospitals(sites, prevalence=_WIDE)),
                _DIFFERENCE,
                truth=0.0,
            )
            for sites in (5, 20)
        ),
    ),
)
