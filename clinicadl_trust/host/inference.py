"""Networks that see parts of images, from whole images to outputs, differentiably."""

from __future__ import annotations

from typing import cast

import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.infer import Inferer
from clinicadl.infer.base import BaseInferer
from clinicadl.transforms.extraction import Extraction
from clinicadl.utils.dictionary.words import OUTPUT
from torch import nn

__all__ = ["Extracted", "Inferred"]


class Inferred(nn.Module):
    """A network together with the inferer that images pass through.

    What ``PatchesToImageInferer`` and ``SlicesToImageInferer`` assemble of the parts of
    an image can be differentiated in the image's voxels like any output.

    Parameters
    ----------
    network : torch.nn.Module
        Given parts of images, or images.
    inferer : clinicadl.infer.Inferer
        How. The postprocessing of ClinicaDL's own is left out: what is explained is a
        logit, not what is made of it.
    """

    def __init__(self, network: nn.Module, inferer: Inferer) -> None:
        super().__init__()
        self.network = network
        self.inferer = inferer

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the outputs of whole images.

        Parameters
        ----------
        images : torch.Tensor of shape (N, C, x, y, z)
            On the network's device.

        Returns
        -------
        torch.Tensor of shape (N, K) or (N, K, x, y, z)
            As the inferer assembles them.
        """
        if isinstance(self.inferer, BaseInferer):
            return self.inferer._forward_pass(images, self.network)
        points = [_point(image, number) for number, image in enumerate(images)]
        said = self.inferer(Batch(points), self.network, input_dtype=torch.float32)
        return cast(torch.Tensor, said.get_field(OUTPUT)).to(images.device)


class Extracted(nn.Module):
    """A network that was trained on slices or patches, asked of whole images.

    What it says of an image is the mean of what it says of the samples that are
    extracted from it. Attributions of that mean are those of each sample, divided by
    the number of samples, in the sample's place; where patches overlap they add up.

    Parameters
    ----------
    network : torch.nn.Module
        Given samples.
    extraction : clinicadl.transforms.extraction.Extraction
        What makes samples of an image: ``Slice`` or ``Patch`` as in the training.
    """

    def __init__(self, network: nn.Module, extraction: Extraction) -> None:
        super().__init__()
        self.network = network
        self.extraction = extraction

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the mean output of the samples of whole images.

        Parameters
        ----------
        images : torch.Tensor of shape (N, C, x, y, z)
            Transformed as in the training, before the extraction.

        Returns
        -------
        torch.Tensor of shape (N, K) or (N, K, ...)
            For one sample what the network says of it.
        """
        places = self.extraction._get_sample_positions(_point(images[0].detach(), 0))
        samples = [
            self._squeezed(self.extraction._extract_tensor_sample(image, place))
            for image in images
            for place in places
        ]
        outputs: torch.Tensor = self.network(torch.stack(samples))
        return outputs.unflatten(0, (len(images), len(places))).mean(dim=1)

    def _squeezed(self, sample: torch.Tensor) -> torch.Tensor:
        config = self.extraction.config
        if not getattr(config, "squeeze", False):
            return sample
        return sample.squeeze(int(config.slice_direction) + 1)


def _point(image: torch.Tensor, number: int) -> DataPoint:
    return DataPoint(
        image=tio.ScalarImage(tensor=image),
        participant_id=f"sub-{number}",
        session_id="ses-1",
    )
