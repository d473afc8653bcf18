"""The statistics table survives the disk, and imports stay light."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from predictions_factory import concat, folds, held_out

from clinicadl_trust import plugins
from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats import (
    compare,
    evaluate,
    read_statistics,
    write_statistics,
)


def both():
    table = concat([held_out(), folds(by="site")])
    return evaluate(table, ["roc_auc", "brier"]), compare(table)


def test_written_and_read_it_is_the_same_table(tmp_path):
    table = concat(both())
    write_statistics(table, tmp_path / "new" / "statistics.tsv")
    again = read_statistics(tmp_path / "new" / "statistics.tsv")
    pd.testing.assert_frame_equal(
        again.fillna({"reference": ""}),
        table.fillna({"reference": ""}),
        check_dtype=False,
        rtol=1e-14,
    )
    text = (tmp_path / "new" / "statistics.tsv").read_text()
    assert "n/a" in text
    assert [
        p.name for p in (tmp_path / "new").iterdir() if p.name.startswith(".")
    ] == []


def test_the_json_beside_has_the_same_rows(tmp_path):
    estimates, _ = both()
    write_statistics(estimates, tmp_path / "statistics.tsv")
    records = json.loads((tmp_path / "statistics.json").read_text())
    assert [r["value"] for r in records] == pytest.approx(estimates["value"].tolist())
    assert records[0]["p_value"] is None
    assert records[0]["primary"] is True


def test_small_p_values_keep_their_digits(tmp_path):
    _, comparisons = both()
    comparisons["p_value"] = 1.234567890123e-20
    write_statistics(comparisons, tmp_path / "statistics.tsv")
    records = json.loads((tmp_path / "statistics.json").read_text())
    assert {r["p_value"] for r in records} == {1.234567890123e-20}
    again = read_statistics(tmp_path / "statistics.tsv")
    for name in ("value", "low", "p_value"):
        assert again[name].tolist() == comparisons[name].tolist()


def test_a_value_without_end_is_no_number_of_json(tmp_path):
    estimates, _ = both()
    estimates.loc[0, "low"] = -np.inf
    write_statistics(estimates, tmp_path / "statistics.tsv")
    text = (tmp_path / "statistics.json").read_text()
    assert json.loads(text)[0]["low"] is None
    assert "Infinity" not in text


def test_the_tsv_is_not_lost_to_the_json(tmp_path):
    with pytest.raises(StatisticsError, match=r"results\.json' is to be a TSV"):
        write_statistics(both()[0], tmp_path / "results.json")
    assert not list(tmp_path.iterdir())


def test_rows_of_the_other_kind_are_kept(tmp_path):
    path = tmp_path / "statistics.tsv"
    estimates, comparisons = both()
    assert write_statistics(comparisons, path, replace_kinds=True) == 0
    assert write_statistics(estimates, path, replace_kinds=True) == len(comparisons)
    assert write_statistics(estimates[:1], path, replace_kinds=True) == len(comparisons)
    kinds = read_statistics(path)["kind"].tolist()
    assert kinds == ["estimate"] + ["comparison"] * len(comparisons)


def test_another_table_is_not_overwritten(tmp_path):
    path = tmp_path / "statistics.tsv"
    path.write_text("participant_id\tlabel\nsub-1\t1\n")
    with pytest.raises(StatisticsError, match="no column 'kind'"):
        write_statistics(both()[0], path, replace_kinds=True)
    assert path.read_text().startswith("participant_id")
    path.write_text("")
    with pytest.raises(StatisticsError, match="no statistics table"):
        read_statistics(path)
    with pytest.raises(StatisticsError, match="No statistics table at"):
        read_statistics(tmp_path / "absent.tsv")


def test_statistics_are_plugins():
    assert plugins.load("statistics", "evaluate") is evaluate
    assert plugins.load("statistics", "compare") is compare
    for name in ("fold_metrics", "site_metrics"):
        assert callable(plugins.load("statistics", name))


def test_importing_statistics_is_light():
    heavy = [
        "torch",
        "clinicadl",
        "matplotlib",
        "statsmodels",
        "sklearn",
    ]
    code = (
        "import sys, clinicadl_trust.stats;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == "[]"
