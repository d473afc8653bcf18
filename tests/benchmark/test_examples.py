"""The experiment files that we show are right."""

from pathlib import Path

import pytest

from clinicadl_trust.benchmark.reading import read_experiment

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_right(path):
    assert read_experiment(path).models


def test_there_are_examples():
    assert {"quickstart", "confounder", "confounder_mark"} <= {p.stem for p in EXAMPLES}
