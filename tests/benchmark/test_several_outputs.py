"""Several quantities at once, from the experiment file to the report."""

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.benchmark import run_benchmark
from clinicadl_trust.generate import image_type

EXPERIMENT = """\
name = "several"
[cohort]
label = ["age", "score"]
caps = "{caps}"
image = {{ data_type = "t1_linear", suffix = "T1w", with_entities = {{ {entities} }} }}
[sealed_test]
strategy = "MatchedTestSet"
fraction = 0.4
[models.voxels]
type = "scikit-learn"
features = {{ name = "voxels" }}
"""

_KINDS = ("label", "predicted")


@pytest.fixture(scope="module")
def done(tmp_path_factory, caps_dir, caps_options, module_here):
    folder = tmp_path_factory.mktemp("several")
    entities = image_type(caps_options).with_entities.items()
    text = EXPERIMENT.format(
        caps=caps_dir, entities=", ".join(f'{k} = "{v}"' for k, v in entities)
    )
    (folder / "experiment.toml").write_text(text)
    return run_benchmark(folder / "experiment.toml", folder / "done")


def test_statistics_are_of_the_error(done):
    assert not done.failed
    table = pd.read_csv(done.directory / "predictions.tsv", sep="\t")
    columns = [f"{kind}_{name}" for name in ("age", "score") for kind in _KINDS]
    assert {*columns, "error"} <= {*table}
    found = pd.read_csv(done.directory / "statistics.tsv", sep="\t")
    primary = found[(found["kind"] == "estimate") & found["primary"]]
    assert {*primary["metric"]} == {"error"}
    test = table[table["group"] == "test"]
    for model, value in primary.set_index("model")["value"].items():
        assert value == pytest.approx(test[test["model"] == model]["error"].mean())


def test_the_mean_of_each_output_has_an_error_of_about_one(done):
    table = pd.read_csv(done.directory / "predictions.tsv", sep="\t")
    rows = table[(table["model"] == "majority") & (table["group"] == "test")]
    assert 0.6 < np.sqrt(np.mean(rows["error"] ** 2)) < 1.4
    for name in ("age", "score"):
        assert rows[f"predicted_{name}"].nunique() == 1


def test_the_report_says_which_output_is_drawn(done):
    page = (done.directory / "report.html").read_text(encoding="utf-8")
    assert "age, score" in page
    assert "age, the first of 2 outputs" in page
