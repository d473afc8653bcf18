from __future__ import annotations

import pytest
from synthetic_benchmark import make_benchmark

from clinicadl_trust.report import write_report
from clinicadl_trust.report.load import read_benchmark


@pytest.fixture(scope="session")
def benchmark_dir(tmp_path_factory):
    """A whole binary benchmark. Do not write in it."""
    return make_benchmark(tmp_path_factory.mktemp("report") / "whole")


@pytest.fixture(scope="session")
def whole(benchmark_dir):
    return read_benchmark(benchmark_dir)


@pytest.fixture(scope="session")
def other_tasks(tmp_path_factory):
    """The pages of a multi-class task and of a regression."""
    root = tmp_path_factory.mktemp("tasks")
    models = ("regional-logistic", "metadata", "majority")
    return {
        task: write_report(
            make_benchmark(root / task, task=task, participants=60, models=models)
        )
        for task in ("multiclass", "regression")
    }


@pytest.fixture(scope="session")
def page(benchmark_dir, tmp_path_factory):
    """The report of the whole benchmark."""
    return write_report(benchmark_dir, tmp_path_factory.mktemp("page") / "report.html")
