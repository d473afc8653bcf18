"""``clinicadl evaluate`` and ``clinicadl compare`` as a user meets them."""

import json
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from clinicadl_trust.cli.main import cli
from clinicadl_trust.predictions import write_predictions
from clinicadl_trust.stats import adjust, read_statistics

sys.path.append(str(Path(__file__).parents[1] / "stats"))
from predictions_factory import concat, folds, held_out


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments):
        return CliRunner().invoke(cli, [str(each) for each in arguments])

    return run


@pytest.fixture
def table(tmp_path):
    models = {"cnn": 1.5, "regional-logistic-regression": 1.0, "metadata": 0.2}
    tables = [
        held_out(models),
        folds(models, by="site"),
        folds(models, by="scan", visits=3),
    ]
    return write_predictions(concat(tables), tmp_path / "predictions.tsv")


def test_evaluate_prints_and_writes(call, table):
    result = call("evaluate", table, "--metric", "roc_auc", "-m", "brier")
    assert result.exit_code == 0, result.output
    written = read_statistics("statistics.tsv")
    assert len(written) == 3 * 3 * 2
    assert Path("statistics.json").is_file()
    for text in (
        "a new patient of this test group's hospitals",
        "a retrained model in a new hospital",
        "40 participants, 80 images, 4 sites",
        "Obuchowski (1997)",
        "! leaky: 40 participants",
        "18 rows in 'statistics.tsv'",
    ):
        assert text in result.output
    value = written.iloc[0]["value"]
    assert f"{value:.3f}" in result.output


def test_each_of_several_methods_says_which_metrics_are_its_own(call, table):
    of_one = call("evaluate", table, "--metric", "roc_auc").output
    of_two = call("evaluate", table, "--metric", "roc_auc", "-m", "brier").output
    assert "Method: Obuchowski (1997)" in of_one
    assert "Method of roc_auc: Obuchowski (1997)" in of_two
    assert "Method of brier: cluster sandwich" in of_two
    assert "Method: corrected resampled t" in of_two  # one for both


def test_nothing_is_wider_than_80_columns_or_cut_off(call, table):
    for command in ("evaluate", "compare"):
        output = call(command, table).output
        assert max(map(len, output.splitlines())) <= 80
        assert "…" not in output
        assert "regional-log" in output


def test_compare_adds_its_rows_to_those_of_evaluate(call, table):
    call("evaluate", table, "--metric", "roc_auc")
    result = call("compare", table, "--reference", "metadata")
    assert result.exit_code == 0, result.output
    assert "roc_auc (primary) on sealed" in result.output
    assert "model minus metadata" in result.output
    assert "p (Holm)" in result.output
    assert "beside 9 that it already had" in result.output
    kinds = read_statistics("statistics.tsv")["kind"].value_counts()
    assert kinds.to_dict() == {"estimate": 9, "comparison": 6}


def test_a_benchmark_folder_is_its_predictions(call, table, tmp_path):
    result = call("evaluate", tmp_path, "--metric", "brier", "-o", "out/some.tsv")
    assert result.exit_code == 0, result.output
    assert len(read_statistics("out/some.tsv")) == 9


def test_the_baselines_of_a_benchmark_are_no_part_of_its_question(call, tmp_path):
    models = {"cnn": 1.5, "svm": 1.0, "majority": 0.1, "metadata": 0.2}
    write_predictions(held_out(models), tmp_path / "predictions.tsv")
    types = {"cnn": "trainer", "svm": "scikit-learn"}
    record = {"models": {name: {"type": types.get(name, name)} for name in models}}
    (tmp_path / "benchmark.json").write_text(json.dumps(record))
    asked = ("compare", tmp_path, "--reference", "metadata", "-m", "roc_auc")
    result = call(*asked)
    assert result.exit_code == 0, result.output
    rows = read_statistics("statistics.tsv").set_index("model")
    two = rows.loc[["cnn", "svm"]]
    assert two["primary"].all() and not rows.loc["majority", "primary"]
    assert two["p_adjusted"].to_numpy() == pytest.approx(adjust(two["p_value"]))
    assert rows.loc["majority", "p_adjusted"] == rows.loc["majority", "p_value"]


def test_a_maps_is_the_predictions_of_its_run(call, tmp_path):
    record = tmp_path / "maps" / "training" / "split-1" / "trust"
    record.mkdir(parents=True)
    result = call("evaluate", tmp_path / "maps")
    assert result.exit_code == 1
    assert "no predictions.tsv, and no complete run" in result.output
    (record / "run.json").write_text("{}")
    both = held_out({"cnn": 1.0})
    both["group"] = both["site"].map(
        lambda name: "test" if name < "site-2" else "validation"
    )
    for group, part in both.groupby("group"):
        write_predictions(part, record / f"predictions_{group}.tsv")
    result = call("evaluate", tmp_path / "maps", "--metric", "brier")
    assert result.exit_code == 0, result.output
    assert read_statistics("statistics.tsv")["n_participants"].tolist() == [20]


def test_folds_by_name_only_are_no_single_test_group(call):
    table = folds({"cnn": 1.0}).drop(columns=["repeat", "seed", "fold"])
    table.rename(columns={"split": "fold"}).to_csv("mine.csv", index=False)
    assert call("evaluate", "mine.csv", "-m", "roc_auc").exit_code == 0
    row = read_statistics("statistics.tsv").iloc[0]
    assert (row["n_folds"], row["calibration"]) == (4, "approximate")


