"""
Which remedies make a constrained training quick
================================================

``ablation/train.py`` trained one small network many times: without a constraint, with
one and no remedy, with each remedy, and with all. Within a seed the participants, the
batches and, but for *another start*, the initial weights are the same. Here is what its
table says.
"""

# %%
# The table
# ---------
# 128 participants of a generated MS-like cohort (8 mm) to learn from, 200 others to
# validate; 8 epochs of 8 steps. ``auprc`` is how well the gradient of the last epoch
# finds the patients' lesions.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from clinicadl_trust.stats import seed_ttest

runs = pd.read_csv(Path("ablation") / "results.tsv", sep="\t")
REFERENCE = "unconstrained, smooth"
runs.groupby("setting", sort=False)["seed"].nunique().to_frame("seeds")

# %%
# How long it takes to be as good as without a constraint
# --------------------------------------------------------
# The target of a seed is the validation AUC that the same network reaches without a
# constraint, the mean of its last two epochs. The epoch at which a training gets there
# is interpolated; one that never does counts as the last epoch, so that its ratio is
# too small, and the column ``never`` tells how many there are. Ratios are geometric
# means over seeds with 95 % intervals (paired t of the logarithms). Time is the
# processor's.

auc = runs.pivot(index=["setting", "seed"], columns="epoch", values="auc")
seconds = runs.pivot(index=["setting", "seed"], columns="epoch", values="seconds")
found_in = runs.groupby(["setting", "seed"])["auprc"].last()
LAST = 8


def reached(values: pd.Series, target: float) -> tuple[float, bool]:
    """Return the epoch at which a target is reached, and whether it is."""
    values = values.dropna()
    above = np.flatnonzero(values.to_numpy() >= target)
    if not len(above):
        return float(len(values)), False
    place = above[0]
    if place == 0:
        return 1.0, True
    low, high = values.iloc[place - 1], values.iloc[place]
    return float(place + (target - low) / (high - low)), True


def described(values: list[float], ratio: bool = False) -> str:
    """Return a mean over seeds and its interval, or a ratio's where they are logs."""
    if len(values) < 2:
        return ""
    test = seed_ttest(values, 0.95)
    found = [test.effect, test.low, test.high]
    shown = np.exp(found) if ratio else found
    digits = 2 if ratio else 3
    return "{:.{d}f} [{:.{d}f}, {:.{d}f}]".format(*shown, d=digits)


targets = auc.loc[REFERENCE][[LAST - 1, LAST]].mean(axis=1)
rows = []
for setting in runs["setting"].unique():
    epochs, times, never, gains, sharper = [], [], 0, [], []
    for seed in auc.loc[setting].index.intersection(targets.index):
        own, there = reached(auc.loc[setting, seed], targets[seed])
        plain, _ = reached(auc.loc[REFERENCE, seed], targets[seed])
        each, plainly = (
            seconds.loc[name, seed].mean() for name in (setting, REFERENCE)
        )
        never += not there
        epochs.append(np.log(own / plain))
        times.append(np.log(own * each / (plain * plainly)))
        gains.append(auc[LAST][setting, seed] - auc[LAST][REFERENCE, seed])
        sharper.append(found_in[setting, seed] - found_in[REFERENCE, seed])
    same = setting == REFERENCE
    rows.append(
        {
            "setting": setting,
            "seeds": len(epochs),
            "epochs, ratio": "1" if same else described(epochs, ratio=True),
            "never": never,
            "time, ratio": "1" if same else described(times, ratio=True),
            "AUC of epoch 8, difference": "" if same else described(gains),
            "AUPRC, difference": "" if same else described(sharper),
        }
    )
pd.DataFrame(rows).set_index("setting")

# %%
# Intervals are of single comparisons, 22 of them against one reference.
#
# Curves
# ------

COLORS = {
    REFERENCE: "0.4",
    "no remedy": "#56b4e9",
    "rescaling": "#e69f00",
    "smooth, rescaling": "#d55e00",
    "+ waiting": "#f0e442",
    "all": "#009e73",
    "expected gradients": "#cc79a7",
    "unsupervised": "#0072b2",
}
fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[3, 2])
shown = [name for name in COLORS if name in auc.index.get_level_values("setting")]
for name in shown:
    left.plot(auc.columns, auc.loc[name].mean(), color=COLORS[name], label=name)
left.set(xlabel="epoch", ylabel="validation AUC, mean over seeds")
left.legend(fontsize=8)
for place, name in enumerate(shown):
    values = found_in[name].to_numpy()
    right.plot(values, np.full(len(values), place), "|", color=COLORS[name])
    right.plot(values.mean(), place, "o", color=COLORS[name])
right.set(yticks=range(len(shown)), yticklabels=shown)
right.invert_yaxis()
right.set_xlabel("AUPRC for lesions, each seed and mean")
fig.tight_layout()
