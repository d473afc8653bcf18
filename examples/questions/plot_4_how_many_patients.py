"""
How many patients do I need?
============================

A pilot has been run. How large must the study be for an interval that is short enough,
or to find a difference that matters?
"""

# %%
# The pilot's predictions table
# -----------------------------
# Forty people came three times. What a pilot is good for is how alike the visits of one
# person are, and how alike the models; its own difference is mostly chance.

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from clinicadl_trust import stats
from clinicadl_trust.testing import synthetic_study

table = synthetic_study({"cnn": 1.6, "svm": 1.4}, participants=40, visits=3, seed=2)
pilot = table.pivot(
    index=["participant_id", "session_id", "label"], columns="model", values="score"
).reset_index()
pilot = pilot.rename(columns={"cnn": "score", "svm": "score_b"})
pilot.head()

# %%
# For an interval
# ---------------
# The AUC's 95 % interval is to be .10 wide, from end to end.

precise = stats.required_sample_size("roc_auc", width=0.1, pilot=pilot)
print(precise)

# %%
# For a comparison
# ----------------
# The least difference that would matter in the clinic is said by the clinic, never by
# the pilot: here an AUC .05 higher.

powered = stats.required_sample_size("roc_auc", power=0.8, difference=0.05, pilot=pilot)
print(powered)

# %%
# More visits, or more people?
# ----------------------------
# Visits of one person are alike, so three visits are worth less than three people.

widths = np.linspace(0.06, 0.2, 15)
fig, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
for visits, color, dash in ((1, "#0b62a4", "-"), (3, "#c2500a", "--")):
    needed = [
        stats.required_sample_size(
            "roc_auc", width=width, pilot=pilot, images_per_participant=visits
        ).n_participants
        for width in widths
    ]
    ax.plot(widths, needed, dash, color=color, lw=1.8)
    ax.annotate(
        f"{visits} visit{'s' * (visits > 1)}",
        (widths[0], needed[0]),
        xytext=(6, 0),
        textcoords="offset points",
        color=color,
    )
ax.set(xlabel="width of the 95% interval of the AUC", ylabel="participants needed")
ax.spines[["top", "right"]].set_visible(False)
ax.set_ylim(0)

# %%
# What would be wrong
# -------------------
# To count images: the design effect below is what that would have forgotten. To plan
# with the difference that the pilot happened to show: it is chance, and picked because
# it was large. To add 10 % "for safety" in place of saying what was assumed: every plan
# is as good as its assumptions, and the result lists them.
#
# Planning has no command of its own: it is a call in Python.
#
# The sentence for the paper
# --------------------------

sentence = f"""
From a pilot of {pilot["participant_id"].nunique()} participants with three visits
each (design effect {precise.design_effect:.2f}), {precise.n_participants}
participants ({precise.n_images} images) give a 95% confidence interval of the ROC
AUC that is .10 wide, and {powered.n_participants} give 80% power to find a
difference of .05 in ROC AUC between two models on the same images (two-sided, alpha
.05).
"""
print(textwrap.fill(sentence.strip(), 80))
