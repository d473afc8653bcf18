"""People who read the same cases, with and without help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats as distributions
from scipy.special import ndtr, ndtri

from clinicadl_trust.stats import MRMC, Comparison, compare_roc_auc, mrmc, roc_auc
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Study:
    """Readings of shape (2 treatments, readers, cases), and their analysis."""

    score: Array
    label: Array
    made: MRMC

    def pooled(self, treatment: int) -> tuple[Array, Array]:
        """Return labels and scores of all readings, as if each were another case."""
        readers = self.score.shape[1]
        return np.tile(self.label, readers), self.score[treatment].ravel()


@dataclass(frozen=True)
class _Readers:
    """Roe and Metz's model (1997): two treatments that are equal.

    ``auc`` is that of the reader in the middle, ``between`` the variance of readers.
    """

    readers: int
    cases: int
    auc: float
    between: float

    def __call__(self, rng: np.random.Generator) -> Study:
        shape = (2, self.readers, 2 * self.cases)
        truth = np.repeat([1.0, 0.0], self.cases)
        shift = 2**0.5 * ndtri(self.auc) + (2 * self.between) ** 0.5 * (
            rng.normal(size=self.readers) + rng.normal(size=shape[:2])
        )
        score = shift[:, :, None] * truth
        for share, size in (
            (0.3, shape[2:]),
            (0.3, (2, 1, shape[2])),
            (0.2, shape[1:]),
        ):
            score = score + share**0.5 * rng.normal(size=size)
        score = score + 0.2**0.5 * rng.normal(size=shape)
        treatment, reader, case = (axis.ravel() for axis in np.indices(shape))
        return Study(
            score, truth, mrmc(score.ravel(), truth[case], reader, case, treatment)
        )

    @property
    def truth(self) -> float:
        """The mean AUC of all readers there could be."""
        middle = 2**0.5 * ndtri(self.auc)
        return float(ndtr(middle / (2 + 4 * self.between) ** 0.5))


def _as_cases(data: Study) -> Comparison:
    label, first = data.pooled(0)
    return compare_roc_auc(label, first, data.pooled(1)[1])


def _over_readers(data: Study) -> Answer:
    """Return the t interval of the readers' AUCs with the first treatment."""
    values = data.made.auc.iloc[:, 0].to_numpy()
    reach = distributions.sem(values) * distributions.t.ppf(0.975, values.size - 1)
    return Answer.around(float(values.mean()), float(reach))


_ONE = (
    Procedure("DeLong, each reading a case", lambda d: roc_auc(*d.pooled(0)), True),
    Procedure("t interval of the readers' AUCs", _over_readers, True),
    Procedure(
        "mrmc: mean AUC of a treatment",
        lambda d: next(iter(d.made.treatments.values())),
    ),
)
_TWO = (
    Procedure(
        "DeLong's test, each reading a case",
        _as_cases,
        True,
    ),
    Procedure(
        "mrmc: difference of two treatments",
        lambda d: next(iter(d.made.differences.values())),
    ),
)
_DESIGNS = {
    "5 readers, 100 cases, AUC .85": _Readers(5, 50, 0.85, 0.0055),
    "5 readers who differ, 100 cases, AUC .85": _Readers(5, 50, 0.85, 0.03),
    "3 readers, 100 cases, AUC .85": _Readers(3, 50, 0.85, 0.0055),
    "10 readers, 100 cases, AUC .7": _Readers(10, 50, 0.7, 0.0055),
    "3 readers, 50 cases, AUC .96": _Readers(3, 25, 0.96, 0.01),
}

SCENARIO = Scenario(
    name="readers",
    title="People who read the same cases",
    naive=(
        "Every reading is taken for another case, or only readers are counted and the "
        "cases are taken for given: a claim about other readers and other patients "
        "needs both."
    ),
    ours="Obuchowski and Rockette's analysis, where readers and cases are random.",
    settings=(
        *(
            Setting(f"mean AUC, {title}", design, _ONE, truth=design.truth)
            for title, design in _DESIGNS.items()
        ),
        *(
            Setting(f"two equal treatments, {title}", design, _TWO, "rejection")
            for title, design in _DESIGNS.items()
        ),
    ),
)
