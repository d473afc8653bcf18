"""A synthetic CAPS with a known, planted effect."""

from clinicadl_trust.generate.affine import (
    AFFINE_PARAMETERS,
    affine_matrix,
    affine_parameters,
)
from clinicadl_trust.generate.dataset import generate_caps
from clinicadl_trust.generate.image_types import (
    brain_mask_type,
    confounder_mask_type,
    image_type,
    mask_type,
    unconfounded_type,
)
from clinicadl_trust.generate.options import GeneratorOptions

__all__ = [
    "AFFINE_PARAMETERS",
    "GeneratorOptions",
    "affine_matrix",
    "affine_parameters",
    "brain_mask_type",
    "confounder_mask_type",
    "generate_caps",
    "image_type",
    "mask_type",
    "unconfounded_type",
]
