from __future__ import annotations

import pytest
from synthetic_benchmark import make_benchmark
from synthetic_interpretations import add_interpretations

from clinicadl_trust.generate import GeneratorOptions, generate_caps
from clinicadl_trust.report import write_report
from clinicadl_trust.report.load import read_benchmark


@pytest.fixture(scope="session")
def benchmark_dir(once):
    """A whole binary benchmark. Do not write in it."""
    return once("report", lambda folder: make_benchmark(folder / "whole"))


@pytest.fixture(scope="session")
def whole(benchmark_dir):
    return read_benchmark(benchmark_dir)


@pytest.fixture(scope="session")
def other_tasks(once):
    """The pages of a multi-class task and of a regression."""
    models = ("regional-logistic", "metadata", "majority")

    def make(folder):
        return {
            task: write_report(
                make_benchmark(folder / task, task=task, participants=60, models=models)
            )
            for task in ("multiclass", "regression")
        }

    return once("tasks", make)


@pytest.fixture(scope="session")
def page(benchmark_dir, once):
    """The report of the whole benchmark."""
    return once("page", lambda f: write_report(benchmark_dir, f / "report.html"))


@pytest.fixture(scope="session")
def lesions(once):
    options = GeneratorOptions(
        participants=6,
        sessions=1,
        resolution=8,
        modality="FLAIR",
        disease="lesions",
        seed=0,
    )
    return once("lesions", lambda f: generate_caps(f / "caps", options, n_jobs=1))


@pytest.fixture(scope="session")
def explained(once, lesions):
    """A benchmark whose networks were interpreted. Do not write in it."""

    def make(folder):
        directory = make_benchmark(
            folder / "b",
            models=("cnn", "constrained", "metadata"),
            participants=32,
            seeds=3,
            sites=0,
            leaky=False,
        )
        add_interpretations(directory, lesions)
        return directory

    return once("explained", make)


@pytest.fixture(scope="session")
def explained_page(explained, once):
    return once(
        "maps", lambda folder: write_report(explained, folder / "my report.html")
    )
