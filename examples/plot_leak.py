"""
A leak makes skill out of nothing
=================================

Here is a cohort in which the diagnosis leaves no trace in the images. A model that
seems to predict it has cheated. One way of splitting the data lets it, the other does
not.
"""

# %%
# A cohort without an effect
# --------------------------
# ``effect=0``: patients and controls differ in nothing. Everyone comes up to three
# times.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

from clinicadl_trust.caps import with_images
from clinicadl_trust.cohort import read_cohort
from clinicadl_trust.generate import GeneratorOptions, generate_caps, image_type
from clinicadl_trust.models import RunSpec
from clinicadl_trust.models.run import run
from clinicadl_trust.predictions import read_predictions
from clinicadl_trust.records import record_dir
from clinicadl_trust.split import from_options
from clinicadl_trust.stats import evaluate

folder = Path(tempfile.mkdtemp())
options = GeneratorOptions(
    participants=80, sites=4, sessions=3, attrition=0.1, resolution=8, effect=0, seed=0
)
caps = generate_caps(folder / "caps", options, n_jobs=2)
cohort, _ = with_images(
    read_cohort(caps / "participants.tsv"), caps, image_type(options)
)
task = cohort.task("diagnosis")
print(len(cohort), "images of", len(cohort.participants), "participants")

# %%
# The same model, two strategies
# ------------------------------
# A logistic regression on the mean intensity of each region, five folds. ``ScanKFold``
# deals out scans, so the person who is tested has mostly been trained on too.

model = {
    "type": "scikit-learn",
    "features": {"name": "regions"},
    "estimator": {"name": "sklearn.linear_model.LogisticRegression", "C": 10.0},
}
tables = []
for name in ("ParticipantKFold", "ScanKFold"):
    strategy = from_options(name, {"n_splits": 5})
    for fold in strategy.split(cohort, "diagnosis"):
        maps = run(
            RunSpec(
                model="regional logistic regression",
                config=model,
                task=task,
                cohort=cohort,
                fold=fold,
                split_strategy=name,
                caps=caps,
                image=image_type(options),
                seed=0,
                output=folder / "runs" / name / str(fold.split),
                cache=folder / "cache",
            )
        )
        tables.append(record_dir(maps, fold.split) / "predictions_test.tsv")

results = evaluate(read_predictions(tables), ["roc_auc"])
results[["split_strategy", "value", "low", "high", "warnings"]]

# %%
# The honest interval holds chance. Split by scan, the same model recognises persons,
# repeats the diagnosis that it has seen, and appears to be excellent.

results = results.set_index("split_strategy")
fig, axis = plt.subplots(figsize=(6, 2))
for y, (name, color) in enumerate(
    {"ParticipantKFold": "#0072b2", "ScanKFold": "#d55e00"}.items()
):
    row = results.loc[name]
    axis.plot([row["low"], row["high"]], [y, y], color=color, linewidth=2)
    axis.plot(row["value"], y, "o", color=color, markersize=8)
axis.axvline(0.5, color="0.5", linestyle="--", linewidth=1)
axis.set(yticks=[0, 1], yticklabels=results.index[:2], ylim=(1.5, -0.5), xlim=(0, 1))
axis.set_xlabel("area under the ROC curve; 0.5 is chance")
fig.tight_layout()
