import errno
import os
from pathlib import Path

import pytest
from fake_runs import make_experiment

from clinicadl_trust.benchmark import folder
from clinicadl_trust.benchmark.changes import additions, forget_attempts
from clinicadl_trust.benchmark.folder import locked, read_resolved, unwritable, writing
from clinicadl_trust.exceptions import ConfigError, OutputError


def experiment(**changes):
    content = {
        "name": "small",
        "cohort": {"label": "diagnosis", "generate": {"participants": 20}},
        "splits": {"people": {"strategy": "ParticipantKFold", "n_splits": 3}},
        "models": {"ridge": {"type": "scikit-learn", "seeds": [0]}},
        "statistics": {"metrics": ["roc_auc"], "primary": "roc_auc"},
    }
    for key, value in changes.items():
        table, _, name = key.rpartition("__")
        (content[table] if table else content)[name] = value
    return make_experiment(**content)


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    (tmp_path / "z").touch()
    with pytest.raises(OutputError, match=r"'thesis.tex' and 1 more. Name a folder"):
        locked(tmp_path).__enter__()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["thesis.tex", "z"]


def test_a_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        locked(tmp_path / "file").__enter__()


def test_an_empty_folder_and_one_that_was_just_begun_are_taken(tmp_path):
    for _ in range(2):
        with locked(tmp_path):
            pass
    assert read_resolved(tmp_path) is None


def test_a_damaged_experiment_file_is_told(tmp_path):
    (tmp_path / folder.CONFIG).write_text("name = 3")
    with pytest.raises(OutputError, match="not what this version writes"):
        read_resolved(tmp_path)


def test_a_worker_that_does_not_end_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_PATIENCE", 0.2)
    with (
        folder.hold_workers_lock(tmp_path),
        pytest.raises(OutputError, match="still runs"),
        locked(tmp_path),
    ):
        pass


def test_a_file_system_without_locks_counts_as_free(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with locked(tmp_path), locked(tmp_path):
        pass


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.ENOTDIR, "is a file, not a folder"),
    ],
)
def test_what_cannot_be_written_is_told_plainly(tmp_path, number, words):
    with pytest.raises(OutputError, match=words) as error, writing(tmp_path):
        raise OSError(number, os.strerror(number), str(tmp_path / "x"))
    assert str(tmp_path / "x") in str(error.value)
    assert "run the same command to continue" in str(error.value)


def test_a_really_full_disk(tmp_path):
    with pytest.raises(OutputError, match="full"), writing(tmp_path):
        Path("/dev/full").write_text("x")


def test_other_errors_pass():
    with pytest.raises(FileNotFoundError), writing("."):
        raise FileNotFoundError(errno.ENOENT, "absent")
    assert unwritable(ValueError()) is None


def test_the_cause_of_an_error_is_looked_into():
    try:
        try:
            raise OSError(errno.ENOSPC, "full")
        except OSError as cause:
            raise ValueError("training failed") from cause
    except ValueError as error:
        assert "full" in unwritable(error)


def test_what_has_no_effect_may_change(tmp_path):
    new = experiment(question="?", run={"n_jobs": 2, "report": False}, name="other")
    assert additions(experiment(), new, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "added"),
    [
        (
            {"models__svm": {"type": "scikit-learn", "seeds": [1]}},
            ["models.svm"],
        ),
        (
            {"models__ridge": {"type": "scikit-learn", "seeds": [0, 1]}},
            ["models.ridge.seeds"],
        ),
        ({"splits__sites": {"strategy": "LeaveOneSiteOut"}}, ["splits.sites"]),
        (
            {
                "statistics": {
                    "metrics": ["roc_auc", "brier_score"],
                    "primary": "roc_auc",
                }
            },
            ["statistics.metrics"],
        ),
    ],
)
def test_additions(tmp_path, change, added):
    assert additions(experiment(), experiment(**change), tmp_path) == added


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "seed: was 0, now 1"),
        (
            {"models__ridge": {"type": "scikit-learn", "C": 2}},
            "models.ridge.C: was absent, now 2",
        ),
        (
            {"models": {"other": {"type": "x"}}},
            "models.ridge.type: was 'scikit-learn', now absent",
        ),
        (
            {"splits": {"people": {"strategy": "ParticipantKFold", "n_splits": 5}}},
            "was 3, now 5",
        ),
        (
            {"sealed_test": {"strategy": "MatchedTestSet"}},
            "sealed_test.strategy: was absent",
        ),
        (
            {"statistics": {"metrics": ["brier_score"], "primary": "brier_score"}},
            "primary",
        ),
        (
            {
                "statistics": {
                    "metrics": ["roc_auc"],
                    "primary": "roc_auc",
                    "reference": "metadata",
                }
            },
            "statistics.reference: was absent, now 'metadata'",
        ),
        ({"run": {"threads": 2}}, "run.threads: was 1, now 2"),
        (
            {"cohort__test_image": "unconfounded"},
            "cohort.test_image: was absent, now 'unconfounded'",
        ),
    ],
)
def test_whatever_changes_or_hides_a_result_is_refused(tmp_path, change, told):
    (tmp_path / "runs/people/repeat-0/split-0/ridge/seed-0").mkdir(parents=True)
    with pytest.raises(ConfigError, match="may be added") as error:
        additions(experiment(), experiment(**change), tmp_path)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "models",
    [{"other": {"type": "x"}}, {"ridge": {"type": "scikit-learn", "C": 2}}],
)
def test_a_model_without_a_result_may_be_changed(tmp_path, models):
    fold = tmp_path / "runs/people/repeat-0/split-0"
    for name in ("ridge", "metadata"):
        (fold / name / "seed-0.partial").mkdir(parents=True)
    old, new = experiment(), experiment(models=models)
    added = additions(old, new, tmp_path)
    assert "models.ridge" in added
    forget_attempts(old, new, tmp_path)
    assert [path.name for path in fold.iterdir()] == ["metadata"]


def test_a_file_elsewhere_that_may_not_be_read_is_not_said_to_be_unwritable(tmp_path):
    table = str(tmp_path / "people.tsv")
    with pytest.raises(PermissionError), writing(tmp_path / "results"):
        raise PermissionError(errno.EACCES, "Permission denied", table)
    for place in (tmp_path, tmp_path / "results" / "runs"):
        with (
            pytest.raises(OutputError, match="read-only"),
            writing(tmp_path / "results"),
        ):
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
