"""``--statistic NAME`` runs a plugin, ours or another lab's; ``--estimand`` is told."""

import re
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from fake_distribution import forget_modules, make_distribution

from clinicadl_trust.cli.main import cli
from clinicadl_trust.predictions import write_predictions

sys.path.append(str(Path(__file__).parents[1] / "stats"))
from predictions_factory import folds, held_out

LAB = '''
"""Another lab's statistics."""
import pandas as pd

def mean_score(predictions, scale=1.0, group="test", names=()):
    """Average the scores."""
    value = scale * predictions["score"].mean()
    return pd.DataFrame({"names": ["+".join(names)], "value": [value]})

def long(predictions):
    """Give many rows."""
    return pd.DataFrame({"value": range(100)})

def plain(predictions):
    """Give a number."""
    return 0.5

def broken(predictions):
    """Fail."""
    return predictions["absent"]
'''
OURS = "clinicadl_trust.stats.on_predictions"


@pytest.fixture
def call(tmp_path, monkeypatch):
    site = tmp_path / "site"
    site.mkdir()
    names = ("mean_score", "long", "plain", "broken")
    entries = {f"lab_{name}": f"fakelab_statistics:{name}" for name in names}
    entries |= {
        "lab_auc": f"{OURS}.discrimination:roc_auc",
        "lab_permutations": f"{OURS}.paired:permutation_test",
        "lab_groups": f"{OURS}.groups:subgroups",
        "lab_compare_auc": f"{OURS}.paired:compare_roc_auc",
    }
    modules = {"fakelab_statistics": LAB}
    make_distribution(site, "fake-lab", {"statistics": entries}, modules)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    write_predictions(held_out(participants=60, sites=6), "sealed.tsv")
    write_predictions(folds(), "folds.tsv")
    yield lambda *arguments: CliRunner().invoke(cli, [str(each) for each in arguments])
    forget_modules(site)


def flat(result):
    return re.sub(r"\s+", " ", result.output)


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_a_statistic_is_printed_and_written(call, command):
    result = call(command, "sealed.tsv", "--statistic", "lab-auc", "--set", "model=cnn")
    assert result.exit_code == 0, result.output
    assert "cnn, on 'sealed' (test)" in result.output
    assert "Obuchowski (1997)" in flat(result)
    assert "1 row in 'lab_auc.tsv'." in result.output
    assert max(map(len, result.output.splitlines())) <= 80
    table = pd.read_csv("lab_auc.tsv", sep="\t")
    assert table["model"].tolist() == ["cnn"] and 0.5 < table["value"][0] < 1


def test_options_reach_the_statistic(call):
    settings = ("--set", "scale=2", "--set", 'names=["a","b"]')
    asked = ("evaluate", "sealed.tsv", "--statistic", "lab_mean_score")
    assert call(*asked, *settings, "-o", "mine.tsv").exit_code == 0
    table = pd.read_csv("mine.tsv", sep="\t")
    scores = pd.read_csv("sealed.tsv", sep="\t")["score"]
    assert table["value"][0] == pytest.approx(2 * scores.mean())
    assert table["names"][0] == "a+b"
    several = ("compare", "sealed.tsv", "--statistic", "lab_permutations")
    result = call(*several, "-m", "roc_auc", "-m", "brier", "--set", "n_resamples=199")
    assert result.exit_code == 0, result.output
    assert set(pd.read_csv("lab_permutations.tsv", sep="\t")["metric"]) == {
        "roc_auc",
        "brier",
    }
    turned = call(
        "compare", "sealed.tsv", "--statistic", "lab_compare_auc", "--reference", "cnn"
    )
    assert "metadata minus cnn" in turned.output


def test_a_model_may_be_called_by_a_number(call):
    table = held_out({"1": 1.5, "2": 0.5}, participants=60)
    write_predictions(table, "numbers.tsv")
    asked = ("--statistic", "lab_auc", "--set", "model=1")
    result = call("evaluate", "numbers.tsv", *asked)
    assert result.exit_code == 0, result.output
    assert "1, on 'sealed' (test)" in result.output


