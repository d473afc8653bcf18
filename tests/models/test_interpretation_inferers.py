"""Interpreting a run whose inferer gives the network parts of an image."""

from dataclasses import replace
from itertools import product

import nibabel as nib
import numpy as np
import pytest
import torch
from test_segmentation_runs import (  # noqa: F401 - fixtures
    CONFIG,
    caps,
    cohort,
    spec,
    truth,
)
from trainer_runs import change

from clinicadl_trust.attribution.interpretation import interpret
from clinicadl_trust.attribution.interpretation.group import own_rows
from clinicadl_trust.attribution.interpretation.images import GroupImages
from clinicadl_trust.attribution.interpretation.opening import open_run
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.models.run import run

PATCHES = {"name": "PatchesToImageInferer", "patch_size": 16, "overlap": 0.0}


@pytest.fixture(scope="module")
def in_patches(spec):  # noqa: F811
    """The MAPS of a segmentation that is evaluated patch by patch."""
    model = {"name": "SegmentationModel", "inferer": PATCHES}
    config = change(
        CONFIG, model=model, metrics={}, training={"epochs": 1, "monitor": "loss"}
    )
    return run(replace(spec, config=config, output=spec.output.with_name("patches")))


def tiles(shape, side):
    """The places of patches that do not overlap; the last ones end with the image."""
    starts = [[*range(0, size - side + 1, side)] for size in shape]
    for axis, size in enumerate(shape):
        if size % side:
            starts[axis].append(size - side)
    return [
        tuple(slice(start, start + side) for start in corner)
        for corner in product(*starts)
    ]


def tensors(maps):
    """The images of the test group as the network sees them."""
    opened = open_run(maps)
    with opened.cache_or(None) as folder:
        rows, caps = own_rows(opened, "test")
        kind = opened.settings.image
        data, _ = GroupImages(opened, rows, caps, None, kind, None, folder).open()
        for index in range(len(data)):
            yield data[index], opened.model.network


def test_a_segmentation_by_patches_has_maps_of_whole_images(in_patches):
    (made,) = interpret(in_patches, n_steps=0, randomise=False)
    assert made.is_finished and made.about["space"] == "MNI"
    assert made.metrics()["lesion_auprc"].notna().any()
    for sample, network in tensors(in_patches):
        image = sample.image.tensor[None].float().requires_grad_()
        summed, covering = torch.zeros(2, *image.shape)
        for tile in tiles(image.shape[2:], 16):
            place = (slice(None), slice(None), *tile)
            summed = _added(summed, place, network(image[place]))
            covering[place] += 1
        logits = summed / covering
        region = (logits > 0).float()
        asked = (logits * region).sum() if region.any() else logits.mean()
        (expected,) = torch.autograd.grad(asked, image)
        found = nib.load(made.map_of(sample.participant_id, sample.session_id))
        np.testing.assert_allclose(found.get_fdata(), expected[0, 0], atol=1e-5)
        np.testing.assert_allclose(found.affine, sample.image.affine, atol=1e-5)


def _added(total, place, part):
    other = torch.zeros_like(total)
    other[place] = part
    return total + other


def test_what_looks_into_layers_is_refused_before_anything_is_computed(in_patches):
    with pytest.raises(AttributionError, match=r"'grad_cam'.*in parts"):
        interpret(in_patches, method=["gradient", "grad_cam"], group="validation")
    assert not [*in_patches.rglob("interpretation/validation")]
