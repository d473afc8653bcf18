"""All scenarios, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from clinicadl_trust.exceptions import StatisticsError, did_you_mean
from clinicadl_trust.trust_check.scenario import Scenario
from clinicadl_trust.trust_check.scenarios import (
    clustered_auc,
    cross_validation,
    few_discordant_pairs,
    left_out_sites,
    nested_cross_validation,
    new_site,
    perfect_calibration,
    raters,
    readers,
    repeated_images,
    resampling,
    shares,
    sites,
    ten_models,
)

__all__ = ["SCENARIOS", "choose_scenarios"]

SCENARIOS: tuple[Scenario, ...] = tuple(
    module.SCENARIO
    for module in (
        repeated_images,
        sites,
        new_site,
        clustered_auc,
        cross_validation,
        nested_cross_validation,
        left_out_sites,
        ten_models,
        few_discordant_pairs,
        perfect_calibration,
        shares,
        resampling,
        raters,
        readers,
    )
)


def choose_scenarios(names: Sequence[str] = ()) -> tuple[Scenario, ...]:
    """Return scenarios by name, each once and in our order; all by default.

    Raises
    ------
    StatisticsError
        If a name is unknown.
    """
    known = [scenario.name for scenario in SCENARIOS]
    for name in names:
        if name not in known:
            raise StatisticsError(
                f"There is no scenario '{name}'.{did_you_mean(name, known)}"
            )
    return tuple(s for s in SCENARIOS if not names or s.name in names)
