"""Which procedure fits a predictions table and a question, and which would be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.design import Design, choose_primary, infer_designs
from clinicadl_trust.stats.prepared import prepare

__all__ = ["Recommendation", "recommend"]

Estimand = Literal["patient", "hospital", "retrained"]

_ESTIMANDS = ("patient", "hospital", "retrained")
#: Sites from which their variance is worth an interval.
_SITES = 5
_FEW = 20


@dataclass(frozen=True)
class Recommendation:
    """What to do with a predictions table.

    Attributes
    ----------
    estimand : str
        What the question is about.
    split_strategy : str
        The rows that answer it; empty where none do.
    estimate, compare : str
        Names in ``clinicadl_trust.stats`` for one model, and for two; empty where the
        table cannot answer.
    reason : str
        Why these.
    wrong : pandas.DataFrame
        Columns ``procedure`` and ``reason``: what would be wrong on this table, with
        what our simulations measured.
    n_images, n_participants, n_sites, n_folds : int
        The structure that was read; 0 sites where none are known.
    """

    estimand: str
    split_strategy: str
    estimate: str
    compare: str
    reason: str
    wrong: pd.DataFrame
    n_images: int
    n_participants: int
    n_sites: int
    n_folds: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row, without what would be wrong."""
        row = {name: value for name, value in vars(self).items() if name != "wrong"}
        return pd.DataFrame([row])

    def __str__(self) -> str:
        use = f"Use stats.{self.estimate} for a model, stats.{self.compare} for two"
        lines = [
            f"{use}, on '{self.split_strategy}'." if self.estimate else "No procedure.",
            self.reason,
        ]
        pairs = zip(self.wrong["procedure"], self.wrong["reason"], strict=True)
        wrong = [f"  not {procedure}: {reason}" for procedure, reason in pairs]
        return "\n".join([*lines, *wrong])


def recommend(
    predictions: pd.DataFrame,
    estimand: Estimand = "patient",
    *,
    split_strategy: str | None = None,
) -> Recommendation:
    """Say which procedure fits a table and a question.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table with all its groups.
    estimand : {"patient", "hospital", "retrained"}
        What the question is about: a new patient of the tested hospitals and these
        trained models; a hospital not seen; a model trained again on as many patients.
    split_strategy : str, optional
        The strategy to take. By default the one that answers the question, else the
        primary one.

    Returns
    -------
    Recommendation
        Procedures for the AUC and other metrics of ``evaluate``; for a value of each
        image (Dice, an error) ``compare_models`` takes the place of ``compare``.

    Raises
    ------
    StatisticsError
        If the estimand or the strategy is unknown.
    """
    if estimand not in _ESTIMANDS:
        raise StatisticsError(
            f"estimand={estimand!r} is unknown.{did_you_mean(estimand, _ESTIMANDS)}"
        )
    table = prepare(predictions).table
    designs = infer_designs(table)
    name = split_strategy or _answering(designs, estimand) or choose_primary(designs)
    if name is None:
        leaks = "; ".join(f"{k}: {d.estimand}" for k, d in designs.items())
        raise StatisticsError(f"No split strategy gives a result ({leaks}).")
    if name not in designs:
        raise StatisticsError(
            f"No split strategy is called '{name}'.{did_you_mean(name, designs)}"
        )
    rows = table[(table["split_strategy"] == name) & (table["group"] == "test")]
    images = rows.drop_duplicates(["participant_id", "session_id"])
    counts = {
        "n_images": len(images),
        "n_participants": int(images["participant_id"].nunique()),
        "n_sites": int(images["site"].nunique()) if "site" in images else 0,
        "n_folds": len(designs[name].folds),
    }
    estimate, compare, reason = _procedure(designs[name], estimand, counts["n_sites"])
    return Recommendation(
        estimand=estimand,
        split_strategy=name if estimate else "",
        estimate=estimate,
        compare=compare,
        reason=reason,
        wrong=_wrong(designs[name], rows, counts),
        **counts,
    )


