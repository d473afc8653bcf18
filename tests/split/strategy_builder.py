"""Strategies by name, without a search of the installed distributions each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinicadl_trust.split import SplitStrategy
from clinicadl_trust.split.matched import MatchedTestSet
from clinicadl_trust.split.participants import FamilyKFold, ParticipantKFold
from clinicadl_trust.split.scans import ScanKFold
from clinicadl_trust.split.sites import (
    LeaveOneDatasetOut,
    LeaveOneScannerOut,
    LeaveOneSiteOut,
    ScannerKFold,
    SiteKFold,
)
from clinicadl_trust.split.temporal import TemporalSplit

_KINDS: dict[str, type[SplitStrategy]] = {
    kind.__name__: kind
    for kind in (
        FamilyKFold,
        LeaveOneDatasetOut,
        LeaveOneScannerOut,
        LeaveOneSiteOut,
        MatchedTestSet,
        ParticipantKFold,
        ScanKFold,
        ScannerKFold,
        SiteKFold,
        TemporalSplit,
    )
}


def build(name: str, options: Mapping[str, Any] | None = None) -> SplitStrategy:
    """Return a strategy with these options."""
    return _KINDS[name](**(options or {}))
