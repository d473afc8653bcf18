"""``clinicadl split`` as a user meets it."""

from __future__ import annotations

import pandas as pd
import pytest
from click.testing import CliRunner

from clinicadl_trust.cli.main import cli
from clinicadl_trust.split import read_splits


@pytest.fixture
def table(make_cohort, tmp_path):
    path = tmp_path / "participants.tsv"
    frame = make_cohort(family_id=None).table
    frame.to_csv(path, sep="\t", index=False, na_rep="n/a")
    return str(path)


@pytest.fixture
def run():
    def run(*arguments):
        return CliRunner().invoke(cli, ["split", *map(str, arguments)])

    return run


def test_make_then_audit(run, table, tmp_path):
    made = run(
        *("make", table, tmp_path / "s", "--strategy", "leave-one-site-out"),
        *("--label", "diagnosis", "--name", "sites", "--seed", "3"),
        *("--option", "validation-fraction=0.3"),
    )
    assert made.exit_code == 0, made.output
    assert "leave one site out, 3 folds" in made.output and "site-1" in made.output
    info, folds = read_splits(tmp_path / "s" / "sites")
    assert info.name == "sites" and len(folds) == 3
    assert info.options["seed"] == 3 and info.options["validation_fraction"] == 0.3

    audited = run("audit", tmp_path / "s", "--participants", table, "--balance")
    assert audited.exit_code == 0, audited.output
    assert "No finding" in audited.output and "ROC AUC" in audited.output
    assert "Not checked: duplicated images" in audited.output


def test_balance_has_a_line_per_group(run, table, tmp_path):
    run(
        *("make", table, tmp_path / "s", "--strategy", "LeaveOneSiteOut"),
        *("--label", "diagnosis"),
    )
    shown = run("audit", tmp_path / "s", "--balance").output.splitlines()
    words = [line.split() for line in shown]
    assert ["LeaveOneSiteOut/repeat-0/split-1", "site-1"] in words
    groups = [line[0] for line in words if len(line) == 10 and line[1].isdigit()]
    assert groups == ["train", "validation", "test"] * 3


def test_one_fold_is_no_folds(run, table, tmp_path):
    made = run("make", table, tmp_path / "s", "--strategy", "TemporalSplit")
    assert made.output.endswith(", 1 fold.\n")


def test_leak_exits_with_1(run, table, tmp_path):
    made = run("make", table, tmp_path / "s", "--strategy", "ScanKFold")
    assert made.exit_code == 0 and "leaks on purpose" in made.output
    audited = run("audit", tmp_path / "s", "--output", tmp_path / "out")
    assert audited.exit_code == 1
    assert "2 leaks found" in audited.output and "same-participant" in audited.output
    written = pd.read_csv(tmp_path / "out" / "audit.tsv", sep="\t")
    assert set(written["severity"]) == {"leak"}
    assert (tmp_path / "out" / "balance.tsv").is_file()


def test_demonstration_in_a_benchmark_exits_with_0(run, table, tmp_path):
    run("make", table, tmp_path / "splits", "--strategy", "ScanKFold")
    (tmp_path / "benchmark.json").write_text("{}")
    audited = run("audit", tmp_path)
    assert audited.exit_code == 0
    assert "leak, on purpose" in " ".join(audited.output.split())
    assert "No leak, other than those shown on purpose" in audited.output


def test_images_are_named_as_clinicadl_names_them(run, caps_dir, tmp_path):
    table = caps_dir / "participants.tsv"
    run("make", table, tmp_path / "s", "--strategy", "ParticipantKFold")
    image = '{data_type = "t1_linear", suffix = "T1w", with_entities = {desc = "Crop"}}'
    audited = run("audit", tmp_path / "s", "--caps", caps_dir, "--image", image)
    assert audited.exit_code == 0, audited.output
    assert "duplicated images" not in audited.output
    audited = run("audit", tmp_path / "s", "--caps", caps_dir, "--image", "T2Linear")
    assert audited.exit_code == 1 and "Did you mean 'T1Linear'" in audited.output
    audited = run("audit", tmp_path / "s", "--caps", caps_dir, "--image", "{data")
    assert audited.exit_code == 2 and "no TOML table" in audited.output


def test_quantities_and_notes_are_shown(run, make_cohort, tmp_path):
    path = tmp_path / "participants.tsv"
    make_cohort().table.to_csv(path, sep="\t", index=False, na_rep="n/a")
    made = run(
        *("make", path, tmp_path / "s", "--strategy", "ParticipantKFold"),
        *("--label", "score"),
    )
    assert "mean " in made.output and "FamilyKFold keeps families" in made.output


def test_list_names_strategies_and_options(run):
    listed = run("list")
    assert listed.exit_code == 0
    words = " ".join(listed.output.split())
    for word in ("LeaveOneSiteOut", "leave one site out", "caliper=5.0", "n-repeats=1"):
        assert word in words


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--strategy", "LeaveOneSitesOut"], 1, "Did you mean 'LeaveOneSiteOut'"),
        (["--strategy", "SiteKFold", "--option", "n-splits"], 2, "not KEY=VALUE"),
        (["--strategy", "SiteKFold", "--option", "k=3"], 1, "has no option 'k'"),
        (["--strategy", "SiteKFold"], 1, "5 folds need at least 5"),
        ([], 2, "--strategy"),
        (["--strategy", "SiteKFold", "--label", "dx"], 1, "The label"),
    ],
)
def test_mistakes_are_explained(arguments, code, words, run, table, tmp_path):
    made = run("make", table, tmp_path / "s", *arguments)
    assert made.exit_code == code
    assert words in " ".join(made.output.split())
    assert not (tmp_path / "s").exists() and "Traceback" not in made.output


def test_nothing_to_audit(run, tmp_path):
    audited = run("audit", tmp_path / "nowhere")
    assert audited.exit_code == 1 and "No folder at" in audited.output
