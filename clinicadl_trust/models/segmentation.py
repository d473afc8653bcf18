"""A ClinicaDL Model for masks, some of which may be hidden."""

from __future__ import annotations

import torch
from clinicadl.data.dataloader import Batch
from clinicadl.infer import Inferer, SimpleInferer
from clinicadl.losses.types import LossOrConfig
from clinicadl.models import Model
from clinicadl.models.vanilla import VanillaModel, VanillaModelConfig
from clinicadl.networks.types import NetworkOrConfig
from clinicadl.optim.optimizers.config import OptimizerConfig
from clinicadl.utils.config import ObjectConfig
from clinicadl.utils.dictionary.words import IMAGE
from clinicadl.utils.objects import HasConfig

from clinicadl_trust.models.masked_loss import DiceCELossConfig, MaskLoss, masks_known

__all__ = ["SegmentationModel", "SegmentationModelConfig"]


class SegmentationModelConfig(VanillaModelConfig, ObjectConfig["SegmentationModel"]):
    """Configuration of ``SegmentationModel``."""

    label_key: str

    @classmethod
    def _get_class(cls) -> type[Model]:
        return SegmentationModel


class SegmentationModel(VanillaModel, HasConfig[SegmentationModelConfig]):
    """Segmentation of one kind of lesion.

    ClinicaDL's ``SupervisedModel`` would do where every mask is known. This one leaves
    out of the loss the images whose field ``annotated`` is 0.

    Parameters
    ----------
    network : torch.nn.Module or NetworkConfig
        Gives one logit a voxel.
    loss : callable or LossConfig
        Given logits and masks of shape (n, 1, ...), such as ``DiceCELoss`` or
        ``BCEWithLogitsLoss``.
    optimizer : OptimizerConfig
        The optimizer.
    inferer : clinicadl.infer.Inferer, default=SimpleInferer()
        How an image passes through the network in evaluation.
    label_key : str, default="label"
        The name of the mask in a sample.
    """

    config: SegmentationModelConfig
    _config_type = SegmentationModelConfig

    def __init__(
        self,
        network: NetworkOrConfig,
        loss: LossOrConfig,
        optimizer: OptimizerConfig,
        inferer: Inferer = SimpleInferer(),  # noqa: B008 - as the host's models
        label_key: str = "label",
    ) -> None:
        super().__init__(
            network=network,
            loss=loss,
            optimizer=optimizer,
            inferer=inferer,
            label_key=label_key,
        )
        self.label_key = self.config.label_key
        self.loss = MaskLoss(self.config.loss.get_object())

    @classmethod
    def example(cls) -> SegmentationModel:
        """Return a small one, for ``clinicadl_trust.testing``."""
        from clinicadl.networks.nn.unet import UNetConfig
        from clinicadl.optim.optimizers.config import AdamConfig

        network = UNetConfig(
            spatial_dims=3, in_channels=1, out_channels=1, channels=[2, 4]
        )
        return cls(network, DiceCELossConfig(), AdamConfig(), label_key="mask")

    @classmethod
    def example_batch(cls) -> Batch:
        """Return four images with their masks, one hidden, to train it on."""
        import torchio as tio
        from clinicadl.data.structures import DataPoint

        generator = torch.Generator().manual_seed(0)
        images = torch.randn(4, 1, 8, 8, 8, generator=generator)
        return Batch(
            [
                DataPoint(
                    image=tio.ScalarImage(tensor=image),
                    participant_id=f"sub-{number}",
                    session_id="ses-1",
                    mask=tio.LabelMap(tensor=(image > 1).to(torch.uint8)),
                    annotated=int(number > 0),
                )
                for number, image in enumerate(images)
            ]
        )

    def forward_step(self, batch: Batch) -> torch.Tensor:
        """Pass a batch through the network and compute the loss.

        Parameters
        ----------
        batch : clinicadl.data.dataloader.Batch
            Samples with an image, its mask and perhaps ``annotated``.

        Returns
        -------
        torch.Tensor
            The loss, one value, of the images whose mask is known.
        """
        images = batch.get_field(IMAGE, dtype=torch.float32)
        return self.loss(self.network(images), masks_known(batch, self.label_key))
