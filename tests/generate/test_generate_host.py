"""The unmodified ClinicaDL reads what we write."""

import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.generate import GeneratorOptions, dataset, generate_caps
from clinicadl_trust.generate.anatomy import load_anatomy
from clinicadl_trust.generate.image_types import image_type, mask_type


@pytest.fixture(scope="module")
def host():
    return pytest.importorskip("clinicadl.data.datasets")


def test_t1_linear_reads_the_images_at_1_mm(host, tmp_path, monkeypatch):
    from clinicadl.io.bids import T1Linear

    # The content does not matter here, and the fine template takes time.
    monkeypatch.setattr(
        dataset, "load_anatomy", lambda _, regions: load_anatomy(4, regions)
    )
    options = GeneratorOptions(participants=1, sites=1, sessions=1, resolution=1)
    caps = generate_caps(tmp_path / "caps", options)
    table = pd.read_csv(caps / "participants.tsv", sep="\t")
    sample = host.BidsDataset(caps, T1Linear(), table, columns=["diagnosis"])[0]
    assert tuple(sample.image.spatial_shape) == (169, 208, 179)
    affine = np.array(
        [[1, 0, 0, -84], [0, 1, 0, -119], [0, 0, 1, -78], [0, 0, 0, 1]], dtype=float
    )
    assert np.array_equal(sample.image.affine, affine)


def test_the_truth_masks_load_beside_every_image(host, caps_dir, caps_options, cohort):
    from clinicadl.io.bids import BidsFileType

    def file_type(kind):
        return BidsFileType(
            data_type=kind.data_type,
            suffix=kind.suffix,
            with_entities=dict(kind.with_entities),
        )

    data = host.BidsDataset(
        caps_dir,
        file_type(image_type(caps_options)),
        cohort.table,
        columns=["diagnosis"],
        masks={"truth": file_type(mask_type(caps_options))},
    )
    assert len(data) == len(cohort)
    for index in range(0, len(data), 7):
        sample = data[index]
        assert bool(sample["truth"].data.any()) == (sample["diagnosis"] == "AD")
        assert sample["truth"].spatial_shape == sample.image.spatial_shape