def _answering(designs: dict[str, Design], estimand: str) -> str | None:
    """Return the first strategy made for a question."""
    kinds = {
        "patient": ("held-out",),
        "hospital": ("sites-left-out", "held-out"),
        "retrained": ("cross-validation", "sites-left-out"),
    }[estimand]
    fitting = [
        (kinds.index(design.kind), name)
        for name, design in designs.items()
        if design.is_result and design.kind in kinds
    ]
    return min(fitting)[1] if fitting else None


def _procedure(design: Design, estimand: str, n_sites: int) -> tuple[str, str, str]:
    """Return the procedures for one model and for two, and why."""
    if design.leak:
        return "", "", f"'{design.strategy}' is leaky ({design.leak}): split again."
    if estimand == "hospital":
        return _new_hospital(design, n_sites)
    if design.kind == "held-out":
        if estimand == "retrained":
            return "", "", (
                "One trained model was tested once: how another training would do "
                "cannot be told. Cross-validate, or train from several seeds."
            )  # fmt: skip
        return "evaluate", "compare", (
            "A held-out group tests these trained models; whole participants are the "
            "units, by the cluster sandwich (Obuchowski's for the AUC)."
        )  # fmt: skip
    if estimand == "patient":
        return "", "", (
            "Cross-validation tests other models than the one that will be used. Seal "
            "a test group, or ask about a retrained model (estimand='retrained')."
        )  # fmt: skip
    return "cross_validation_interval", "corrected_resampled_ttest", (
        "Folds share training people, so the metric is computed within folds and the "
        "variance of their mean corrected (Nadeau and Bengio); 'evaluate' and "
        "'compare' do it."
    )  # fmt: skip


def _new_hospital(design: Design, n_sites: int) -> tuple[str, str, str]:
    if n_sites < _SITES:
        return "", "", (
            f"There are {n_sites} sites; with fewer than {_SITES} how much hospitals "
            "differ cannot be told."
        )  # fmt: skip
    if design.kind == "sites-left-out":
        return "unit_interval", "unit_ttest", (
            f"Each of {n_sites} sites is one observation of a new hospital, with "
            "Student's t; heterogeneity gives the prediction interval for the next one."
        )  # fmt: skip
    return "heterogeneity", "compare_models", (
        f"The same models were tested in {n_sites} sites: a random effect of the site "
        "tells how much they differ, and the prediction interval what a new one may "
        "see. The sites also trained, if they were not left out: rather too good."
    )  # fmt: skip


def _wrong(design: Design, rows: pd.DataFrame, counts: dict[str, int]) -> pd.DataFrame:
    """List what would be wrong on this table."""
    found = []
    if counts["n_images"] > counts["n_participants"]:
        found.append(
            (
                "DeLong or a bootstrap over images",
                "images of one person are no independent answers (covers .71 to .78)",
            )
        )
    if design.kind == "cross-validation":
        found.append(
            (
                "one AUC of pooled out-of-fold scores",
                "folds have scales of their own and share training people (covers .84)",
            )
        )
        found.append(
            (
                "permuting the labels of out-of-fold scores",
                "it rejects .15 at 5 %; train again with permuted labels",
            )
        )
    if design.kind == "sites-left-out":
        found.append(
            (
                "one AUC of pooled left-out sites",
                "where prevalence differs by site it falls below .5 without any effect",
            )
        )
    if 0 < counts["n_sites"] < _FEW:
        found.append(
            (
                f"a bootstrap over {counts['n_sites']} sites",
                "with few it is too short (covers .79 with 4, .87 with 8)",
            )
        )
    if "seed" in rows and rows["seed"].nunique() > 1:
        found.append(
            (
                "seeds as readers of a multi-reader analysis",
                "their errors share training data (rejects .29 at 5 %)",
            )
        )
    return pd.DataFrame(found, columns=["procedure", "reason"])
