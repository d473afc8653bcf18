"""Check that an experiment's splits can be made, by making them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinicadl_trust.benchmark.config import SEALED, CohortSection, StrategySection
from clinicadl_trust.benchmark.locate import Key
from clinicadl_trust.benchmark.mistakes import Mistakes
from clinicadl_trust.benchmark.splitting import development
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import TrustError
from clinicadl_trust.split import SplitStrategy, from_options

__all__ = ["check_splits"]


def check_splits(
    sections: Mapping[str, Any], cohort: Cohort | None, mistakes: Mistakes
) -> None:
    """Note every strategy, option, column or number of folds that is wrong.

    Parameters
    ----------
    sections : mapping
        The sections whose shape is right.
    cohort : Cohort or None
        The rows that will be split; None when they are not known.
    mistakes : Mistakes
        Where they are noted.
    """
    splits: Mapping[str, StrategySection] = sections.get("splits") or {}
    sealed: StrategySection | None = sections.get("sealed_test")
    if not splits and sealed is None and not mistakes.found:
        mistakes.add((), "name a [sealed_test], a table [splits.NAME], or both.")
    if SEALED in splits:
        mistakes.add(
            ("splits", SEALED),
            f"'{SEALED}' is the name of the sealed test group; choose another.",
        )
    section: CohortSection | None = sections.get("cohort")
    label = section.labels[0] if section else ""
    if sealed is not None:
        cohort = _check_sealed(sealed, cohort, label, mistakes)
    for name, given in splits.items():
        key = ("splits", name)
        strategy = _build(given, key, mistakes)
        if strategy is not None and cohort is not None:
            with mistakes.at((*key, "strategy")):
                strategy.split(cohort, label)


def _check_sealed(
    section: StrategySection, cohort: Cohort | None, label: str, mistakes: Mistakes
) -> Cohort | None:
    """Return what is left for the other strategies."""
    key = ("sealed_test", "strategy")
    strategy = _build(section, key[:1], mistakes)
    if strategy is None:
        return None
    if strategy.leaky:
        mistakes.add(
            key,
            f"'{section.strategy}' leaks on purpose, so nothing is sealed. Use "
            "'MatchedTestSet'.",
        )
        return None
    with mistakes.at(key):
        if cohort is not None:
            return development(strategy.split(cohort, label), cohort)
    return None


def _build(
    section: StrategySection, key: Key, mistakes: Mistakes
) -> SplitStrategy | None:
    try:
        return from_options(section.strategy, section.options)
    except TrustError as error:
        _blame(section, key, str(error), mistakes)
        return None


def _blame(
    section: StrategySection, key: Key, message: str, mistakes: Mistakes
) -> None:
    """Note every option that is wrong by itself, else what is wrong with them all."""
    before = len(mistakes.found)
    with mistakes.at((*key, "strategy")):
        from_options(section.strategy, {})
        for name, value in section.options.items():
            with mistakes.at((*key, name)):
                from_options(section.strategy, {name: value})
    if len(mistakes.found) == before:
        mistakes.add_error(key, message)
