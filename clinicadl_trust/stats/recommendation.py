"""Which procedure fits a predictions table and a question, and which would be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.stats.design import Design, choose_primary, infer_designs
from clinicadl_trust.stats.estimands import name_place
from clinicadl_trust.stats.prepared import Prepared, prepare
from clinicadl_trust.stats.procedures import count_known, procedure_for, wrong_here

__all__ = ["ESTIMANDS", "Estimand", "Recommendation", "follow", "recommend"]

Estimand = Literal["patient", "hospital", "retrained"]

#: What a question may be about, in words.
ESTIMANDS: dict[str, str] = {
    "patient": "a new patient of these hospitals, for these trained models",
    "hospital": "a hospital not seen",
    "retrained": "a model trained again, on as many patients of these hospitals",
}
#: What each way of splitting answers, if nobody asks for anything else.
_ANSWERS: dict[str, Estimand] = {
    "held-out": "patient",
    "cross-validation": "retrained",
    "sites-left-out": "hospital",
}


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
    unit : str
        What a new hospital is here: a site, or the scanner or dataset left out.
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
    unit: str = "site"

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

    @property
    def sentences(self) -> str:
        """The question, the reason and what would be wrong, for who knows no code."""
        about = ESTIMANDS[self.estimand]
        if self.estimand == "hospital":
            about = about.replace("hospital", name_place(self.unit))
        text = f"The question is about {about}. {self.reason}"
        pairs = zip(self.wrong["procedure"], self.wrong["reason"], strict=True)
        wrong = "; ".join(f"{procedure}: {reason}" for procedure, reason in pairs)
        return f"{text} Wrong here: {wrong}." if wrong else text


def recommend(
    predictions: pd.DataFrame,
    estimand: Estimand | None = None,
    *,
    split_strategy: str | None = None,
    group: str = "test",
) -> Recommendation:
    """Say which procedure fits a table and a question.

    Parameters
    ----------
    predictions : pandas.DataFrame
        A predictions table with all its groups.
    estimand : {"patient", "hospital", "retrained"}, optional
        What the question is about: a new patient of the tested hospitals and these
        trained models; a hospital not seen; a model trained again on as many patients.
        By default what the primary strategy answers, as for ``evaluate``.
    split_strategy : str, optional
        The strategy to take. By default the one that answers the question, else the
        primary one.
    group : str
        Data group.

    Returns
    -------
    Recommendation
        Procedures for the AUC and other metrics, which ``evaluate`` and ``compare``
        with this ``estimand`` run; for a value of each image (Dice, an error)
        ``compare_models`` takes the place of ``compare``.

    Raises
    ------
    StatisticsError
        If the estimand or the strategy is unknown.
    """
    prepared = prepare(predictions, group)
    designs = infer_designs(prepared.table, group)
    return _recommend(prepared, designs, estimand, split_strategy)


def follow(
    prepared: Prepared,
    designs: dict[str, Design],
    estimand: Estimand | None,
    primary: str | None = None,
) -> tuple[dict[str, Design], str | None]:
    """Choose the primary strategy, and how it is looked at, by the question.

    Parameters
    ----------
    prepared : Prepared
        The table.
    designs : dict of str to Design
        From ``infer_designs``.
    estimand : {"patient", "hospital", "retrained"} or None
        As in ``recommend``; None for ``choose_primary``.
    primary : str, optional
        The strategy to take.

    Returns
    -------
    designs : dict of str to Design
        The sites of a test group are counted once each to tell of a new hospital.
    primary : str or None
        The strategy whose answer counts.

    Raises
    ------
    StatisticsError
        If the table cannot answer, with what to do.
    """
    if estimand is None:
        return designs, choose_primary(designs, primary)
    made = _recommend(prepared, designs, estimand, primary)
    if not made.estimate:
        raise StatisticsError(
            f"This table cannot tell of {ESTIMANDS[estimand]}. {made.reason}"
        )
    name = made.split_strategy
    if estimand == "hospital" and designs[name].kind == "held-out":
        designs = {**designs, name: designs[name].by_site()}
    return designs, name


def _recommend(
    prepared: Prepared,
    designs: dict[str, Design],
    estimand: Estimand | None,
    split_strategy: str | None,
) -> Recommendation:
    if estimand is not None and estimand not in ESTIMANDS:
        raise StatisticsError(
            f"estimand={estimand!r} is unknown.{did_you_mean(estimand, ESTIMANDS)}"
        )
    name = split_strategy or _answering(designs, estimand) or choose_primary(designs)
    if name is None:
        leaks = "; ".join(f"{k}: {d.estimand}" for k, d in designs.items())
        raise StatisticsError(f"No split strategy gives a result ({leaks}).")
    if name not in designs:
        raise StatisticsError(
            f"No split strategy is called '{name}'.{did_you_mean(name, designs)}"
        )
    design, table = designs[name], prepared.table
    asked = estimand or _ANSWERS[design.kind]
    here = (table["split_strategy"] == name) & (table["group"] == prepared.group)
    rows = table[here]
    images = rows.drop_duplicates(["participant_id", "session_id"])
    counts = {
        "n_images": len(images),
        "n_participants": int(images["participant_id"].nunique()),
        "n_sites": count_known(images, "site"),
        "n_folds": len(design.folds),
    }
    estimate, compare, reason = procedure_for(design, asked, images)
    return Recommendation(
        estimand=asked,
        split_strategy=name if estimate else "",
        estimate=estimate,
        compare=compare,
        reason=reason,
        wrong=wrong_here(design, asked, rows, counts),
        unit="site" if design.unit == "participant" else design.unit,
        **counts,
    )


def _answering(designs: dict[str, Design], estimand: str | None) -> str | None:
    """Return the first strategy made for a question."""
    kinds = {
        "patient": ("held-out",),
        "hospital": ("sites-left-out", "held-out"),
        "retrained": ("cross-validation",),
        None: (),
    }[estimand]
    fitting = [
        (kinds.index(design.kind), name)
        for name, design in designs.items()
        if design.is_result and design.kind in kinds
    ]
    return min(fitting)[1] if fitting else None
