"""Where interpretations lie, and how they are read back."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from clinicadl_trust.exceptions import AttributionError, RunError
from clinicadl_trust.interpretations import (
    Interpretation,
    interpretation_dir,
    interpretations,
)


@pytest.fixture
def maps(tmp_path):
    """What a benchmark leaves of one run, with the interpretation of one image."""
    maps = tmp_path / "runs" / "cnn"
    record = maps / "training" / "split-2" / "trust"
    record.mkdir(parents=True)
    (record / "run.json").write_text("{}")
    folder = interpretation_dir(maps, 2, "test", "integrated_gradients")
    (folder / "participants").mkdir(parents=True)
    about = {"finished": True, "means": ["CN", "AD", "difference"]}
    (folder / "interpretation.json").write_text(json.dumps(about))
    image = {"image": "/caps/image.nii.gz", "mask": ""}
    (folder / "participants" / "sub-1_ses-1.json").write_text(json.dumps(image))
    return maps


def test_interpretations_are_listed_from_a_maps_and_from_a_benchmark(tmp_path, maps):
    expected = [Interpretation(maps, 2, "test", "integrated_gradients")]
    assert interpretations(maps) == expected
    assert interpretations(tmp_path) == expected
    assert interpretations(tmp_path / "other") == []


def test_files_are_named_as_bids_names_them(maps):
    (found,) = interpretations(maps)
    suffix = "desc-integratedGradients_attribution.nii.gz"
    assert found.map_of("sub-1", "ses-1").name == f"sub-1_ses-1_{suffix}"
    assert found.means()["AD"] == found.folder / "mean" / f"AD_{suffix}"
    assert found.mean_of("not AD!").name == f"notAD_{suffix}"
    assert str(found.image_of("sub-1", "ses-1")) == "/caps/image.nii.gz"
    assert found.mask_of("sub-1", "ses-1") is None
    assert found.is_finished


def test_what_is_not_there_is_told(maps):
    (found,) = interpretations(maps)
    with pytest.raises(RunError, match="no interpretation by integrated_gradients of"):
        found.image_of("sub-2", "ses-1")
    with pytest.raises(AttributionError, match=r"regions\.tsv"):
        found.regions()
    other = Interpretation(maps, 2, "test", "occlusion")
    with pytest.raises(RunError, match="clinicadl interpret"):
        _ = other.about


def test_ids_that_look_like_numbers_stay_text(maps):
    (found,) = interpretations(maps)
    rows = {"participant_id": ["001"], "session_id": ["01"], "lesion_auprc": ["n/a"]}
    pd.DataFrame(rows).to_csv(found.metrics_path, sep="\t", index=False)
    table = found.metrics()
    assert table["participant_id"].tolist() == ["001"]
    assert table["lesion_auprc"].isna().all()


def test_reading_them_needs_no_torch():
    code = (
        "import sys, clinicadl_trust.interpretations;"
        "sys.exit('torch' in sys.modules or 'clinicadl' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
