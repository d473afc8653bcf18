"""ClinicaDL's twin of our image type."""

from __future__ import annotations

from clinicadl.io.bids import BidsFileType

from clinicadl_trust.caps import ImageType

__all__ = ["file_type"]


def file_type(image: ImageType) -> BidsFileType:
    """Return ClinicaDL's twin of an image type.

    Parameters
    ----------
    image : ImageType
        Which image of a session.
    """
    return BidsFileType(
        data_type=image.data_type,
        suffix=image.suffix,
        extension=image.extension,
        with_entities=dict(image.with_entities) or None,
        without_entities=dict(image.without_entities) or None,
    )
