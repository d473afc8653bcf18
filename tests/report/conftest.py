from __future__ import annotations

import pytest
from synthetic_benchmark import make_benchmark
from synthetic_interpretations import add_interpretations

from clinicadl_trust.generate import GeneratorOptions, generate_caps
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


@pytest.fixture(scope="session")
def lesions(tmp_path_factory):
    options = GeneratorOptions(
        participants=6,
        sessions=1,
        resolution=8,
        modality="FLAIR",
        disease="lesions",
        seed=0,
    )
    return generate_caps(tmp_path_factory.mktemp("lesions") / "caps", options, n_jobs=1)


@pytest.fixture(scope="session")
def explained(tmp_path_factory, lesions):
    """A benchmark whose networks were interpreted. Do not write in it."""
    directory = make_benchmark(
        tmp_path_factory.mktemp("explained") / "b",
        models=("cnn", "constrained", "metadata"),
        participants=32,
        seeds=3,
        sites=0,
        leaky=False,
    )
    add_interpretations(directory, lesions)
    return directory


@pytest.fixture(scope="session")
def explained_page(explained, tmp_path_factory):
    return write_report(explained, tmp_path_factory.mktemp("page") / "my report.html")
