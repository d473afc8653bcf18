"""Refits on redrawn labels in the report's estimates."""

import dataclasses

import pandas as pd
import pytest
from synthetic_benchmark import make_benchmark

from clinicadl_trust.report.load import read_benchmark
from clinicadl_trust.report.sections import estimates


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    options = {"models": ("cnn", "voxel-svm", "metadata"), "participants": 48}
    return read_benchmark(make_benchmark(tmp_path_factory.mktemp("b") / "b", **options))


def test_without_refits_nothing_is_said(small):
    assert estimates.build(small).content["chance"] == []


def test_p_values_are_told_split_by_split_and_leaky_ones_not(small):
    table = small.estimates
    first = table[table["metric"] == small.primary_metric]
    rows = first[first["model"] == "voxel-svm"].assign(kind="chance", p_value=0.005)
    rows.loc[rows["split_strategy"] == "participants", "p_value"] = 0.0004
    failed = first[first["model"] == "metadata"].assign(kind="chance", p_value=None)
    statistics = pd.concat([small.statistics, rows, failed], ignore_index=True)
    told = estimates.build(dataclasses.replace(small, statistics=statistics))
    assert ("Sealed test group", "voxel-svm p = 0.005") in told.content["chance"]
    assert "voxel-svm p < 0.001" in [text for _, text in told.content["chance"]]
    honest = [strategy.name for strategy in small.honest]
    assert len(told.content["chance"]) == len(honest)
