"""Several models on many independent datasets: Friedman's test and its pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special
from scipy import stats as distributions

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.arrays import as_matrix
from clinicadl_trust.stats.estimands import new_unit
from clinicadl_trust.stats.many_datasets.signed_rank import wilcoxon
from clinicadl_trust.stats.multiplicity import adjust
from clinicadl_trust.stats.options import check_choice
from clinicadl_trust.stats.results import Calibration

__all__ = ["Friedman", "friedman"]

Array = npt.NDArray[np.float64]

_POST_HOC = ("ranks", "wilcoxon")
_FEW = 6


@dataclass(frozen=True)
class Friedman:
    """Whether some of several models rank better than others, and which.

    Attributes
    ----------
    statistic, p_value : float
        F of Iman and Davenport, the primary answer, and its p-value.
    df, df_error : float
        Degrees of freedom of F: k - 1 and (k - 1) (N - 1).
    chi2, chi2_p_value : float
        Friedman's own statistic, with k - 1 degrees of freedom.
    average_ranks : pandas.Series
        Per model, 1 is the best.
    pairs : pandas.DataFrame
        Per pair of models: ``first, second, rank_difference`` (positive where the
        first is worse), ``statistic, p_value`` and ``p_adjusted`` after Holm.
    method : str
        How it was made.
    calibration : {"calibrated", "conservative", "approximate"}
        Whether the F test keeps its size in our own simulations.
    estimand : str
        What it is about.
    n, n_models : int
        Datasets and models.
    warnings : tuple of str
        What a reader must know.
    """

    statistic: float
    p_value: float
    df: float
    df_error: float
    chi2: float
    chi2_p_value: float
    average_ranks: pd.Series
    pairs: pd.DataFrame
    method: str
    calibration: Calibration
    estimand: str
    n: int
    n_models: int
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row, without ranks and pairs."""
        tables = ("average_ranks", "pairs")
        row = {k: v for k, v in vars(self).items() if k not in tables}
        return pd.DataFrame([{**row, "warnings": " ".join(self.warnings)}])

    def __str__(self) -> str:
        ranks = ", ".join(f"{k} {v:.3f}" for k, v in self.average_ranks.items())
        text = (
            f"F({self.df:g}, {self.df_error:g}) = {self.statistic:.2f}, "
            f"p = {self.p_value:.3g}; chi2 = {self.chi2:.2f} "
            f"({self.method}, {self.calibration}, for {self.estimand}, {self.n_models} "
            f"models on {self.n} datasets)\nAverage ranks: {ranks}"
        )
        pairs = self.pairs.round(4).to_string(index=False)
        return "\n".join([text, pairs, *(f"  ! {w}" for w in self.warnings)])


def friedman(
    scores: pd.DataFrame | npt.ArrayLike,
    *,
    higher_is_better: bool = True,
    tie_correction: bool = True,
    post_hoc: Literal["ranks", "wilcoxon"] = "ranks",
) -> Friedman:
    """Rank models within each dataset and test whether some rank better.

    Parameters
    ----------
    scores : array-like or pandas.DataFrame of shape (n_datasets, n_models)
        One score per dataset and model, such as a mean over folds. Datasets are
        independent: not folds, and not sites that share training data.
    higher_is_better : bool
        False for an error.
    tie_correction : bool
        Divide chi2 by the share of ranks that are not tied, as SciPy, R and textbooks
        do. Without it, as Demsar's (2006) formula is printed, the test is conservative
        where models tie; False is there to repeat published numbers.
    post_hoc : {"ranks", "wilcoxon"}
        ``ranks`` compares average ranks with a normal distribution (Demsar 2006);
        what it says of two models depends on the others. ``wilcoxon`` looks at the
        two alone (Benavoli et al. 2016). Both are adjusted over all pairs by Holm.

    Returns
    -------
    Friedman
        F, Friedman's chi2, average ranks and pairs. In our simulations of 6 to 20
        datasets and 3 to 10 models F rejects .04 to .07 at 5 %, with many ties .04
        to .06 corrected and .02 uncorrected; the chance of any false pair by ranks
        is .03 to .04.

    Raises
    ------
    StatisticsError
        If there are fewer than 3 models or 2 datasets, a score is missing, or models
        share a name.

    References
    ----------
    Friedman (1937), JASA 32, 675-701. Iman, Davenport (1980), Communications in
    Statistics 9, 571-595. Demsar (2006), Statistical comparisons of classifiers over
    multiple data sets. JMLR 7, 1-30. Benavoli, Corani, Mangili (2016), Should we
    really use post-hoc tests based on mean-ranks? JMLR 17(5), 1-10.
    """
    check_choice("post_hoc", post_hoc, _POST_HOC)
    table = _table(scores) if higher_is_better else -_table(scores)
    values = table.to_numpy(dtype=float)
    ranks = distributions.rankdata(-values, axis=1)
    n, k = ranks.shape
    untied = _untied_share(ranks)
    average = pd.Series(ranks.mean(axis=0), index=table.columns, name="rank")
    spread = ((average.to_numpy() - (k + 1) / 2) ** 2).sum()
    chi2 = 12 * n / (k * (k + 1)) * spread / (untied if tie_correction else 1.0)
    f = _iman_davenport(chi2, n, k)
    return Friedman(
        statistic=f,
        p_value=float(distributions.f.sf(f, k - 1, (k - 1) * (n - 1))),
        df=k - 1.0,
        df_error=(k - 1.0) * (n - 1.0),
        chi2=float(chi2),
        chi2_p_value=float(special.chdtrc(k - 1, chi2)),
        average_ranks=average,
        pairs=_pairs(table, average, post_hoc),
        method="Friedman with Iman and Davenport's F; pairs by Holm over "
        + ("average ranks" if post_hoc == "ranks" else "signed ranks"),
        calibration="calibrated"
        if n >= _FEW and (tie_correction or untied == 1)
        else "approximate",
        estimand=new_unit("dataset"),
        n=n,
        n_models=k,
        warnings=_warnings(n, untied, tie_correction),
    )


