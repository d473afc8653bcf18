"""The constrained model on what ClinicaDL extracts, through its own Trainer."""

import numpy as np
import pandas as pd
import pytest
import torch
from clinicadl.data import datasets
from clinicadl.losses.config import BCEWithLogitsLossConfig
from clinicadl.metrics.config import LossMetricConfig
from clinicadl.networks.config import CNNConfig
from clinicadl.optim import OptimizationConfig
from clinicadl.optim.optimizers.config import AdamConfig
from clinicadl.split import Split
from clinicadl.train import ComputationalConfig, Trainer
from clinicadl.transforms import TransformsHandler, extraction
from clinicadl.transforms.config import ZNormalizationConfig

from clinicadl_trust.attribution import (
    AttributionConstrainedModel,
    Extracted,
    attributions,
)
from clinicadl_trust.exceptions import AttributionError
from clinicadl_trust.generate import image_type, mask_type
from clinicadl_trust.models.file_type import file_type
from clinicadl_trust.models.inference import trained_model

SLICES = extraction.Slice(slices=[9, 10, 11], slice_direction=2)
PATCHES = extraction.Patch(patch_size=12, pad_mode=None)


def data(caps_dir, caps_options, cohort, extract, participants):
    table = cohort.table[["participant_id", "session_id", "diagnosis"]]
    chosen = table["participant_id"].unique()[participants]
    rows = table[table["participant_id"].isin(chosen)].reset_index(drop=True)
    rows["label"] = (rows["diagnosis"] == "AD").astype(int)
    return datasets.BidsDataset(
        caps_dir,
        file_type(image_type(caps_options)),
        rows,
        columns=["label"],
        masks={"truth": file_type(mask_type(caps_options))},
        transforms=TransformsHandler(
            image_transforms=[ZNormalizationConfig()], extraction=extract
        ),
    )


def model(shape, *constraints):
    return AttributionConstrainedModel(
        network=CNNConfig(in_shape=shape, num_outputs=1, conv_args={"channels": [4]}),
        loss=BCEWithLogitsLossConfig(),
        optimizer=AdamConfig(lr=1e-3),
        constraints=constraints,
        mask_key="truth",
    )


@pytest.mark.parametrize(
    ("extract", "shape"),
    [(SLICES, (1, 22, 26)), (PATCHES, (1, 12, 12, 12))],
    ids=["slices", "patches"],
)
def test_it_trains_and_reopens(
    caps_dir, caps_options, cohort, extract, shape, tmp_path
):
    training = data(caps_dir, caps_options, cohort, extract, slice(0, 6))
    validation = data(caps_dir, caps_options, cohort, extract, slice(6, 10))
    split = Split(0, training, validation)
    split.build_train_loader(batch_size=8)
    split.build_val_loader(batch_size=8)
    supervised = {"name": "HealthyGradient", "mode": "supervised"}
    outside = {
        "name": "RightReasons",
        "method": "expected_gradients",
        "baselines": "rolled",
    }
    trainer = Trainer(
        tmp_path / "maps",
        model(shape, supervised, outside),
        metrics={"loss": LossMetricConfig(loss_name="loss")},
        optimization=OptimizationConfig(num_epochs=1),
    )
    trainer.train(split, ComputationalConfig(gpu=False, amp=False))
    (logged,) = (tmp_path / "maps").rglob("training_loss.tsv")
    terms = pd.read_csv(logged, sep="\t")
    assert {"HealthyGradient", "RightReasons"} <= {*terms.columns}
    assert np.isfinite(terms[["HealthyGradient", "RightReasons"]]).all(axis=None)
    again = Trainer.from_maps(tmp_path / "maps")
    assert isinstance(again.model, AttributionConstrainedModel)

    (weights,) = (tmp_path / "maps").rglob("final/model.pt")
    network = trained_model(tmp_path / "maps", weights).network.eval()
    whole = data(caps_dir, caps_options, cohort, extraction.Image(), slice(6, 7))[0]
    image = whole.image.tensor[None].float()
    (found,) = attributions(Extracted(network, extract), image)
    assert found.shape == image.shape[1:]
    if extract is SLICES:
        seen = found[0].abs().sum(dim=(0, 1)).nonzero().ravel().tolist()
        assert seen == extract.config.slices
    first = next(iter(extract(whole))).image.tensor[None].float()
    first = first.squeeze(-1) if extract is SLICES else first
    (part,) = attributions(network, first)
    n = extract.num_samples_per_image(whole)
    place = (..., 9) if extract is SLICES else (..., *[slice(0, 12)] * 3)
    torch.testing.assert_close(found[place] * n, part)


def test_regions_are_refused_for_a_part_of_a_volume(caps_dir, caps_options, cohort):
    patches = data(caps_dir, caps_options, cohort, PATCHES, slice(0, 2))
    split = Split(0, patches, patches)
    split.build_train_loader(batch_size=2)
    made = model((1, 12, 12, 12), {"name": "GraphSmoothness"}).train()
    with pytest.raises(AttributionError, match=r"regions.*patch.*whole volumes"):
        made.forward_step(next(iter(split.train_loader)))
