"""ClinicaDL's own classes, unmodified, read what we write."""

from __future__ import annotations

import pytest
from strategy_builder import build

from clinicadl_trust.cohort import IDS
from clinicadl_trust.generate.image_types import image_type
from clinicadl_trust.split import write_splits
from clinicadl_trust.split.audit import audit


@pytest.fixture(scope="module")
def dataset(caps_dir, caps_options, cohort):
    datasets = pytest.importorskip("clinicadl.data.datasets")
    from clinicadl.io.bids import BidsFileType

    image = image_type(caps_options)
    file_type = BidsFileType(
        data_type=image.data_type,
        suffix=image.suffix,
        with_entities=dict(image.with_entities),
    )
    return datasets.BidsDataset(
        caps_dir, file_type, cohort.table, columns=["diagnosis"]
    )


def pairs(table):
    return set(map(tuple, table[list(IDS)].to_numpy()))


def check(split, fold):
    """The host's training and validation sets are the fold's, session for session."""
    assert pairs(split.train_dataset.df) == pairs(fold.train)
    assert pairs(split.val_dataset.df) == pairs(fold.validation)


@pytest.mark.parametrize("name", ["ParticipantKFold", "LeaveOneSiteOut", "ScanKFold"])
def test_kfold(name, cohort, dataset, tmp_path):
    from clinicadl.split import KFold, SingleSplit

    options = {"validation_fraction": 0.3, "inner_splits": 2, "n_repeats": 2}
    options |= {"allow_missing_class": True}
    if name != "LeaveOneSiteOut":
        options["n_splits"] = 3
    folds = write_splits(build(name, options), cohort, tmp_path / "s", "diagnosis")
    splitter = KFold(tmp_path / "s" / "repeat-1")
    for split, fold in zip(splitter.get_splits(dataset), folds[3:], strict=True):
        check(split, fold)
    check(SingleSplit(folds[1].directory).get_split(dataset), folds[1])
    inner = KFold(folds[0].directory / "inner")
    for split, fold in zip(inner.get_splits(dataset), folds[0].inner, strict=True):
        check(split, fold)


@pytest.mark.parametrize("name", ["TemporalSplit", "MatchedTestSet"])
def test_single_split(name, cohort, dataset, tmp_path):
    from clinicadl.split import SingleSplit

    strategy = build(name, {"allow_missing_class": True, "fraction": 0.3})
    (fold,) = write_splits(strategy, cohort, tmp_path / "s", "diagnosis")
    check(SingleSplit(fold.directory).get_split(dataset), fold)
    if name == "TemporalSplit":
        # Later sessions of training participants stay out: the host adds none.
        everyone = cohort.table["participant_id"].isin(fold.train["participant_id"])
        assert len(fold.train) < everyone.sum()


def test_splits_of_the_host_have_no_test_set(cohort, tmp_path):
    from clinicadl.split import make_kfold

    table = cohort.table[[*IDS, "diagnosis"]]
    directory = make_kfold(
        table, 3, tmp_path, longitudinal=True, seed=0, stratification="diagnosis"
    )
    report = audit(directory, cohort=cohort)
    assert [finding.code for finding in report.leaks] == ["no-test-set"]
    assert report.leaks[0].where == f"{directory.name} (3 of 3 folds)"
    assert len(report.balance) == 9


def test_test_set_of_the_host_that_validates(cohort, tmp_path):
    from clinicadl.split import make_split

    directory = make_split(
        cohort.table[list(IDS)], output_dir=tmp_path, subset_name="test", seed=0
    )
    codes = {finding.code for finding in audit(directory).leaks}
    assert codes == {"test-is-validation", "same-participant"}
