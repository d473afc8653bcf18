"""
Where a network looks
=====================

Attributions over slices of the image that a network saw, and the table that says
whether a network trained in one way also looks good when it is explained in another.
``clinicadl interpret`` makes the maps, and ``clinicadl report`` shows them in this way;
here both functions are called by hand, on a generated patient whose lesions are known.
"""

# %%
# An image and its lesions
# ------------------------

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import pandas as pd
import torch
from scipy.ndimage import gaussian_filter
from sklearn.metrics import average_precision_score

from clinicadl_trust import plots
from clinicadl_trust.attribution import attributions
from clinicadl_trust.generate import GeneratorOptions, generate_caps

options = GeneratorOptions(
    participants=4,
    sessions=1,
    resolution=4,
    modality="FLAIR",
    disease="lesions",
    effect=2.0,
    seed=1,
)
caps = generate_caps(Path(tempfile.mkdtemp()) / "caps", options, n_jobs=1)
people = pd.read_csv(caps / "participants.tsv", sep="\t")
patient = people.loc[people["diagnosis"] == "MS", "participant_id"].iloc[0]
(path,) = caps.glob(f"subjects/{patient}/**/*FLAIR.nii.gz")
image = nib.load(path)
(path,) = caps.glob(f"subjects/{patient}/**/*lesion_mask.nii.gz")
mask = nib.load(path)

# %%
# Two networks
# ------------
# They are written down rather than trained, so that it is known what they look at: each
# sums up the image under a template, one that is smooth noise, and one that is the
# lesions with a fifth of that noise.


class Template(torch.nn.Module):
    """A linear network."""

    def __init__(self, weights):
        super().__init__()
        self.weights = torch.as_tensor(weights, dtype=torch.float32)

    def forward(self, images):
        """Return one logit an image."""
        return (images * self.weights).flatten(1).sum(dim=1, keepdim=True)


values = image.get_fdata()
scaled = (values - values.mean()) / values.std()
noise = gaussian_filter(np.random.default_rng(0).normal(size=values.shape), 3)
noise *= values > 0.1 * values.max()
inside = gaussian_filter(mask.get_fdata(), 1)
noise, inside = noise / noise.std(), inside / inside.std()
networks = {
    "looks anywhere": Template(noise),
    "looks at lesions": Template(inside + 0.2 * noise),
}
batch = torch.as_tensor(scaled[None, None], dtype=torch.float32)

# %%
# Maps on one scale
# -----------------
# Blue speaks for healthy, red for pathological; weak attributions let the image
# through, and none is cut off. One limit for both makes the colours comparable. Slices
# are chosen by the lesion and the head, never by the map.

maps = {
    name: attributions(network, batch, "integrated_gradients")[0, 0].numpy()
    for name, network in networks.items()
}
limit = plots.relevance_limit(maps.values())
drawn = []
for name, values in maps.items():
    shown = nib.Nifti1Image(values, image.affine)
    figure = plots.attribution_overlay(shown, image, mask=mask, limit=limit, title=name)
    drawn.append(figure)

# %%
# Each is a figure of matplotlib, saved like any other. Here they go side by side.

page, axes = plt.subplots(1, 2, figsize=(11, 5), facecolor="black")
for ax, figure in zip(axes, drawn, strict=True):
    figure.savefig(caps / "figure.png")
    ax.imshow(plt.imread(caps / "figure.png"))
    ax.axis("off")
page.subplots_adjust(0, 0, 1, 1, 0.02)
plt.show()

# %%
# Trained in one way, explained in another
# ----------------------------------------
# One row per model as it was trained, one column per method by which it was explained.
# A benchmark's report fills it with means over participants and intervals.

lesion = mask.get_fdata().ravel() > 0
rows = []
for name, network in networks.items():
    for method in ("gradient", "gradient_x_input", "integrated_gradients"):
        found = attributions(network, batch, method)[0, 0].numpy().ravel()
        score = average_precision_score(lesion, np.clip(found, 0, None))
        rows.append({"model": name, "method": method, "value": score})

ax = plots.attribution_matrix(
    pd.DataFrame(rows), plt.figure(figsize=(5.5, 2.4), layout="constrained").subplots()
)
plt.show()
