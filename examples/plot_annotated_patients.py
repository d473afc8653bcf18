"""
How many annotated patients does a constraint save?
===================================================

Masks are dear: an expert draws each of them. Here a small U-Net segments lesions with
the masks of 3 to 24 patients of 48, and the same network again with a constraint on its
gradient (``RightReasons``: the logit of a region may depend on that region and the
voxels around it), which needs no mask and so sees every training image.

The experiment file is ``examples/segmentation.toml``; its 54 trainings took 25 minutes
on a busy core, so tables of its results lie beside it and are read here.
"""

# %%
# Dice against annotations
# ------------------------
# Each interval is of the mean Dice of the 56 test patients, clustered by participant,
# the seeds averaged: it is for these trained networks, and says nothing of another
# training. The dots are the six seeds, which draw the weights, the order of images
# and who is annotated.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from clinicadl_trust import plots
from clinicadl_trust.stats import read_statistics, seed_ttest

ARMS = {"plain": "Without the constraint", "constrained": "With the constraint"}
folder = Path.cwd()  # of this script, where the gallery runs it

statistics = read_statistics(folder / "annotated_patients.tsv")
estimates = statistics[
    (statistics["kind"] == "estimate") & (statistics["metric"] == "dice")
]
parts = estimates["model"].str.rsplit("-", n=1)
estimates = estimates.assign(arm=parts.str[0], size=parts.str[1].astype(int))
sizes = sorted(estimates["size"].unique())
# One row per patient and seed, one column per model: ``plain-3``.
dice = pd.read_csv(folder / "annotated_patients_by_seed.tsv", sep="\t")
dice = dice.set_index(["seed", "participant_id"])
by_seed = dice.groupby("seed").mean()

_, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
curves = {label: estimates[estimates["arm"] == arm] for arm, label in ARMS.items()}
plots.learning_curve(curves, ax, xlabel="Annotated patients")
for line, arm in zip(ax.get_lines(), ARMS, strict=True):
    for place, size in zip(line.get_xdata(), sizes, strict=True):
        dots = by_seed[f"{arm}-{size}"]
        ax.plot([place] * len(dots), dots, ".", color=line.get_color(), alpha=0.5)
ax.legend(loc="lower right", frameon=False)
plt.show()

# %%
# With against without, seed by seed
# ----------------------------------
# A pair has the same seed: the same first weights and the same annotated patients.
# Twice the steps do not do what the constraint does.

pairs = [(f"constrained-{size}", f"plain-{size}") for size in sizes]
pairs += [("constrained-3", "longer-3"), ("longer-3", "plain-3")]
for with_it, without in pairs:
    test = seed_ttest((by_seed[with_it] - by_seed[without]).tolist())
    print(
        f"{with_it} less {without}: {test.effect:+.3f} "
        f"[{test.low:+.3f}, {test.high:+.3f}], p = {test.p_value:.4f}"
    )

# %%
# Annotated patients saved
# ------------------------
# Read off the curve of the plain networks, how many annotated patients would they need
# for the Dice that the constrained ones have? Between the sizes the curve is taken for
# straight over the logarithm of the size, below the smallest it goes on as it began,
# and it never falls. Seeds and test patients are drawn again, both with replacement,
# the same ones for every network.


def needed(plain: np.ndarray, wanted: float) -> float:
    """Return how many annotated patients give the plain network a Dice, 24 at most."""
    rising = isotonic_regression(plain).x
    before = 2 * rising[0] - rising[1]
    at = np.log2([sizes[0] ** 2 / sizes[1], *sizes])
    return float(2 ** np.interp(wanted, [before, *rising], at))


rng = np.random.default_rng(0)
plain, constrained = (
    np.stack([dice[f"{arm}-{size}"].unstack() for size in sizes]) for arm in ARMS
)
n_seeds, n_patients = plain.shape[1:]
draws = []
for _ in range(5000):
    drawn = np.ix_(
        range(len(sizes)),
        rng.integers(n_seeds, size=n_seeds),
        rng.integers(n_patients, size=n_patients),
    )
    with_it = constrained[drawn].mean(axis=(1, 2))
    draws.append([needed(plain[drawn].mean(axis=(1, 2)), each) for each in with_it])
low, high = np.quantile(draws, [0.025, 0.975], axis=0)
for number, size in enumerate(sizes[:-1]):
    found = needed(plain.mean(axis=(1, 2)), constrained[number].mean())
    print(
        f"{size:>2} with the constraint are worth {found:.1f} without: "
        f"{found - size:+.1f} [{low[number] - size:+.1f}, {high[number] - size:+.1f}]"
    )

# %%
# Three annotated patients do the work of four or five, six that of seven; with more of
# them the plain network has learned by itself to look at the place it speaks of, and
# nothing is left to save (:doc:`/how-to/segmentation`).
