"""The audit: everything that can be looked at is, and what cannot be is said."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from clinicadl_trust.caps import ImageType
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.split.audit import overlap
from clinicadl_trust.split.audit.balance import (
    balance_table,
    missing_classes,
    not_listed,
    one_participant,
)
from clinicadl_trust.split.audit.confounding import Confounding, estimate_confounding
from clinicadl_trust.split.audit.duplicates import (
    duplicates_across,
    duplicates_in_cohort,
)
from clinicadl_trust.split.audit.findings import AuditReport, Finding, sort_findings
from clinicadl_trust.split.audit.images import MINIMUM, Contents, Pair, alike
from clinicadl_trust.split.audit.lineage import ancestor_leaks, run_leaks
from clinicadl_trust.split.audit.material import Material, gather
from clinicadl_trust.split.audit.sources import Audited

__all__ = ["audit"]


def audit(
    path: str | os.PathLike[str],
    cohort: Cohort | None = None,
    caps: str | os.PathLike[str] | None = None,
    image: ImageType | None = None,
    label: str | None = None,
    *,
    ancestors: Iterable[str | os.PathLike[str]] = (),
) -> AuditReport:
    """Look for leaks in splits, and in the runs made on them.

    Parameters
    ----------
    path : path-like
        One split, a folder of splits (ours, or made by ClinicaDL's ``make_kfold`` and
        ``make_split``), a benchmark, or a folder of runs.
    cohort : Cohort, optional
        The participants table, for families, balance and confounding. By default that
        of the benchmark, or the file that the split was made from if it is still there.
    caps : path-like, optional
        The CAPS, for duplicated images. By default that of the benchmark.
    image : ImageType, optional
        Which image of it; by default Clinica's t1-linear or flair-linear.
    label : str, optional
        The column that is predicted; by default what the splits are stratified by.
    ancestors : iterable of path-like
        MAPS that a training on these splits would start from: whoever they have seen
        must not be in a test fold.

    Returns
    -------
    AuditReport
        Its findings, the balance of each fold, and what could not be checked.

    Raises
    ------
    SplitError
        If there is nothing to audit at the path, or it cannot be read.
    CohortError, CapsError, RunError
        If the label is not in the table, an image cannot be read, or the lineage of
        an ancestor is unknown.

    References
    ----------
    Wen et al. (2020). Convolutional neural networks for classification of
    Alzheimer's disease: overview and reproducible evaluation. Medical Image Analysis
    63, 101694.
    """
    material = gather(
        Path(path),
        cohort=cohort,
        caps=caps,
        image=image,
        label=label,
        ancestors=ancestors,
    )
    table, label = material.table, material.label
    pairs = list(alike(material.contents)) if material.contents else []
    findings = [
        finding
        for split in material.splits
        for finding in _of_split(split, material, pairs)
    ]
    findings += overlap.sealed_again(material.splits)
    findings += _of_runs(material)
    findings += duplicates_in_cohort(pairs)
    confounding = None
    if table is not None and label is not None:
        confounding = estimate_confounding(table, label)
        findings += _confounded(confounding)
    balance = pd.DataFrame()
    if table is not None:
        balance = balance_table(material.splits, table, label)
    skipped = tuple(_skipped(material, confounding))
    return AuditReport(sort_findings(findings), balance, skipped, confounding)


def _of_split(
    split: Audited, material: Material, pairs: list[Pair]
) -> Iterator[Finding]:
    found = [
        *overlap.no_test_set(split),
        *overlap.same_participant(split),
        *overlap.edited(split),
        *one_participant(split),
        *duplicates_across(split, pairs),
    ]
    table, label = material.table, material.label
    if table is not None:
        found += not_listed(split, table)
    if table is not None and "family_id" in table:
        known = table.dropna(subset=["family_id"])
        family = dict(zip(known["participant_id"], known["family_id"], strict=True))
        found += overlap.same_family(split, family)
    if table is not None and label is not None:
        found += missing_classes(split, table, label)
    on_purpose = split.leaky and material.in_benchmark
    for finding in found:
        yield replace(finding, expected=on_purpose)


def _of_runs(material: Material) -> Iterator[Finding]:
    leaky = {s.name for s in material.splits if s.leaky and material.in_benchmark}
    for finding in run_leaks(material.runs, material.splits):
        strategy = finding.where.partition("/")[0]
        on_purpose = strategy in leaky and finding.code == "trained-on-test"
        yield replace(finding, expected=on_purpose)
    yield from ancestor_leaks(material.ancestors, material.splits)
    if material.unknown:
        yield Finding(
            "warning",
            "unknown-lineage",
            material.unknown[0],
            f"{len(material.unknown)} runs do not say which participants they and "
            "their ancestors have seen: biased transfer cannot be excluded.",
            "Train them again with clinicadl.",
        )


def _confounded(confounding: Confounding | None) -> Iterator[Finding]:
    if confounding is None or not confounding.is_confounded:
        return
    to_blame = [
        f"{name} (p = {p:.2g})" for name, p in confounding.p_values.items() if p < 0.05
    ]
    yield Finding(
        "warning",
        "label-confounded",
        "cohort",
        f"{confounding} Associated with the label: {', '.join(to_blame)}. A model may "
        "learn these instead of the disease.",
        "Compare with the metadata baseline, leave sites out, test on a "
        "MatchedTestSet, and report the performance within each site.",
    )


def _skipped(material: Material, confounding: Confounding | None) -> Iterator[str]:
    """Say what was not looked at: silence must not read as innocence."""
    table, contents = material.table, material.contents
    if table is None:
        yield "families, classes, balance and confounding (no participants table)"
    else:
        if "family_id" not in table:
            yield "families (no column 'family_id')"
        if material.label is None:
            yield "classes and confounding (no label)"
        elif confounding is None:
            yield (
                "confounding (too few participants of a class, or no column site, age "
                "or sex that varies)"
            )
    if contents is None:
        yield "duplicated images (no CAPS)"
    elif _people(contents) < MINIMUM:
        yield f"near-duplicates (fewer than {MINIMUM} participants)"
    if not material.runs and not material.ancestors:
        yield "biased transfer and late splits (no run)"


def _people(contents: Contents) -> int:
    return contents.table["participant_id"].nunique()
