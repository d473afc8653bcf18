"""Which participants are shown: by a rule, so that no model is shown at its best."""

from __future__ import annotations

from dataclasses import dataclass

from clinicadl_trust.cohort import IDS
from clinicadl_trust.report.attributions.interpreted import Interpreted

__all__ = ["AUPRC", "Shown", "choose_participants"]

AUPRC = "lesion_auprc"


@dataclass(frozen=True)
class Shown:
    """A participant that is shown, and why."""

    participant_id: str
    session_id: str
    why: str


def choose_participants(interpreted: Interpreted) -> list[Shown]:
    """Choose patients by the models together, so that none is shown at its best.

    Parameters
    ----------
    interpreted : Interpreted
        With one model at least.

    Returns
    -------
    list of Shown
        Those with the highest, median and lowest AUPRC in their lesions, averaged over
        sessions, seeds and models; without masks the first, middle and last by their
        ids. Of each the first session; only what every model was explained on.
    """
    table = interpreted.table
    table = table[table["method"] == interpreted.methods[0]]
    common = table.groupby(list(IDS))["model"].nunique() == table["model"].nunique()
    sessions = common[common].reset_index().groupby("participant_id")["session_id"]
    first = sessions.min()
    if AUPRC in table and table[AUPRC].notna().any():
        by_model = table.dropna(subset=[AUPRC]).groupby(["participant_id", "model"])
        scores = by_model[AUPRC].mean().groupby("participant_id").mean()
        ranked = scores[scores.index.isin(first.index)].sort_values(kind="stable").index
        names = ("the lowest", "the median", "the highest")
        said = [f"{name} AUPRC in the lesions, over all models" for name in names]
    else:
        ranked = first.sort_index().index
        said = [f"the {name} by its id" for name in ("first", "middle", "last")]
    if not len(ranked):
        return []
    places = (0, (len(ranked) - 1) // 2, len(ranked) - 1)
    chosen = dict(zip(places, said, strict=True))
    return [
        Shown(ranked[place], first[ranked[place]], why)
        for place, why in reversed(chosen.items())
    ]
