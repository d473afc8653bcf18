import json

import pandas as pd
import pytest

from clinicadl_trust.caps import ImageType, check_caps, find_images, with_images
from clinicadl_trust.cohort import Cohort
from clinicadl_trust.exceptions import CapsError, ConfigError

LINEAR = "space-MNI152NLin2009cSym_res-1x1x1_T1w.nii.gz"
CROPPED = "space-MNI152NLin2009cSym_desc-Crop_res-1x1x1_T1w.nii.gz"
T1 = ImageType.parse("T1Linear")


def add_image(caps, participant, session, ending=CROPPED, folder="t1_linear"):
    path = caps / "subjects" / participant / session / folder
    path.mkdir(parents=True, exist_ok=True)
    path = path / f"{participant}_{session}_{ending}"
    path.write_bytes(b"")
    return path


def describe(caps, **content):
    caps.mkdir(exist_ok=True)
    text = json.dumps({"Name": "x", "BIDSVersion": "1.7.0", **content})
    (caps / "dataset_description.json").write_text(text)


@pytest.fixture
def caps(tmp_path):
    caps = tmp_path / "caps"
    describe(caps, CAPSVersion="1.0.0")
    for participant in ("sub-1", "sub-2"):
        add_image(caps, participant, "ses-1")
    return caps


@pytest.fixture
def cohort():
    ids = {"participant_id": ["sub-1", "sub-2"], "session_id": ["ses-1", "ses-1"]}
    return Cohort.from_frame(pd.DataFrame(ids), "'p.tsv'")


def test_a_caps_is_accepted(caps):
    assert check_caps(str(caps)) == caps


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(CapsError, match="No CAPS folder"):
        check_caps(tmp_path / "absent")


def test_a_caps_without_description_is_refused(caps):
    (caps / "dataset_description.json").unlink()
    with pytest.raises(CapsError, match=r"no dataset_description\.json.*by hand"):
        find_images(caps, T1)


@pytest.mark.parametrize("content", ["{not json", "\xff\xfe"])
def test_a_description_that_is_no_json_is_refused(caps, content):
    (caps / "dataset_description.json").write_text(content, encoding="latin-1")
    with pytest.raises(CapsError, match="not valid JSON"):
        check_caps(caps)


@pytest.mark.parametrize("content", ["{}", "[1]", '{"BIDSVersion": "1.7.0"}'])
def test_a_bids_folder_is_no_caps(caps, content):
    (caps / "dataset_description.json").write_text(content)
    with pytest.raises(CapsError, match="a BIDS folder, not a CAPS"):
        check_caps(caps)


def test_a_caps_without_subjects_is_refused(tmp_path):
    describe(tmp_path / "caps", CAPSVersion="1.0.0")
    with pytest.raises(CapsError, match="no folder 'subjects'"):
        check_caps(tmp_path / "caps")


def test_images_are_listed_by_id(caps):
    add_image(caps, "sub-1", "ses-0")
    add_image(caps, "sub-1", "ses-0", LINEAR)
    add_image(caps, "sub-1", "ses-0", CROPPED.replace("nii.gz", "json"))
    table = find_images(caps, T1)
    assert list(table.columns) == ["participant_id", "session_id", "path"]
    ids = list(zip(table["participant_id"], table["session_id"], strict=True))
    assert ids == [("sub-1", "ses-0"), ("sub-1", "ses-1"), ("sub-2", "ses-1")]
    assert table["path"].str.endswith(CROPPED).all()
    assert table["path"].str.startswith(str(caps.resolve())).all()


def test_no_image_of_the_type_shows_one_that_is_there(caps):
    with pytest.raises(CapsError, match=r"It holds, for example, 'subjects.*desc-Crop"):
        find_images(caps, ImageType.parse("FlairLinear"))
    for image in caps.glob("subjects/*/*/*/*"):
        image.unlink()
    with pytest.raises(CapsError, match="no NIfTI below"):
        find_images(caps, T1)


