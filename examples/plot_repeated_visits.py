"""
Repeated visits and honest intervals
====================================

Five images of one person are not five persons. An interval that counts images is too
short: it misses the truth more often than it says. Here is how often, in a simulation
where the truth is known.
"""

# %%
# A study whose answer we know
# ----------------------------
# Sixty participants come five times. A model's score has a part that belongs to the
# person and returns at every visit: the intra-class correlation. Patients score higher
# by a known amount, so the area under the ROC curve is known too.

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

from clinicadl_trust.stats import roc_auc

SHIFT = 1.0
TRUTH = norm.cdf(SHIFT / np.sqrt(2))


def study(correlation, rng, n_participants=60, n_visits=5):
    """Draw one study: label, score and participant of each image."""
    person = np.repeat(np.arange(n_participants), n_visits)
    label = np.repeat(rng.permutation(n_participants) % 2, n_visits)
    own = np.sqrt(correlation) * rng.normal(size=n_participants)[person]
    noise = np.sqrt(1 - correlation) * rng.normal(size=person.size)
    return label, SHIFT * label + own + noise, person


# %%
# Two intervals for the same number
# ---------------------------------
# DeLong's interval takes each image for a participant of its own. Obuchowski's knows
# who is who.

label, score, person = study(0.8, np.random.default_rng(1))
print("images as participants:", roc_auc(label, score, cluster=np.arange(person.size)))
print("clustered:             ", roc_auc(label, score, cluster=person))

# %%
# How often does each hold the truth?
# -----------------------------------

correlations = (0.0, 0.2, 0.5, 0.8)
coverage = {"images counted as participants": [], "clustered by participant": []}
for correlation in correlations:
    rng = np.random.default_rng(0)
    hits = np.zeros((2, 400))
    for i in range(400):
        label, score, person = study(correlation, rng)
        for row, cluster in enumerate((np.arange(person.size), person)):
            estimate = roc_auc(label, score, cluster=cluster)
            hits[row, i] = estimate.low <= TRUTH <= estimate.high
    for values, mean in zip(coverage.values(), hits.mean(axis=1), strict=True):
        values.append(mean)

fig, axis = plt.subplots(figsize=(6, 3.6))
for (name, values), marker, color in zip(
    coverage.items(), "so", ("#d55e00", "#0072b2"), strict=True
):
    axis.plot(correlations, values, marker=marker, color=color, label=name)
axis.axhline(0.95, color="0.5", linestyle="--", linewidth=1)
axis.set(
    xlabel="intra-class correlation of the score",
    ylabel="studies whose interval holds the truth",
    ylim=(0.5, 1),
)
axis.annotate("what 95 % promises", (0.0, 0.957), color="0.4", fontsize=9)
axis.legend(frameon=False)
fig.tight_layout()

# %%
# The clustered interval keeps its promise whatever the correlation; the other one is
# wrong as soon as visits resemble each other, which they do.
