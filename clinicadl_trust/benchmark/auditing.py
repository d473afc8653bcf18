"""Audit splits before anything is trained, and the runs once they are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.info import read_info, update_info
from clinicadl_trust.benchmark.plan import Run
from clinicadl_trust.benchmark.preparation import Prepared
from clinicadl_trust.benchmark.splitting import Splits
from clinicadl_trust.exceptions import LeakageError

__all__ = ["audit_benchmark", "refuse_leaks"]

_TABLE = "audit.tsv"
_SHOWN = 5


def audit_benchmark(
    experiment: Experiment,
    prepared: Prepared,
    splits: Mapping[str, Splits],
    runs: Sequence[Run],
    directory: Path,
) -> pd.DataFrame:
    """Write ``audit.tsv`` and ``balance.tsv``, unless they are of what is there now.

    Parameters
    ----------
    experiment : Experiment
        Names the weights that models start from.
    prepared : Prepared
        The cohort and its images.
    splits : mapping of str to Splits
        By name.
    runs : sequence of Run
        Those that are done are audited too.
    directory : pathlib.Path
        The benchmark.

    Returns
    -------
    pandas.DataFrame
        The leaks that nobody planted on purpose.
    """
    state: dict[str, Any] = {
        "splits": {name: made.info.digest for name, made in splits.items()},
        "runs": sum(run.is_done for run in runs),
        "ancestors": _ancestors(experiment),
    }
    known = read_info(directory).get("audited") == state
    if not known or not (directory / _TABLE).is_file():
        # Reads every image, and imports scikit-learn.
        from clinicadl_trust.split.audit import audit

        report = audit(
            directory,
            caps=prepared.caps,
            image=prepared.image,
            ancestors=state["ancestors"],
        )
        report.write(directory)
        update_info(directory, audited=state)
    table = pd.read_csv(directory / _TABLE, sep="\t", na_values=["n/a"])
    return table[(table["severity"] == "leak") & ~table["expected"].astype(bool)]


def refuse_leaks(leaks: pd.DataFrame, directory: Path) -> None:
    """Stop at leaks.

    Parameters
    ----------
    leaks : pandas.DataFrame
        From ``audit_benchmark``.
    directory : pathlib.Path
        The benchmark, for the message.

    Raises
    ------
    LeakageError
        Naming each leak and what to do about it.
    """
    if leaks.empty:
        return
    lines = [
        f"  {leak.where}: {leak.message} {leak.what_to_do}"
        for leak in leaks.head(_SHOWN).itertuples()
    ]
    if len(leaks) > _SHOWN:
        lines.append(f"  ... {len(leaks) - _SHOWN} more in {_TABLE}.")
    raise LeakageError(
        f"The audit of '{directory}' finds {len(leaks)} "
        f"leak{'s' if len(leaks) > 1 else ''}; nothing was trained:\n"
        + "\n".join(lines)
        + "\nThen start in a new folder. `clinicadl split audit` shows all findings."
    )


def _ancestors(experiment: Experiment) -> list[str]:
    """Return the MAPS that models start from, but for those that allow a leak."""
    return sorted(
        str(model.config["init_from"])
        for model in experiment.models.values()
        if model.config.get("init_from") and not model.config.get("allow_seen")
    )