def test_two_images_of_one_session_are_refused(caps):
    add_image(caps, "sub-1", "ses-1", CROPPED.removesuffix(".gz"))
    with pytest.raises(CapsError, match=r"Two images fit one session.*Narrow"):
        find_images(caps, T1)


def test_the_cohort_learns_its_paths(caps, cohort):
    joined, extra = with_images(cohort, caps, T1)
    assert joined.table["path"].str.contains("sub-").all() and extra == []
    # Asked again, the paths are looked up again, not doubled.
    again, _ = with_images(joined, caps, T1)
    pd.testing.assert_frame_equal(again.table, joined.table)


def test_a_row_without_image_is_named(caps, cohort):
    more = pd.DataFrame(
        {"participant_id": [f"sub-{n}" for n in range(3, 10)], "session_id": "ses-1"}
    )
    cohort = Cohort.from_frame(pd.concat([cohort.table, more]), "'p.tsv'")
    with pytest.raises(CapsError, match=r"7 rows of 'p\.tsv'.*sub-3 ses-1.*and 2 more"):
        with_images(cohort, caps, T1)


def test_an_image_without_row_is_reported_and_left_out(caps, cohort):
    add_image(caps, "sub-1", "ses-2")
    add_image(caps, "sub-9", "ses-1")
    joined, extra = with_images(cohort, caps, T1)
    assert len(joined) == 2
    assert extra == [("sub-1", "ses-2"), ("sub-9", "ses-1")]


@pytest.mark.parametrize(
    ("value", "ending", "fits"),
    [
        ("T1Linear", CROPPED, True),
        ("T1Linear", LINEAR, False),
        ({"name": "T1Linear", "use_uncropped_image": True}, LINEAR, True),
        ({"name": "T1Linear", "use_uncropped_image": True}, CROPPED, False),
        ("T1Linear", CROPPED.replace("1x1x1", "4x4x4"), False),
        ("T1Linear", CROPPED.replace("T1w", "FLAIR"), False),
        ("FlairLinear", CROPPED.replace("T1w", "FLAIR"), True),
        ({"data_type": "t1_linear", "suffix": "T1w"}, LINEAR, True),
        ({"data_type": "t1_linear", "suffix": "T1w"}, "T1w.json", False),
        (
            {"data_type": "a", "suffix": "T.w", "with_entities": {"res": "[14]x.*"}},
            CROPPED.replace("1x1x1", "4x4x4"),
            True,
        ),
        (
            {"data_type": "a", "suffix": "T1w", "without_entities": {"desc": ".*"}},
            CROPPED,
            False,
        ),
        ({"data_type": "a", "suffix": "T1w", "with_entities": None}, "T1w.nii", True),
        ({"data_type": "a", "suffix": "T1w", "description": "mine"}, "T1w.nii", True),
    ],
)
def test_image_types_match_as_in_clinicadl(value, ending, fits):
    assert ImageType.parse(value).matches(f"sub-1_ses-1_{ending}") is fits


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("T1linear", "Unknown image type.*Did you mean 'T1Linear'"),
        (3, "a name or a table, not 3"),
        ({"name": "T1Linear", "uncropped": True}, "Unknown key 'uncropped'"),
        ({"suffix": "T1w"}, "needs 'data_type'"),
        ({"data_type": "a", "suffix": 1}, "needs 'suffix'"),
        ({"data_type": "a", "suffix": "T1w", "with_entity": {}}, "'with_entities'"),
        ({"data_type": "a", "suffix": "T1w("}, "'suffix' is no regular expression"),
        (
            {"data_type": "a", "suffix": "T1w", "with_entities": {"res": 1}},
            "'res' is no regular expression: 1",
        ),
    ],
)
def test_wrong_image_types_are_explained(value, message):
    with pytest.raises(ConfigError, match=message):
        ImageType.parse(value)


def test_an_image_type_parses_to_itself():
    assert ImageType.parse(T1) is T1
