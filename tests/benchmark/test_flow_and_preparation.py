import numpy as np
import pandas as pd
import pytest
from fake_runs import make_experiment

from clinicadl_trust.benchmark.config import CohortSection
from clinicadl_trust.benchmark.flow import COLUMNS, Flow
from clinicadl_trust.benchmark.preparation import prepare
from clinicadl_trust.benchmark.preparation import test_image_of as image_of_tests
from clinicadl_trust.exceptions import CapsError, CohortError, ConfigError
from clinicadl_trust.generate import image_type


def people(*ids):
    return pd.DataFrame({"participant_id": list(ids)})


def test_flow_counts_people_and_sessions():
    flow = Flow(people("sub-1", "sub-1", "sub-2", "sub-3"))
    flow.keep("label known", people("sub-1", "sub-2", "sub-3"), "n/a")
    flow.keep("image found", people("sub-1"), "no image")
    flow.remark("extra", "2 images")
    table = flow.to_frame()
    assert list(table.columns) == list(COLUMNS)
    assert table.drop(columns="step").to_numpy().tolist() == [
        [3, 4, 0, 0, ""],
        [3, 3, 0, 1, "n/a"],
        [1, 1, 2, 2, "no image"],
        [1, 1, 0, 0, "2 images"],
    ]


def test_a_reason_is_given_only_when_somebody_is_out():
    flow = Flow(people("sub-1"))
    flow.keep("label known", people("sub-1"), "n/a")
    assert flow.to_frame()["reason"].tolist() == ["", ""]


@pytest.fixture
def experiment(caps_dir, caps_options, cohort, tmp_path):
    kind = image_type(caps_options)
    image = {
        "name": "BidsFileType",
        "data_type": kind.data_type,
        "suffix": kind.suffix,
        "with_entities": dict(kind.with_entities),
    }

    def make(table=cohort.table, **section):
        table.to_csv(tmp_path / "people.tsv", sep="\t", index=False, na_rep="n/a")
        source = {"caps": caps_dir, "participants": tmp_path / "people.tsv"}
        return make_experiment(
            name="small",
            cohort={"label": "diagnosis", "image": image, **source, **section},
            models={"ridge": {"type": "scikit-learn"}},
        )

    return make


def test_all_rows_are_used(experiment, cohort, tmp_path):
    prepared = prepare(experiment(), tmp_path)
    assert len(prepared.cohort) == len(cohort)
    assert prepared.task.classes == ("CN", "AD")
    assert (prepared.flow["excluded_sessions"] == 0).all()
    written = pd.read_csv(tmp_path / "cohort.tsv", sep="\t")
    assert "path" not in written
    assert len(written) == len(cohort)


def test_unlabelled_rows_are_out(experiment, cohort, tmp_path):
    table = cohort.table.copy()
    table.loc[:2, "diagnosis"] = np.nan
    prepared = prepare(experiment(table), tmp_path)
    assert len(prepared.cohort) == len(cohort) - 3
    row = prepared.flow.set_index("step").loc["label known"]
    assert row["excluded_sessions"] == 3
    assert row["reason"] == "diagnosis is n/a"


def test_a_row_without_an_image_is_named(experiment, cohort, tmp_path):
    table = cohort.table.copy()
    table.loc[0, "session_id"] = "ses-M999"
    name = f"{table.loc[0, 'participant_id']} ses-M999"
    with pytest.raises(CapsError, match=name):
        prepare(experiment(table), tmp_path)


def test_rows_without_an_image_can_be_excluded(experiment, cohort, tmp_path):
    table = cohort.table.copy()
    table.loc[0, "session_id"] = "ses-M999"
    prepared = prepare(experiment(table, missing_images="exclude"), tmp_path)
    flow = prepared.flow.set_index("step")
    assert flow.loc["image found", "excluded_sessions"] == 1
    assert flow.loc["image found", "reason"] == "no T1w image in the CAPS"
    extra = flow.loc["images of the CAPS not in the table"]
    assert extra["reason"] == "1 images of 1 participants are not used"


def test_images_of_people_without_a_label_are_not_called_unlisted(
    experiment, cohort, tmp_path
):
    table = cohort.table.copy()
    table.loc[0, "diagnosis"] = np.nan
    assert len(prepare(experiment(table), tmp_path).flow) == 3
    table = cohort.table.iloc[4:]
    (tmp_path / "other").mkdir()
    flow = prepare(experiment(table), tmp_path / "other").flow
    assert flow["reason"].iloc[-1] == "4 images of 2 participants are not used"


def test_a_table_that_was_changed_is_refused(experiment, cohort, tmp_path):
    prepare(experiment(), tmp_path)
    prepare(experiment(), tmp_path)
    table = cohort.table.assign(age=50.0)
    with pytest.raises(CohortError, match="other rows than when"):
        prepare(experiment(table), tmp_path)


def test_a_generated_cohort_is_made_once(tmp_path):
    experiment = make_experiment(
        name="small",
        cohort={
            "label": "diagnosis",
            "generate": {"participants": 4, "sites": 2, "resolution": 16},
        },
        models={"ridge": {"type": "scikit-learn"}},
    )
    first = prepare(experiment, tmp_path)
    image = tmp_path / first.cohort.table["path"].iloc[0]
    before = image.stat().st_mtime_ns
    assert prepare(experiment, tmp_path).cohort.table.equals(first.cohort.table)
    assert image.stat().st_mtime_ns == before
    assert first.caps == tmp_path / "caps"


CONFOUNDED = {
    "participants": 4,
    "sites": 2,
    "resolution": 16,
    "sessions": 1,
    "confounder": "mark",
}


def test_test_rows_can_be_read_from_unconfounded_images(tmp_path):
    experiment = make_experiment(
        name="small",
        cohort={
            "label": "diagnosis",
            "test_image": "unconfounded",
            "generate": CONFOUNDED,
        },
        models={"ridge": {"type": "scikit-learn"}},
    )
    prepared = prepare(experiment, tmp_path)
    assert prepared.test_image.with_entities["desc"] == "CropUnconfounded"
    assert prepared.cohort.table["path"].str.contains("desc-Crop_").all()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("plain", CONFOUNDED, "test_image = 'unconfounded'; got 'plain'"),
        ("unconfounded", {**CONFOUNDED, "confounder": "none"}, "confounder = 'none'"),
    ],
)
def test_a_test_image_that_is_not_generated_is_refused(name, options, message):
    section = CohortSection(label="diagnosis", test_image=name, generate=options)
    with pytest.raises(ConfigError, match=message):
        image_of_tests(section)


def test_a_test_image_that_is_not_in_the_caps_is_told_first(experiment, tmp_path):
    missing = {"data_type": "t1_linear", "suffix": "T2w"}
    with pytest.raises(CapsError, match="T2w"):
        prepare(experiment(test_image=missing), tmp_path)
