"""A synthetic CAPS with a known, planted effect."""

from clinicadl_trust.generate.dataset import generate_caps
from clinicadl_trust.generate.options import GeneratorOptions, image_type, mask_type

__all__ = ["GeneratorOptions", "generate_caps", "image_type", "mask_type"]