def test_what_is_known_of_a_test_is_shown(call, table):
    output = call("compare", table, "--confidence-level", "0.995").output
    assert "(calibrated)" in output
    assert "(approximate)" in output
    assert "99.5% interval" in output


def test_a_table_from_elsewhere(call, tmp_path):
    table = held_out({"cnn": 1.0})
    table = table.assign(subject=table["participant_id"], truth=table["label"])
    table["truth"] = table["truth"].map({0: "CN", 1: "AD"})
    columns = ["subject", "session_id", "truth", "score"]
    table[columns].to_csv("mine.csv", index=False)
    mapped = ["--column", "participant_id=subject", "--column", "label=truth"]
    result = call("evaluate", "mine.csv", *mapped, "--positive", "AD")
    assert result.exit_code == 0, result.output
    expected = held_out({"cnn": 1.0})
    write_predictions(expected, tmp_path / "ours.tsv")
    call("evaluate", "ours.tsv", "-o", "ours-statistics.tsv")
    ours, theirs = (
        read_statistics(name)["value"].tolist()
        for name in ("ours-statistics.tsv", "statistics.tsv")
    )
    assert ours == pytest.approx(theirs)
    turned = call("evaluate", "mine.csv", *mapped, "--positive", "CN", "-m", "roc_auc")
    assert turned.exit_code == 0
    assert read_statistics("statistics.tsv")["value"].tolist() == pytest.approx(
        [1 - theirs[0]]
    )


def test_what_cannot_be_computed_is_shown_as_such(call):
    table = held_out()
    table = table[(table["model"] == "cnn") | (table["split_strategy"] != "sealed")]
    other = folds().query("label == 1 or split > 0").assign(fold="")
    few = held_out({"a": 1.0, "b": 0.5}, participants=8).query(
        "label == 1 or site < 'site-1'"
    )
    few = few.assign(split_strategy="few")
    concat([table, other, few]).to_csv("some.tsv", sep="\t", index=False)
    result = call("evaluate", "some.tsv", "-m", "roc_auc")
    assert result.exit_code == 0, result.output
    assert "none" in result.output
    assert "Only 1 participant in the smallest class" in result.output
    assert "n/a" in call("compare", "some.tsv").output


def test_counts_that_differ_between_models_are_shown_as_they_are(call):
    table = folds()
    table = table[(table["model"] == "cnn") | (table["split"] > 0)]
    table.to_csv("some.tsv", sep="\t", index=False)
    output = call("evaluate", "some.tsv", "-m", "roc_auc").output
    assert "30 to 40 participants, 60 to 80 images, 4 sites, 3 to 4 folds" in output
    assert (
        "30 participants, 60 images, 4 sites, 3 folds"
        in call("compare", "some.tsv").output
    )
    assert "1 row in 'statistics.tsv'" in call("compare", "some.tsv").output


def test_two_files_are_two_models_named_as_the_files(call):
    for name, effect in (("ours", 1.5), ("theirs", 0.5)):
        held_out({name: effect}).drop(columns="model").to_csv(
            f"{name}.csv", index=False
        )
    result = call("compare", "ours.csv", "theirs.csv")
    assert result.exit_code == 0, result.output
    row = read_statistics("statistics.tsv").iloc[0]
    assert (row["model"], row["reference"]) == ("ours", "theirs")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metric", "rocauc"], "Did you mean 'roc_auc'"),
        (["--metric", "mae"], "is for regression"),
        (["--group", "validation"], "no group 'validation'"),
        (["--primary", "scans"], "cannot be primary"),
        (["--column", "label=diagnosis"], "no column 'diagnosis'"),
        (["--positive", "AD"], "no value of the column 'label'"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_1(call, table, arguments, message):
    result = call("evaluate", table, *arguments)
    assert result.exit_code == 1
    assert message in re.sub(r"\s+", " ", result.output)
    assert "Traceback" not in result.output
    assert not Path("statistics.tsv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["absent.tsv"],
        [],
        ["--confidence-level", "95"],
        ["--column", "label"],
        ["--column", "participant=subject"],
        ["--column", "score=p", "--column", "score=label"],
        ["--output", "statistics.json"],
    ],
)
def test_wrong_usage_is_exit_code_2(call, table, arguments):
    arguments = [table, *arguments] if arguments[:1] != ["absent.tsv"] else arguments
    if len(arguments) == 1 and arguments[0] == table:
        arguments = ["--metric", "roc_auc"]  # no table at all
    result = call("evaluate", *arguments)
    assert result.exit_code == 2, result.output


def test_two_classes_by_name_ask_for_the_positive_one(call):
    table = held_out({"cnn": 1.0})
    table["label"] = table["label"].map({0: "CN", 1: "AD"})
    table.to_csv("mine.tsv", sep="\t", index=False)
    result = call("evaluate", "mine.tsv")
    assert result.exit_code == 1
    assert "--positive" in result.output
    table["label"] = table["label"].where(table.index > 4, "MCI")
    table.to_csv("three.tsv", sep="\t", index=False)
    result = call("evaluate", "three.tsv", "--positive", "AD")
    assert "score_<class>" in result.output


def test_dice_needs_no_label(call, tmp_path):
    dice = [0.2 + 0.03 * n for n in range(20)]
    lines = [f"sub-{n:02},{value:.2f}" for n, value in enumerate(dice)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["participant_id,dice", *lines]))
    result = call("evaluate", path, "--metric", "dice")
    assert result.exit_code == 0, result.output
    rows = read_statistics(tmp_path / "statistics.tsv")
    assert rows["value"].item() == pytest.approx(sum(dice) / 20)
