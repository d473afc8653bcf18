"""
Will it work in the next hospital?
==================================

Eight hospitals took part. Each was left out in turn: a model trained on the other seven
was tested there. What may a ninth expect?
"""

# %%
# The predictions table
# ---------------------
# The folds are hospitals, in the column ``site``.

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt

from clinicadl_trust import plots, stats
from clinicadl_trust.testing import synthetic_study

folder = Path(tempfile.mkdtemp())
table = synthetic_study(
    {"cnn": 1.6}, "sites-left-out", participants=480, visits=1, sites=8, site_sd=0.4
)
table.to_csv(folder / "predictions.tsv", sep="\t", index=False)
table[["participant_id", "site", "fold", "model", "label", "score"]].head()

# %%
# On the command line
# -------------------
# ``clinicadl evaluate predictions.tsv --metric roc_auc`` sees that whole sites were
# left out, and counts each of them once.


def clinicadl(arguments):
    """Type a command in the folder's terminal."""
    command = [sys.executable, "-m", "clinicadl_trust", *arguments.split()]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    print(done.stdout.decode())


clinicadl("evaluate predictions.tsv --metric roc_auc")

# %%
# In Python
# ---------
# The AUC within each hospital, then how much hospitals differ beyond chance.

sites = stats.site_metrics(table, ["roc_auc"])
result = stats.heterogeneity(
    sites["value"], sites["standard_error"], sites=sites["site"], transform="logit"
)
print(result)

fig, ax = plt.subplots(figsize=(6, 4), layout="constrained")
plots.forest(result, ax, metric="ROC AUC", reference=0.5)

# %%
# The diamond is the mean over hospitals. The hatched bar is the answer: where the AUC
# of a hospital not seen may lie. The two are different questions, and the mean's
# interval shrinks with every hospital while the bar does not.
#
# Does one hospital carry the result?
# -----------------------------------

fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
plots.influence(result, ax, metric="ROC AUC")

# %%
# What would be wrong
# -------------------
# To pool the scores of all hospitals into one AUC: models of different folds have
# different scales, and where hospitals differ in how many patients they have, the
# pooled AUC falls below .5 without any effect. To resample hospitals by a bootstrap:
# with eight of them its interval covers .87. To report the interval of the mean as if
# it were that of the next hospital.
#
# With five hospitals or fewer even the prediction interval is a guess, and the result
# says so.
#
# The sentence for the paper
# --------------------------

sentence = f"""
With one hospital left out at a time, the ROC AUC was {result.value:.2f} on average
over {result.n_sites} hospitals (95% CI {result.low:.2f} to {result.high:.2f},
Hartung-Knapp). Hospitals differed (tau = {result.tau:.2f} on the logit scale, I2 =
{result.i2:.0%}), and the 95% prediction interval for a hospital not seen was
{result.prediction_low:.2f} to {result.prediction_high:.2f} (t with
{result.prediction_df:.0f} degrees of freedom).
"""
print(textwrap.fill(sentence.strip(), 80))