def _table(scores: pd.DataFrame | npt.ArrayLike) -> pd.DataFrame:
    values = as_matrix(scores, "Scores")
    names = scores.columns if isinstance(scores, pd.DataFrame) else None
    table = pd.DataFrame(values, columns=names)
    if table.shape[0] < 2 or table.shape[1] < 3:
        raise StatisticsError(
            f"Scores have a row per dataset, at least 2, and a column per model, at "
            f"least 3; got {table.shape[0]} x {table.shape[1]}. For two models use "
            "stats.wilcoxon."
        )
    if not table.columns.is_unique:
        raise StatisticsError(
            f"Models share a name in {list(table.columns)}. Name each once."
        )
    missing = int((~np.isfinite(values)).sum())
    if missing:
        raise StatisticsError(
            f"{missing} scores are missing or infinite. Ranks need every model on "
            "every dataset: leave out these datasets or models."
        )
    return table


def _untied_share(ranks: Array) -> float:
    """Return 1 without ties and 0 where all models tie on all datasets."""
    n, k = ranks.shape
    tied = 0
    for row in ranks:
        counts = np.unique(row, return_counts=True)[1]
        tied += int((counts**3 - counts).sum())
    if tied == n * (k**3 - k):
        raise StatisticsError(
            f"All {k} models have the same score on each of {n} datasets: there is "
            "nothing to rank."
        )
    return 1.0 - tied / (n * (k**3 - k))


def _iman_davenport(chi2: float, n: int, k: int) -> float:
    rest = n * (k - 1) - chi2
    return (n - 1) * chi2 / rest if rest > 1e-12 * n * k else math.inf


def _pairs(table: pd.DataFrame, average: pd.Series, post_hoc: str) -> pd.DataFrame:
    n, k = table.shape
    rows = []
    for first, second in combinations(table.columns, 2):
        apart = float(average[first] - average[second])
        statistic = apart / math.sqrt(k * (k + 1) / (6 * n))
        p_value = float(2 * special.ndtr(-abs(statistic)))
        if post_hoc == "wilcoxon":
            alone = wilcoxon((table[first] - table[second]).tolist())
            statistic, p_value = alone.statistic, alone.p_value
        rows.append((first, second, apart, statistic, p_value))
    names = ["first", "second", "rank_difference", "statistic", "p_value"]
    pairs = pd.DataFrame(rows, columns=names)
    return pairs.assign(p_adjusted=adjust(pairs["p_value"], "holm"))


def _warnings(n: int, untied: float, tie_correction: bool) -> tuple[str, ...]:
    warnings = []
    if untied < 1 and not tie_correction:
        warnings.append(
            "Some models tie, which makes the test conservative: tie_correction=True "
            "takes ties into account."
        )
    if n < _FEW:
        warnings.append(f"{n} datasets are few: the smallest p-values cannot be met.")
    return tuple(warnings)
