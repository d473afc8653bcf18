"""
A cohort with known truth
=========================

A method that finds an effect is only trusted when it finds a planted one, and stays
silent without one. ``clinicadl generate`` makes a CAPS from real anatomy with an
effect of known size at a known place.
"""

# %%
# Two modalities, three diseases
# ------------------------------
# Patients of ``atrophy`` have smaller hippocampi, those of ``lesions`` have
# hyperintensities in the white matter (bright on FLAIR), those of ``epilepsy`` one
# small dysplasia. We make four participants of each, at 2 mm.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np

from clinicadl_trust.caps import find_images
from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.generate import (
    GeneratorOptions,
    generate_caps,
    image_type,
    mask_type,
)

folder = Path(tempfile.mkdtemp())
cohorts = {
    "atrophy (T1w)": {"disease": "atrophy", "modality": "T1w"},
    "lesions (FLAIR)": {"disease": "lesions", "modality": "FLAIR"},
    "epilepsy (T1w)": {"disease": "epilepsy", "modality": "T1w"},
}

fig, axes = plt.subplots(2, 3, figsize=(9, 6.6), facecolor="black")
for column, (name, choices) in zip(axes.T, cohorts.items(), strict=True):
    options = GeneratorOptions(
        participants=4, sites=2, sessions=1, resolution=2, effect=2, **choices
    )
    caps = generate_caps(folder / choices["disease"], options, n_jobs=2)
    table = read_cohort(caps / "participants.tsv").table
    images = find_images(caps, image_type(options)).set_index("participant_id")["path"]
    masks = find_images(caps, mask_type(options)).set_index("participant_id")["path"]
    for axis, patient in zip(column, (False, True), strict=True):
        who = table.loc[(table["diagnosis"] != "CN") == patient, "participant_id"]
        image = nib.load(images[who.iloc[0]]).get_fdata()
        mask = nib.load(masks[who.iloc[0]]).get_fdata()
        level = int(mask.sum((0, 1)).argmax()) if patient else image.shape[2] // 2 - 6
        axis.imshow(np.rot90(image[:, :, level]), cmap="gray")
        if patient:
            axis.contour(np.rot90(mask[:, :, level]), [0.5], colors="#ffb000")
        axis.set_title("patient" if patient else name, color="white", fontsize=10)
        axis.axis("off")
fig.tight_layout()

# %%
# The orange line is the ground truth, saved as a mask in the CAPS: networks can be
# trained with it, and explanations compared with it.
#
# The participants table
# ----------------------
# Sites, scanners, dates, families: everything that a split can keep together.

table.head()