def test_a_long_table_is_shown_in_part_and_written_whole(call):
    result = call("evaluate", "sealed.tsv", "--statistic", "lab_long")
    assert "... 100 rows in all" in result.output
    assert len(pd.read_csv("lab_long.tsv", sep="\t")) == 100


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--statistic", "lab_auk"], 1, "Did you mean 'lab_auc'"),
        (["--statistic", "lab_auc", "--set", "modle=cnn"], 2, "Did you mean 'model'"),
        (["--statistic", "lab_auc", "--set", "model"], 2, "not of the form KEY=VALUE"),
        (["--statistic", "lab_auc", "-m", "brier"], 2, "--metric is no option"),
        (["--statistic", "lab_auc", "--estimand", "patient"], 2, "--estimand is no"),
        (["--statistic", "lab_groups"], 2, "needs --set by=..."),
        (
            ["--statistic", "lab_groups", "--set", "by=site", "-m", "a", "-m", "b"],
            2,
            "takes one --metric",
        ),
        (["--statistic", "lab_plain"], 1, "returns float, and neither a table"),
        (
            ["--statistic", "lab_broken"],
            1,
            "fake-lab failed on this table: KeyError",
        ),
        (["--set", "model=cnn"], 2, "--set is for a --statistic"),
        (["--statistic", "lab_auc", "-o", "sealed.tsv"], 2, "would be overwritten"),
        (["--statistic", "lab_auc", "-o", "folds.tsv"], 1, "would be overwritten"),
        (["-o", "sealed.tsv"], 2, "would be overwritten"),
    ],
)
def test_a_mistake_is_one_message(call, arguments, code, message):
    before = Path("sealed.tsv").read_text()
    result = call("evaluate", "sealed.tsv", *arguments)
    assert result.exit_code == code, result.output
    assert message in flat(result)
    assert Path("sealed.tsv").read_text() == before


def test_rows_of_evaluate_are_not_overwritten_by_another_table(call):
    call("evaluate", "sealed.tsv", "-m", "roc_auc")
    result = call(
        "evaluate", "sealed.tsv", "--statistic", "lab_auc", "-o", "statistics.tsv"
    )
    assert result.exit_code == 1 and "another kind of table" in flat(result)


def test_the_reason_stands_above_the_tables(call):
    result = call("compare", "sealed.tsv", "-m", "roc_auc")
    text = flat(result)
    assert text.startswith("The question is about a new patient of these hospitals")
    assert "Wrong here: DeLong or a bootstrap over images" in text
    assert "Primary p-value: p" in text and "(cnn minus metadata)" in text
    assert "The question is about a model trained again" in flat(
        call("evaluate", "folds.tsv", "-m", "roc_auc")
    )


def test_the_estimand_can_be_asked_for(call):
    result = call("compare", "sealed.tsv", "--estimand", "hospital")
    assert result.exit_code == 0, result.output
    assert "about: a new hospital, for these trained models" in result.output
    assert "paired t over sites" in result.output
    assert "each counts once" in flat(result)
    for table, asked in (("sealed.tsv", "retrained"), ("folds.tsv", "patient")):
        result = call("compare", table, "--estimand", asked)
        assert result.exit_code == 1
        assert "This table cannot tell of" in flat(result)


def test_a_leaky_table_has_no_primary_answer_and_says_so(call):
    write_predictions(folds(by="scan", visits=3), "leaky.tsv")
    result = call("evaluate", "leaky.tsv", "-m", "roc_auc")
    assert result.exit_code == 0
    assert "! No split strategy gives a result (scans: none: participants" in flat(
        result
    )


def test_one_column_of_scores_per_model(call):
    table = held_out(participants=60, visits=1)
    wide = table.pivot(
        index=["participant_id", "label"], columns="model", values="score"
    )
    wide.reset_index().to_csv("wide.csv", index=False, sep=";", decimal=",")
    names = ("--model-column", "A=cnn", "--model-column", "B=metadata")
    result = call("compare", "wide.csv", *names)
    assert result.exit_code == 0, result.output
    assert "(A minus B)" in flat(result)
    for wrong in (["--model-column", "cnn"], [*names, "--model-column", "A=cnn"]):
        assert call("compare", "wide.csv", *wrong).exit_code == 2


def test_values_of_images_need_no_label(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    people = [f"S{number}" for number in range(30)]
    table = pd.DataFrame(
        {
            "participant_id": people * 2,
            "model": ["new"] * 30 + ["old"] * 30,
            "dice": [0.8 + 0.001 * (n * n % 17) + 0.02 * (n < 30) for n in range(60)],
        }
    )
    table.to_csv("dice.csv", index=False)
    table.pivot(index="participant_id", columns="model", values="dice").to_csv("w.csv")
    wide = ["--model-column", "new=new", "--model-column", "old=old"]
    said = []
    for arguments in (["dice.csv"], ["w.csv", *wide]):
        made = CliRunner().invoke(cli, ["compare", *arguments, "--metric", "dice"])
        assert made.exit_code == 0, made.output
        said.append(pd.read_csv("compare_models.tsv", sep="\t"))
    pd.testing.assert_frame_equal(*said)
    assert said[0]["model"].tolist() == ["new"]
    assert said[0]["effect"].iloc[0] == pytest.approx(
        table["dice"][:30].mean() - table["dice"][30:].mean()
    )
    wrong = CliRunner().invoke(cli, ["compare", "dice.csv", "--metric", "dise"])
    assert wrong.exit_code == 1 and "--metric dice" in wrong.output
