"""Multi-reader multi-case studies: do doctors read better with a treatment."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt
import pandas as pd
from scipy import special

from clinicadl_trust.stats.intervals import check_level
from clinicadl_trust.stats.multiplicity import adjust
from clinicadl_trust.stats.readers.obuchowski_rockette import (
    CALIBRATION,
    ESTIMAND,
    MANY,
    METHOD,
    covariances,
    differences,
    hillis,
    mean_squares,
    means,
)
from clinicadl_trust.stats.readers.readings import Readings
from clinicadl_trust.stats.results import Calibration, Comparison, Estimate

__all__ = ["MRMC", "mrmc"]


@dataclass(frozen=True, eq=False)
class MRMC:
    """The analysis of a multi-reader multi-case study.

    Attributes
    ----------
    auc : pandas.DataFrame of shape (n_readers, n_treatments)
        Each reader's AUC with each treatment.
    treatments : dict of str to Estimate
        Mean AUC of each treatment, from its own readings.
    differences : dict of str to Comparison
        Of each pair, ``"first - second"``; its p-value and interval are for it alone.
    f, df1, df2, p_value : float
        Test that all treatments are equal.
    variance, cov1, cov2, cov3 : float
        Mean variance of an AUC, and covariances between two AUCs: same reader and
        another treatment, another reader and the same treatment, both other.
    variance_reader, variance_treatment_reader : float
        Variance components, which may come out negative.
    ms_treatment, ms_reader, ms_treatment_reader : float
        Mean squares.
    n_readers, n_cases, n_positive : int
        Of the study.
    method, calibration, estimand, confidence_level, warnings
        As in ``Comparison``.
    """

    auc: pd.DataFrame
    treatments: dict[str, Estimate]
    differences: dict[str, Comparison]
    f: float
    df1: float
    df2: float
    p_value: float
    variance: float
    cov1: float
    cov2: float
    cov3: float
    variance_reader: float
    variance_treatment_reader: float
    ms_treatment: float
    ms_reader: float
    ms_treatment_reader: float
    n_readers: int
    n_cases: int
    n_positive: int
    method: str
    calibration: Calibration
    estimand: str
    confidence_level: float
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row per pair of treatments, with Holm's p-value beside its own."""
        made = pd.concat([each.to_frame() for each in self.differences.values()])
        made.insert(0, "pair", list(self.differences))
        made["p_holm"] = adjust(made["p_value"].tolist(), "holm")
        made["f"], made["df1"], made["df2"] = self.f, self.df1, self.df2
        made["p_all_equal"] = self.p_value
        return made.reset_index(drop=True)

    def __str__(self) -> str:
        head = (
            f"{self.n_readers} readers, {self.n_cases} cases ({self.n_positive} "
            f"positive): F({self.df1:g}, {self.df2:.1f}) = {self.f:.2f}, "
            f"p = {self.p_value:.3g} ({self.method}, {self.calibration}, for "
            f"{self.estimand})"
        )
        means = [
            f"  {name}: AUC {e.value:.3f} [{e.low:.3f}, {e.high:.3f}]"
            for name, e in self.treatments.items()
        ]
        pairs = [
            f"  {name}: {c.effect:+.3f} [{c.low:+.3f}, {c.high:+.3f}], "
            f"p = {c.p_value:.3g}"
            for name, c in self.differences.items()
        ]
        return "\n".join([head, *means, *pairs, *(f"  ! {w}" for w in self.warnings)])


def mrmc(
    scores: npt.ArrayLike,
    label: npt.ArrayLike,
    reader: npt.ArrayLike,
    case: npt.ArrayLike,
    treatment: npt.ArrayLike,
    *,
    confidence_level: float = 0.95,
) -> MRMC:
    """Compare the AUC of people who read the same cases with several treatments.

    For human readers only, such as radiologists with and without a model's help. Seeds
    and folds of a model are no readers: their errors share training data, and five of
    them taken for readers reject .29 at 5 %.

    Parameters
    ----------
    scores : array-like of shape (n_readings,)
        A reader's rating of a case, greater for disease.
    label : array-like of shape (n_readings,)
        1 if the case is diseased, 0 if not.
    reader, case, treatment : array-like of shape (n_readings,)
        Who read what with what. Each reader reads each case with each treatment once.
        A case is one participant.
    confidence_level : float
        Of the intervals.

    Returns
    -------
    MRMC
        Readers and cases are random: what is said holds for new ones. In 2,000
        simulated studies without a difference it rejected .032 to .057
        at 5 % (3 to 10 readers, 50 to 100 cases, AUC .7 to .96), so that it is
        calibrated. The interval of one treatment's mean AUC is approximate: it covers
        .93 to .95 with 100 cases, .88 with 50 at AUC .96 (readers' t interval, without
        cases: .59 to .89; DeLong's, a case per reading: .56 to .86).

    Raises
    ------
    StatisticsError
        If a reading is missing or repeated, a value is missing, a case has two labels,
        a class or a level is short, or a reader is named as a seed or a fold is.

    References
    ----------
    Obuchowski and Rockette, Commun. Stat. Simul. 24, 1995; Hillis, Stat. Med. 26, 2007
    (degrees of freedom); DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988.
    """
    check_level(confidence_level)
    readings = Readings.make(scores, label, reader, case, treatment)
    auc, covariance = readings.auc()
    n_treatments, n_readers = auc.shape
    squares = mean_squares(auc)
    cov = covariances(covariance)
    interaction, beyond = squares["treatment_reader"], max(cov[2] - cov[3], 0.0)
    noise = interaction + n_readers * beyond
    reader_only = (squares["reader"] - interaction) / n_treatments - cov[1] + cov[3]
    df1 = n_treatments - 1.0
    df2 = hillis(noise, interaction, df1 * (n_readers - 1.0))
    f = squares["treatment"] / noise if noise > 0 else math.nan
    return MRMC(
        auc=pd.DataFrame(auc.T, index=readings.readers, columns=readings.treatments),
        treatments=means(readings, auc, covariance, confidence_level),
        differences=differences(readings, auc, noise, df2, confidence_level),
        f=f,
        df1=df1,
        df2=df2,
        p_value=float(special.fdtrc(df1, min(df2, MANY), f)),
        variance=cov[0],
        cov1=cov[1],
        cov2=cov[2],
        cov3=cov[3],
        variance_reader=reader_only,
        variance_treatment_reader=interaction - cov[0] + cov[1] + beyond,
        ms_treatment=squares["treatment"],
        ms_reader=squares["reader"],
        ms_treatment_reader=interaction,
        n_readers=n_readers,
        n_cases=readings.label.size,
        n_positive=int(readings.label.sum()),
        method=METHOD,
        calibration=CALIBRATION,
        estimand=ESTIMAND,
        confidence_level=confidence_level,
        warnings=_warnings(noise),
    )


def _warnings(noise: float) -> tuple[str, ...]:
    if noise > 0:
        return ()
    return (
        "All AUCs are the same but for the treatment: nothing tells how much readers "
        "and cases vary, so nothing can be tested.",
    )
