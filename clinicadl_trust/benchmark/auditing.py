"""Audit every split before anything is trained; a leak stops the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clinicadl_trust.benchmark.preparation import Prepared
from clinicadl_trust.benchmark.splitting import Splits
from clinicadl_trust.exceptions import LeakageError


__all__ = ["audit_splits"]


def audit_splits(
    prepared: Prepared, splits: Mapping[str, Splits], directory: Path
) -> None:
    pass
