"""
Is my AUC better than chance?
=============================

A model was tested on people it had never seen. It ranks patients above controls more
often than not. Could that be luck?
"""

# %%
# The predictions table
# ---------------------
# One row an image: who it is of, the truth, and what the model said. Here 60 people of
# six hospitals came three times each, and a second model knows their age and sex only.

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from clinicadl_trust import plots, stats
from clinicadl_trust.testing import synthetic_study

folder = Path(tempfile.mkdtemp())
table = synthetic_study(
    {"cnn": 1.1, "age and sex": 0.3}, participants=60, visits=3, seed=1
)
table.to_csv(folder / "predictions.tsv", sep="\t", index=False)
table[["participant_id", "session_id", "site", "model", "label", "score"]].head()

# %%
# On the command line
# -------------------
# ``clinicadl evaluate predictions.tsv --metric roc_auc``


def clinicadl(arguments):
    """Type a command in the folder's terminal."""
    command = [sys.executable, "-m", "clinicadl_trust", *arguments.split()]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    print(done.stdout.decode())


clinicadl("evaluate predictions.tsv --metric roc_auc")

# %%
# In Python
# ---------
# ``cluster`` says whose image each one is: without it, images count as people.

estimates = {
    model: stats.roc_auc(rows["label"], rows["score"], rows["participant_id"])
    for model, rows in table.groupby("model", sort=False)
}
for model, estimate in estimates.items():
    print(model, estimate, sep=": ")

fig, ax = plt.subplots(figsize=(6, 1.9), layout="constrained")
plots.forest(estimates, ax, metric="ROC AUC (dashed: chance)", reference=0.5)

# %%
# The CNN's interval lies above .5, that of age and sex does not. And an image model has
# shown nothing before it beats such a baseline: see :ref:`the next question
# <sphx_glr_auto_examples_questions_plot_2_a_better_than_b.py>`.
#
# Why this procedure, and what would be wrong
# -------------------------------------------
# Obuchowski's variance takes a person's images together, and the interval is made on
# the logit scale with t degrees of freedom, so that it holds its level with few people.
# An interval over images, as most software gives, is too short: its 180 images are no
# 180 people.

cnn = table[table["model"] == "cnn"]
wrong = stats.roc_auc(cnn["label"], cnn["score"], cluster=np.arange(len(cnn)))
right = estimates["cnn"]
print(f"images as people: {wrong.low:.3f} to {wrong.high:.3f}")
print(f"people as people: {right.low:.3f} to {right.high:.3f}")

# %%
# A statistic of your own
# -----------------------
# has no formula: draw whole participants again and again. Under 20 of them the result
# says how short such an interval is, and offers the t interval of their own values.

highest = stats.bootstrap(
    lambda rows: rows.groupby("participant_id")["score"].max().mean(),
    cnn,
    cluster="participant_id",
    n_resamples=999,
)
print("highest score of a person, on average:", highest)

# %%
# In a cross-validation each fold has another model. ``clinicadl evaluate`` sees the
# folds and computes within them; pooling all scores, or shuffling their labels
# afterwards, finds skill where there is none (it rejects .15 at 5 %).
# ``refit_permutation_test`` redraws the labels and trains the model anew.
#
# The sentence for the paper
# --------------------------

n_people, n_images = right.n_clusters, right.n
base = estimates["age and sex"]
sentence = f"""
On a sealed test group of {n_people} participants ({n_images} images,
{table["site"].nunique()} hospitals), the CNN reached a ROC AUC of {right.value:.2f}
(95% CI {right.low:.2f} to {right.high:.2f}; variance clustered by participant,
Obuchowski 1997; logit scale, t distribution), above chance (0.50). Age and sex
alone reached {base.value:.2f} ({base.low:.2f} to {base.high:.2f}).
"""
print(textwrap.fill(sentence.strip(), 80))
