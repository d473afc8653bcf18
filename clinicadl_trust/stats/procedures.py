"""What fits each way of splitting and each question, and what would be wrong."""

from __future__ import annotations

import pandas as pd

from clinicadl_trust.stats.design import Design
from clinicadl_trust.stats.estimands import name_place

__all__ = ["count_known", "procedure_for", "wrong_here"]

#: Sites from which their variance is worth an interval.
_SITES = 5
#: Sites below which a bootstrap of them is too short.
_FEW = 20

#: What to do where a split does not answer about a retrained model, or a patient.
_CANNOT = {
    ("retrained", "held-out"): (
        "Each model of {name} was trained and tested once: how another training would "
        "do cannot be told. Cross-validate."
    ),
    ("retrained", "sites-left-out"): (
        "{name} leaves sites out, and tells of models trained again in a new hospital. "
        "Ask about that (estimand hospital), or cross-validate by participant."
    ),
    ("patient", "cross-validation"): (
        "The folds of {name} test other models than the one that will be used. Seal a "
        "test group, or ask about a model trained again (estimand retrained)."
    ),
    ("patient", "sites-left-out"): (
        "The folds of {name} test other models than the one that will be used. Seal a "
        "test group, or ask about a new hospital (estimand hospital)."
    ),
}


def count_known(images: pd.DataFrame, unit: str) -> int:
    """Count the sites (scanners, datasets) of images; 0 if one is not known."""
    known = unit in images and images[unit].notna().all()
    return int(images[unit].nunique()) if known else 0


def procedure_for(
    design: Design, estimand: str, images: pd.DataFrame
) -> tuple[str, str, str]:
    """Return the procedures for one model and for two, and why.

    Parameters
    ----------
    design : Design
        How the images were split.
    estimand : {"patient", "hospital", "retrained"}
        What the question is about.
    images : pandas.DataFrame
        The tested images, one row each.

    Returns
    -------
    tuple of str
        Two names in ``clinicadl_trust.stats``, empty where there is no answer, and a
        sentence for people.
    """
    name = f"'{design.strategy}'"
    if design.leak:
        return "", "", f"{name} is leaky ({design.leak}): split again."
    if estimand == "hospital":
        return _new_hospital(design, images)
    if estimand == "patient" and design.kind == "held-out":
        people = _name_units(images)
        return "evaluate", "compare", (
            f"{name} is one test group of these trained models, and its {people} are "
            "the units, however many images each of them has."
        )  # fmt: skip
    if estimand == "retrained" and design.kind == "cross-validation":
        return "cross_validation_interval", "corrected_resampled_ttest", (
            f"The {len(design.folds)} folds of {name} are models trained again that "
            "share training people: the metric is computed within folds, and the "
            "variance of its mean corrected (Nadeau and Bengio)."
        )  # fmt: skip
    return "", "", _CANNOT[estimand, design.kind].format(name=name)


def _name_units(images: pd.DataFrame) -> str:
    """Count who is independent: families where they are known, else participants."""
    people = images["participant_id"]
    if "family_id" in images:
        families = images["family_id"].fillna(people).nunique()
        if families < people.nunique():
            return f"{families} families (of {people.nunique()} participants)"
    return f"{people.nunique()} participants"


def _new_hospital(design: Design, images: pd.DataFrame) -> tuple[str, str, str]:
    name = f"'{design.strategy}'"
    if design.kind == "cross-validation":
        return "", "", (
            f"Each fold of {name} tests and trains on images of the same sites. Leave "
            "whole sites out (LeaveOneSiteOut), or seal a test group."
        )  # fmt: skip
    what = "site" if design.unit == "participant" else design.unit
    place = name_place(what)
    units = count_known(images, what)
    if not units:
        return "", "", (
            f"The images of {name} have no 'site', or not all of them do. Add that "
            "column."
        )  # fmt: skip
    if units < _SITES:
        return "", "", (
            f"There are {units} {what}s; with fewer than {_SITES} how much {place}s "
            "differ cannot be told. Test in more of them."
        )  # fmt: skip
    if design.kind == "sites-left-out":
        return "unit_interval", "unit_ttest", (
            f"{name} leaves whole {what}s out: each of {units} counts once as a new "
            f"{place}, by Student's t. For the range that the next one may see, ask "
            "for the prediction interval (heterogeneity)."
        )  # fmt: skip
    return "unit_interval", "unit_ttest", (
        f"{name} tested the same models in {units} sites: each counts once, by "
        "Student's t. For the range that the next one may see, ask for the prediction "
        "interval (heterogeneity). Sites that trained, too, are rather too good."
    )  # fmt: skip


def wrong_here(
    design: Design, estimand: str, rows: pd.DataFrame, counts: dict[str, int]
) -> pd.DataFrame:
    """List what would be wrong on this table, with what our simulations measured.

    Parameters
    ----------
    design : Design
        How the images were split.
    estimand : {"patient", "hospital", "retrained"}
        What the question is about.
    rows : pandas.DataFrame
        The tested images of all models and seeds.
    counts : dict of str to int
        ``n_images``, ``n_participants`` and ``n_sites``.

    Returns
    -------
    pandas.DataFrame
        Columns ``procedure`` and ``reason``.
    """
    found = []
    if counts["n_images"] > counts["n_participants"]:
        alike = "images of one person are no independent answers"
        found.append(
            ("DeLong or a bootstrap over images", f"{alike} (covers .71 to .78)")
            if rows["label"].dropna().isin([0, 1]).all()
            else ("a t test or a bootstrap over images", alike)
        )
    if design.kind == "held-out" and estimand == "hospital":
        found.append(
            (
                "counting patients, not hospitals",
                "where models differ by hospital it rejects .26 to .31 at 5 %, and "
                "counting hospitals .04 to .05",
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
                "it rejects .15 at 5 %, so train again with permuted labels",
            )
        )
    if design.kind == "sites-left-out":
        found.append(
            (
                f"one AUC of pooled left-out {design.unit}s",
                f"where prevalence differs by {design.unit} it falls below .5 without "
                "any effect",
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
