"""A test group of many hospitals, each counted once: what tells of the next one."""

from __future__ import annotations

from dataclasses import replace

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.runs import ModelRuns

__all__ = ["by_site"]


def by_site(runs: ModelRuns) -> ModelRuns:
    """Count each site of a test group once; left-out sites are counted so anyway.

    Parameters
    ----------
    runs : ModelRuns
        Of a single test group, or of left-out sites.

    Returns
    -------
    ModelRuns
        The same rows in another ``design``.

    Raises
    ------
    StatisticsError
        If a site is not known.
    """
    if runs.design.kind != "held-out":
        return runs
    if "site" not in runs.rows or runs.rows["site"].isna().any():
        raise StatisticsError(
            f"The images of '{runs.design.strategy}' have no column 'site', or it is "
            "n/a in some. Carry it over from the participants table, or name it "
            "(--column site=ITS-NAME)."
        )
    return replace(runs, design=runs.design.by_site())
