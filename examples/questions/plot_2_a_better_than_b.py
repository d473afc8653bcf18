"""
Is model A better than B?
=========================

Two models were tested on the same people. One has the higher AUC. Is it better, or was
it lucky with these people? And would it be again, were both trained anew?
"""

# %%
# The predictions table
# ---------------------
# Both models' scores of the same images, told apart by the column ``model``.

import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt

from clinicadl_trust import plots, stats
from clinicadl_trust.testing import synthetic_study

folder = Path(tempfile.mkdtemp())
skill = {"cnn": 1.6, "svm": 1.1}
table = synthetic_study(skill, participants=120, visits=2, seed=1)
table.to_csv(folder / "predictions.tsv", sep="\t", index=False)
table[["participant_id", "session_id", "model", "label", "score"]].iloc[
    [0, 1, 240, 241]
]

# %%
# On the command line
# -------------------
# ``clinicadl compare predictions.tsv --metric roc_auc``


def clinicadl(arguments):
    """Type a command in the folder's terminal."""
    command = [sys.executable, "-m", "clinicadl_trust", *arguments.split()]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True)
    print(done.stdout.decode())


clinicadl("compare predictions.tsv --metric roc_auc")

# %%
# In Python
# ---------
# A paired comparison: of the difference, image by image, with people as units.

wide = table.pivot(
    index=["participant_id", "session_id", "label"], columns="model", values="score"
).reset_index()
difference = stats.compare_roc_auc(
    wide["label"], wide["cnn"], wide["svm"], cluster=wide["participant_id"]
)
print(difference)

fig, ax = plt.subplots(figsize=(4, 3.8), layout="constrained")
auc = {
    model: stats.roc_auc(wide["label"], wide[model], wide["participant_id"])
    for model in skill
}
plots.roc_curve(stats.roc_curve(table), ax, auc=auc)

# %%
# What would be wrong
# -------------------
# To look whether the two intervals overlap. Both models see the same easy and the same
# hard people, so the difference is known better than either AUC: the intervals above
# overlap, and yet the difference is clear. Just as wrong is a test that takes images
# for people.
#
# Other questions to the same table
# ---------------------------------
# For what every image has (right or wrong, an error, a Dice score), ``compare_models``
# also tells how much the difference varies from hospital to hospital. For any metric,
# ``permutation_test`` swaps the models' scores, person by person, and counts. (With
# five hospitals as units no p-value below .0625 could come out, and it would say so.)

print(stats.compare_models(table, "squared_error"))
print(
    stats.permutation_test(
        wide, ["roc_auc"], models=["cnn", "svm"], cluster="participant_id"
    )
)

# %%
# Would it be better again, trained anew?
# ---------------------------------------
# That is another question, and a test group cannot answer it: the models are what they
# are. A cross-validation trains them anew in each fold. Folds share training people, so
# an ordinary t-test over folds rejects far too often (.16 at 5 %, .70 with ten
# repeats); the corrected one knows it, and its posterior can say that two models are
# *equivalent*: closer than a margin set beforehand, here .02.

folds = synthetic_study(skill, "cross-validation", participants=120, visits=2, seed=1)
values = stats.fold_metrics(folds, ["roc_auc"]).pivot(
    index="split", columns="model", values="value"
)
gain = values["cnn"] - values["svm"]
posterior = stats.bayesian_correlated_ttest(gain, n_train=96, n_test=24, rope=0.02)
print(posterior)

fig, ax = plt.subplots(figsize=(4.6, 3), layout="constrained")
plots.posterior(posterior, ax, models=("CNN", "SVM"), metric="ROC AUC")

# %%
# The sentences for the paper
# ---------------------------

a, b = auc["cnn"], auc["svm"]
sentence = f"""
On the {difference.n_clusters} participants of the test group, the CNN's ROC AUC
({a.value:.2f}) exceeded the SVM's ({b.value:.2f}) by {difference.effect:.2f} (95%
CI {difference.low:.2f} to {difference.high:.2f}, p = {difference.p_value:.2g};
paired, clustered by participant, Obuchowski 1997).
"""
print(textwrap.fill(sentence.strip(), 80))
sentence = f"""
In five-fold cross-validation the difference was {posterior.mean:.2f} (95% credible
interval {posterior.low:.2f} to {posterior.high:.2f}); the CNN was better by more
than .02 with probability {posterior.p_better:.2f}, and the two were equivalent with
{posterior.p_equivalent:.2f} (Bayesian correlated t-test).
"""
print(textwrap.fill(sentence.strip(), 80))
