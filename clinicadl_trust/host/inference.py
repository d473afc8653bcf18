"""A network as its inferer evaluates it, from images to outputs, differentiably."""

from __future__ import annotations

from typing import cast

import torch
import torchio as tio
from clinicadl.data.dataloader import Batch
from clinicadl.data.structures import DataPoint
from clinicadl.infer import Inferer
from clinicadl.infer.base import BaseInferer
from clinicadl.utils.dictionary.words import OUTPUT
from torch import nn

__all__ = ["Inferred"]


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
        points = [
            DataPoint(
                image=tio.ScalarImage(tensor=image),
                participant_id=f"sub-{number}",
                session_id="ses-1",
            )
            for number, image in enumerate(images)
        ]
        said = self.inferer(Batch(points), self.network, input_dtype=torch.float32)
        return cast(torch.Tensor, said.get_field(OUTPUT)).to(images.device)
