"""How well site, age and sex alone predict the label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from clinicadl_trust.split.strata import is_quantity
from clinicadl_trust.tables import as_text

__all__ = ["Confounding", "estimate_confounding"]

#: A label is called confounded when the interval excludes chance and one of the
#: associations below is this improbable after correction. Alone, a 95 % interval would
#: blame one clean cohort in thirty; together they blame one in two hundred, and still
#: see a prevalence of .25 to .75 over four sites in two cohorts of 120 out of three.
LARGEST_P = 0.005

N_SPLITS, N_REPEATS = 5, 10
_COVARIATES = ("site", "age", "sex")


@dataclass(frozen=True)
class Confounding:
    """A prediction of the label without the image.

    Attributes
    ----------
    label : str
        What is predicted.
    metric : {"ROC AUC", "R2"}
        Mean over the folds of a cross-validation over participants.
    value, low, high : float
        Estimate and interval, which is approximate (Nadeau and Bengio 2003).
    chance : float
        The value without any association.
    confidence_level : float
        Of the interval.
    n_participants : int
        How many had a label.
    p_values : dict of str to float
        Of the association of each covariate with the label, corrected for their
        number (Holm).
    """

    label: str
    metric: str
    value: float
    low: float
    high: float
    chance: float
    confidence_level: float
    n_participants: int
    p_values: dict[str, float]

    @property
    def covariates(self) -> list[str]:
        """What the label is predicted from."""
        return list(self.p_values)

    @property
    def is_confounded(self) -> bool:
        """Whether the label is predicted better than chance can explain."""
        return self.low > self.chance and min(self.p_values.values()) < LARGEST_P

    def __str__(self) -> str:
        return (
            f"From {_and(self.covariates)} alone, {self.label} is predicted "
            f"with {self.metric} {self.value:.2f} [{self.low:.2f}, {self.high:.2f}] "
            f"({self.confidence_level:.0%}, {self.n_participants} participants; chance "
            f"is {self.chance:g})."
        )


def estimate_confounding(
    table: pd.DataFrame, label: str, confidence_level: float = 0.95, seed: int = 0
) -> Confounding | None:
    """Predict a label from site, age and sex by ridge regression.

    Each participant counts once, with the first session that has a label. The
    interval is that of Nadeau and Bengio for repeated cross-validation: its variance
    is widened because training sets overlap.

    Parameters
    ----------
    table : pandas.DataFrame
        The cohort's rows.
    label : str
        The column to predict.
    confidence_level : float, default=0.95
        Of the interval.
    seed : int, default=0
        Seeds the folds.

    Returns
    -------
    Confounding or None
        None when no covariate varies, or there are too few participants for a
        cross-validation.

    References
    ----------
    Nadeau, Bengio (2003). Inference for the generalization error. Machine Learning
    52, 239-281.
    """
    people = table[table[label].notna()].groupby("participant_id", sort=True).first()
    names = [
        name
        for name in _COVARIATES
        if name in people and name != label and people[name].nunique() > 1
    ]
    quantity = is_quantity(table[label].dropna())
    target = people[label].to_numpy(float) if quantity else _codes(people[label])
    if not names or not _enough(target, quantity):
        return None
    values, ratio = _cross_validate(people[names], target, quantity, seed)
    low, high = _interval(values, ratio, confidence_level)
    return Confounding(
        label=label,
        metric="R2" if quantity else "ROC AUC",
        value=float(values.mean()),
        low=low,
        high=high,
        chance=0.0 if quantity else 0.5,
        confidence_level=confidence_level,
        n_participants=len(people),
        p_values=_associations(people[names], target, quantity),
    )


def _enough(target: np.ndarray, quantity: bool) -> bool:
    if quantity:
        return len(target) >= 4 * N_SPLITS
    counts = np.unique(target, return_counts=True)[1]
    return len(counts) > 1 and counts.min() >= N_SPLITS


def _codes(values: pd.Series) -> np.ndarray:
    return as_text(values).astype("category").cat.codes.to_numpy()


def _cross_validate(
    people: pd.DataFrame, target: np.ndarray, quantity: bool, seed: int
) -> tuple[np.ndarray, float]:
    """Return the metric of every fold and the ratio of test to training size."""
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    kind = RepeatedKFold if quantity else RepeatedStratifiedKFold
    folds = kind(n_splits=N_SPLITS, n_repeats=N_REPEATS, random_state=seed)
    design = _design(people)
    # A class is predicted by regression on its indicator, which ranks participants as
    # a linear discriminant does.
    outcome = target[:, None] if quantity else np.eye(target.max() + 1)[target]
    values = []
    for train, test in folds.split(design, target):
        scores = _ridge(design[train], outcome[train], design[test])
        measure = _r2 if quantity else _auc
        values.append(
            np.mean(
                [measure(*pair) for pair in zip(outcome[test].T, scores.T, strict=True)]
            )
        )
    return np.array(values), 1 / (N_SPLITS - 1)


def _ridge(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    centre, mean = x.mean(axis=0), y.mean(axis=0)
    gram = (x - centre).T @ (x - centre) + np.eye(x.shape[1])
    return mean + (new - centre) @ np.linalg.solve(gram, (x - centre).T @ (y - mean))


def _auc(truth: np.ndarray, score: np.ndarray) -> float:
    """Return the probability that one of the class scores above one of the others."""
    from scipy.stats import rankdata

    n = int(truth.sum())
    ranks = rankdata(score)[truth == 1].sum()
    return float((ranks - n * (n + 1) / 2) / (n * (len(truth) - n)))


def _r2(truth: np.ndarray, score: np.ndarray) -> float:
    return float(1 - ((truth - score) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def _design(people: pd.DataFrame) -> np.ndarray:
    """Code the covariates; the labels have no part in it, so all rows may."""
    groups = people.drop(columns="age", errors="ignore").fillna("n/a").astype(str)
    columns = [pd.get_dummies(groups).to_numpy(float)] if len(groups.columns) else []
    if "age" in people:
        age = people["age"].fillna(people["age"].median())
        columns.append(((age - age.mean()) / age.std()).to_numpy()[:, None])
    return np.hstack(columns)


def _interval(values: np.ndarray, ratio: float, level: float) -> tuple[float, float]:
    from scipy import stats

    error = np.sqrt((1 / len(values) + ratio) * values.var(ddof=1))
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * error
    return float(values.mean() - half), float(values.mean() + half)


def _associations(
    people: pd.DataFrame, target: np.ndarray, quantity: bool
) -> dict[str, float]:
    """Test each covariate against the label, one at a time."""
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    raw = []
    for name in people:
        known = people[name].notna().to_numpy()
        covariate, label = people[name][known], target[known]
        if name == "age" and quantity:
            p = stats.spearmanr(covariate, label).pvalue
        elif name == "age":
            p = stats.kruskal(*(covariate[label == c] for c in np.unique(label))).pvalue
        elif quantity:
            p = stats.kruskal(
                *(label[covariate == c] for c in covariate.unique())
            ).pvalue
        else:
            table = pd.crosstab(covariate.to_numpy(), label)
            p = stats.chi2_contingency(table, correction=False).pvalue
        raw.append(float(p))
    corrected = multipletests(np.nan_to_num(raw, nan=1.0), method="holm")[1]
    return {name: float(p) for name, p in zip(people, corrected, strict=True)}


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
