"""Images on a mask alone: the host's ``Mask`` and ``[models.NAME.masks]``."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from trainer_runs import CONFIG, change

from clinicadl_trust.caps import with_images
from clinicadl_trust.exceptions import CapsError
from clinicadl_trust.generate import brain_mask_type
from clinicadl_trust.models.components import Blueprint
from clinicadl_trust.models.fold_images import open_fold
from clinicadl_trust.models.options import read_options


@pytest.fixture
def opened(spec, caps_options, tmp_path):
    kind = brain_mask_type(caps_options)

    def make(masking_method):
        config = change(
            CONFIG,
            transforms=[{"name": "Mask", "masking_method": masking_method}],
            masks={
                "brain": {
                    "data_type": kind.data_type,
                    "suffix": kind.suffix,
                    "with_entities": dict(kind.with_entities),
                }
            },
        )
        options = read_options("cnn", config)
        asked = replace(spec, cache=tmp_path, config=config)
        return open_fold(asked, Blueprint("cnn", options, spec.task)).seen

    return make


def test_nothing_is_left_outside_the_brain(opened, spec, caps_options):
    data, rows = opened("brain"), spec.rows("train")
    part = data.subset(rows[["participant_id", "session_id"]])
    kind = brain_mask_type(caps_options)
    masks = with_images(spec.cohort, spec.caps, kind)[0].table
    masks = rows[["participant_id", "session_id"]].merge(masks)
    for k in range(5):
        whole, mask = (
            np.asarray(nib.load(table["path"][k]).dataobj, dtype=np.float32)
            for table in (rows, masks)
        )
        assert 0.1 < mask.mean() < 0.6
        assert np.array_equal(part[k].image.tensor[0].numpy(), whole * mask)


def test_a_mask_that_is_not_listed_is_told(opened):
    with pytest.raises(CapsError, match="brian"):
        opened("brian")
