"""What models have seen: late splits and biased transfer.

Every run that we write keeps the participants that it and its ancestors have seen
(``clinicadl_trust.records``). Whoever of them is in the run's test fold is a leak:
the second and third of Wen et al. (2020), which no table of a split can show.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from clinicadl_trust.cohort import IDS
from clinicadl_trust.exceptions import RunError, SplitError
from clinicadl_trust.records import Lineage, find_records, read_lineage
from clinicadl_trust.split.audit.findings import Finding, name_some
from clinicadl_trust.split.audit.sources import Audited
from clinicadl_trust.tables import read_table

__all__ = ["Run", "ancestor_leaks", "find_runs", "run_leaks"]

_PRETRAINED = "biased-transfer"
_LATE = "late-split"
_CODES = {
    "model": _PRETRAINED,
    "encoder": _PRETRAINED,
    "features": _LATE,
    "threshold": _LATE,
}
_MEND = {
    _PRETRAINED: "Biased transfer: pretrain on other participants, or keep those seen "
    "out of the test fold.",
    _LATE: "Late split: split first, then fit features, scalers and thresholds on the "
    "training set of each fold.",
    "trained-on-test": "Train again on the split as it is now.",
    "sealed-test-used": "Split, train and choose outside the sealed group only.",
}


@dataclass(frozen=True)
class Run:
    """A finished run: where it stands and what it has seen."""

    folder: Path
    strategy: str
    repeat: int
    split: int
    model: str
    lineage: Lineage

    @property
    def place(self) -> tuple[str, int, int]:
        """Strategy, repeat and split."""
        return self.strategy, self.repeat, self.split


def find_runs(root: Path) -> tuple[list[Run], list[str]]:
    """Read every finished run below a folder.

    Returns
    -------
    runs : list of Run
        Those whose lineage can be followed.
    unknown : list of str
        Folders of runs without a readable lineage.

    Raises
    ------
    SplitError
        If a ``run.json`` cannot be read.
    """
    runs, unknown = [], []
    for folder in find_records(root):
        try:
            record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            place = (record["split_strategy"], record["repeat"], record["split"])
            model = record["model"]
        except (ValueError, KeyError, TypeError) as error:
            raise SplitError(
                f"'{folder / 'run.json'}' is no run: {error!r}."
            ) from error
        try:
            runs.append(Run(folder, *place, model, read_lineage(folder)))
        except RunError:
            unknown.append(str(folder.relative_to(root)))
    return runs, unknown


def run_leaks(runs: Iterable[Run], splits: Sequence[Audited]) -> Iterator[Finding]:
    """Find runs that have seen participants of their own test fold.

    A run whose split is not among ``splits`` is judged by the participants in its
    own table of test predictions.
    """
    tests = {
        (split.name, fold.repeat, fold.split): set(fold.test["participant_id"])
        for split in splits
        for fold in split.folds
    }
    sealed = set().union(
        *(fold.test["participant_id"] for s in splits if s.sealed for fold in s.folds)
    )
    cases: dict[tuple[str, str, str, str], _Case] = defaultdict(_Case)
    for run in runs:
        test = tests.get(run.place)
        test = _predicted(run) if test is None else test
        for code, doing, names in _exposures(run.lineage, test):
            cases[code, doing, run.strategy, run.model].add(run, names)
        if aside := (sealed - test) & run.lineage.seen:
            doing = "has seen the sealed test group, among them"
            key = ("sealed-test-used", doing, run.strategy, run.model)
            cases[key].add(run, aside)
    for (code, doing, strategy, model), case in cases.items():
        yield Finding(
            "leak",
            code,
            case.where(strategy),
            f"The model '{model}' {doing} {_people(case.names)}{case.times}; it is "
            "judged on them.",
            _MEND[code],
        )


def ancestor_leaks(
    ancestors: Mapping[str, Lineage], splits: Sequence[Audited]
) -> Iterator[Finding]:
    """Find ancestors, not used yet, that have seen participants of a test fold.

    Parameters
    ----------
    ancestors : mapping of str to Lineage
        What a training would start from, by path.
    splits : sequence of Audited
        The splits that it would be trained on.
    """
    for path, lineage in ancestors.items():
        # Seen from a later training, all that it names is an ancestor.
        start = Lineage(ancestors=(replace(lineage, name=lineage.name or path),))
        for split in splits:
            cases: dict[tuple[str, str], dict[int, set[str]]] = defaultdict(dict)
            for number, fold in enumerate(split.folds):
                test = set(fold.test["participant_id"])
                for code, doing, names in _exposures(start, test):
                    cases[code, doing].setdefault(number, set()).update(names)
            for (code, doing), seen in cases.items():
                names = set().union(*seen.values())
                yield Finding(
                    "leak",
                    code,
                    split.where([split.folds[number] for number in seen]),
                    f"A model that {doing} {_people(names)} would be judged on them "
                    f"('{path}').",
                    _MEND[code],
                )


@dataclass
class _Case:
    """The runs of one model with one kind of exposure."""

    runs: list[Run] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, run: Run, names: set[str] | frozenset[str]) -> None:
        self.runs.append(run)
        self.names |= names

    def where(self, strategy: str) -> str:
        if len(self.runs) > 1:
            return strategy
        run = self.runs[0]
        return f"{strategy}/repeat-{run.repeat}/split-{run.split}"

    @property
    def times(self) -> str:
        return f", in {len(self.runs)} runs" if len(self.runs) > 1 else ""


def _exposures(
    lineage: Lineage, test: set[str], root: bool = True
) -> Iterator[tuple[str, str, set[str]]]:
    """Yield code, wording and participants of everything that saw the test fold."""
    own = (set(lineage.train) | set(lineage.validation)) & test
    if own and root:
        yield "trained-on-test", "was trained or chosen on", own
    elif own:
        name = f" '{lineage.name}'" if lineage.name else ""
        article = "" if lineage.kind == "features" else "a "
        doing = f"builds on {article}{lineage.kind}{name} made with"
        yield _CODES.get(lineage.kind, _PRETRAINED), doing, own
    for ancestor in lineage.ancestors:
        yield from _exposures(ancestor, test, root=False)


def _people(names: set[str]) -> str:
    noun = "participant" if len(names) == 1 else "participants"
    return f"{len(names)} {noun} ({name_some(names)})"


def _predicted(run: Run) -> set[str]:
    path = run.folder / "predictions_test.tsv"
    if not path.is_file():
        return set()
    table = read_table(path, "predictions table", SplitError, text=IDS)
    return set(table.get("participant_id", ()))
