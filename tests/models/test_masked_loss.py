"""The loss of masks, and masks that may not be seen."""

import pytest
import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.losses.factory import get_loss_function_from_dict
from monai.losses import DiceCELoss

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.models.masked_loss import DiceCELossConfig, MaskLoss, masks_known
from clinicadl_trust.plugins import available
from clinicadl_trust.testing import check_plugin

SHAPE = (4, 1, 3, 4, 5)


@pytest.fixture
def given():
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(SHAPE, generator=generator).requires_grad_()
    masks = (torch.rand(SHAPE, generator=generator) < 0.3).float()
    return outputs, masks


def test_it_is_monais_loss_where_all_masks_are_known(given):
    outputs, masks = given
    expected = DiceCELoss(sigmoid=True, batch=True)(outputs, masks)
    loss = MaskLoss(DiceCELossConfig().get_object())
    assert torch.equal(loss(outputs, masks), expected)
    assert torch.equal(loss(outputs, masks.to(torch.uint8)), expected)


def test_a_hidden_mask_counts_for_nothing(given):
    outputs, masks = given
    loss = MaskLoss(torch.nn.BCEWithLogitsLoss())
    hidden = masks.clone()
    hidden[[1, 3]] = torch.nan
    value = loss(outputs, hidden)
    assert torch.equal(value, loss(outputs[[0, 2]], masks[[0, 2]]))
    value.backward()
    assert outputs.grad[[0, 2]].abs().sum() > 0
    assert outputs.grad[[1, 3]].abs().sum() == 0


def test_without_a_known_mask_it_is_zero_and_can_be_differentiated(given):
    outputs, masks = given
    value = MaskLoss(DiceCELossConfig().get_object())(outputs, masks * torch.nan)
    value.backward()
    assert value == 0 and not outputs.grad.any()


def test_it_measures_image_by_image(given):
    outputs, masks = given
    loss = MaskLoss(DiceCELossConfig().get_object())
    loss.reduction = "none"
    each = loss(outputs, masks)
    assert each.shape == (4, 1)
    loss.reduction = "mean"
    assert each[2] == loss(outputs[2:3], masks[2:3])


def test_outputs_of_another_shape_are_refused(given):
    with pytest.raises(RunError, match=r"one logit a voxel.*'UNet'"):
        MaskLoss(torch.nn.BCEWithLogitsLoss())(torch.zeros(4, 1), given[1])


def test_its_configuration_survives_json():
    config = DiceCELossConfig(lambda_ce=2.0, batch=False)
    again = get_loss_function_from_dict(config.to_dict())
    assert again == config
    assert again.get_object().lambda_ce == 2.0


def test_masks_of_images_that_are_not_annotated_are_hidden():
    points = [
        DataPoint(
            image=tio.ScalarImage(tensor=torch.zeros(SHAPE[1:])),
            participant_id=f"sub-{number}",
            session_id="ses-1",
            lesion=tio.LabelMap(tensor=torch.ones(SHAPE[1:], dtype=torch.uint8)),
            annotated=number % 2,
        )
        for number in range(4)
    ]
    masks = masks_known(Batch(points), "lesion")
    assert masks.shape == SHAPE
    assert torch.isnan(masks[[0, 2]]).all()
    assert (masks[[1, 3]] == 1).all()
    for point in points:
        del point["annotated"]
    assert (masks_known(Batch(points), "lesion") == 1).all()


def test_the_model_and_its_loss_keep_their_contracts():
    check_plugin(available("models")["SegmentationModel"][0])
    check_plugin(available("losses")["DiceCELoss"][0])
