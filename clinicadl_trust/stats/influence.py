"""Metrics with their influence functions: what each image adds to the metric.

Each function takes ``label`` of shape (n_images,) and ``score`` of shape (n_images,)
or (n_images, n_classes) and returns the metric with one number per image. These
numbers sum to 0, and their sum over the images of a participant is, to first order,
what the metric would lose without that participant. Summing them by participant is
what turns a formula for independent images into one for dependent images.

A label is 0 or 1, the number of a class, or a quantity; a score is the probability
of class 1, of each class, or a predicted quantity.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "average_precision",
    "balanced_accuracy",
    "brier",
    "mae",
    "mean_share",
    "mean_value",
    "placements",
    "r2",
    "r2_jackknife",
    "roc_auc",
    "sensitivity",
    "specificity",
]

Result = tuple[float, np.ndarray]

#: A score from here on is a decision for class 1.
THRESHOLD = 0.5


def placements(
    positive: np.ndarray, negative: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Say which share of the other class each image is ranked right of.

    Parameters
    ----------
    positive, negative : numpy.ndarray of shape (m,), (n,)
        Scores of the two classes.

    Returns
    -------
    tuple of numpy.ndarray of shape (m,), (n,)
        For each positive the share of negatives with a lower score, for each
        negative the share of positives with a higher one; a tie counts half. Both
        have the ROC AUC as mean. Takes O(n log n).

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    right_of_negatives = _share_below(np.sort(negative), positive)
    right_of_positives = 1.0 - _share_below(np.sort(positive), negative)
    return right_of_negatives, right_of_positives


def roc_auc(label: np.ndarray, score: np.ndarray) -> Result:
    """ROC AUC; with more classes, the mean of each class against the rest."""
    columns = _columns(score)
    one_hot = _one_hot(label, columns.shape[1])
    values: list[float] = []
    influence = np.zeros(len(label))
    for is_positive, column in zip(one_hot.T, columns.T, strict=True):
        if columns.shape[1] == 2 and values:
            break  # the second curve of two classes mirrors the first
        of_positive, of_negative = placements(column[is_positive], column[~is_positive])
        value = float(of_positive.mean())
        values.append(value)
        influence[is_positive] += (of_positive - value) / of_positive.size
        influence[~is_positive] += (of_negative - value) / of_negative.size
    return float(np.mean(values)), influence / len(values)


def average_precision(label: np.ndarray, score: np.ndarray) -> Result:
    """Average precision, as scikit-learn defines it; the prevalence is random."""
    order = np.argsort(-score, kind="stable")
    positive = label[order].astype(float)
    group, last = _tied_groups(score[order])
    n_positive = positive.sum()
    flagged = last + 1.0
    true = np.cumsum(positive)[last]
    precision = true / flagged
    new = np.diff(true, prepend=0.0)
    value = (new * precision).sum() / n_positive
    # An image also dilutes, or strengthens, the precision at every lower threshold.
    lifts = _sum_from_here(new / flagged)[group]
    dilutes = _sum_from_here(new * precision / flagged)[group]
    influence = np.empty(len(label))
    influence[order] = (
        positive * (precision[group] - value) + positive * lifts - dilutes
    ) / n_positive
    return float(value), influence


def balanced_accuracy(label: np.ndarray, score: np.ndarray) -> Result:
    """Mean over classes of the share of its images that are recognised."""
    if score.ndim == 1:
        correct = (score >= THRESHOLD) == (label == 1)
        n_classes = 2
    else:
        correct = score.argmax(axis=1) == label
        n_classes = score.shape[1]
    parts = [_share(correct, label == code) for code in range(n_classes)]
    value = float(np.mean([part[0] for part in parts]))
    return value, np.mean([part[1] for part in parts], axis=0)


def sensitivity(label: np.ndarray, score: np.ndarray) -> Result:
    """Share of the positive images that score at least .5."""
    return _share(score >= THRESHOLD, label == 1)


def specificity(label: np.ndarray, score: np.ndarray) -> Result:
    """Share of the negative images that score less than .5."""
    return _share(score < THRESHOLD, label == 0)


def brier(label: np.ndarray, score: np.ndarray) -> Result:
    """Brier score: mean squared error of the probability.

    With more than two classes the squared errors of all of them are added, which
    goes from 0 to 2, as in scikit-learn.
    """
    if score.ndim == 1:
        return _mean((score - label) ** 2)
    target = _one_hot(label, score.shape[1])
    return _mean(((score - target) ** 2).sum(axis=1))


def mae(label: np.ndarray, score: np.ndarray) -> Result:
    """Mean absolute error, in the unit of the label."""
    return _mean(np.abs(score - label))


def mean_share(label: np.ndarray, score: np.ndarray) -> Result:
    """Share of ones among the labels, whatever the score."""
    return _mean(label)


def mean_value(label: np.ndarray, score: np.ndarray) -> Result:
    """Mean of a value that each image has, such as its Dice."""
    return _mean(score)


def r2(label: np.ndarray, score: np.ndarray) -> Result:
    """Share of the label's variance explained, below 0 when worse than its mean."""
    error = (score - label) ** 2
    spread = (label - label.mean()) ** 2
    value = 1.0 - error.sum() / spread.sum()
    return float(value), ((1.0 - value) * spread - error) / spread.sum()


def r2_jackknife(
    label: np.ndarray, score: np.ndarray, cluster: np.ndarray, n_clusters: int
) -> np.ndarray:
    """What R2 loses without each cluster, exactly.

    R2 is a ratio whose influence function is too short in small samples: in our
    simulations its interval covers .91 with 20 participants, this one .94.

    Parameters
    ----------
    label, score : numpy.ndarray of shape (n_images,)
        True and predicted values.
    cluster : numpy.ndarray of shape (n_images,)
        Cluster numbers from 0.
    n_clusters : int
        How many there are.

    Returns
    -------
    numpy.ndarray of shape (n_clusters,)
        Centred, on the scale of influence sums.
    """
    centred = label - label.mean()
    sums = [
        np.bincount(cluster, values, n_clusters)
        for values in ((score - label) ** 2, centred, centred**2, np.ones(len(label)))
    ]
    error, first, second, count = (each.sum() - each for each in sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = 1.0 - error / (second - first**2 / count)
    without[~np.isfinite(without)] = np.nan  # a constant label remains
    return (without.mean() - without) * (n_clusters - 1) / n_clusters


def _share_below(ordered: np.ndarray, values: np.ndarray) -> np.ndarray:
    below = np.searchsorted(ordered, values, side="left")
    not_above = np.searchsorted(ordered, values, side="right")
    return (below + not_above) / (2.0 * ordered.size)


def _columns(score: np.ndarray) -> np.ndarray:
    return score if score.ndim == 2 else np.stack([-score, score], axis=1)


def _one_hot(label: np.ndarray, n_classes: int) -> np.ndarray:
    return label[:, None] == np.arange(n_classes)


def _share(correct: np.ndarray, among: np.ndarray) -> Result:
    value = correct[among].mean()
    return float(value), np.where(among, correct - value, 0.0) / among.sum()


def _mean(values: np.ndarray) -> Result:
    value = values.mean()
    return float(value), (values - value) / values.size


def _tied_groups(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the runs of equal scores; return each image's run and each run's end."""
    new = np.flatnonzero(np.diff(ordered)) + 1
    group = np.zeros(len(ordered), dtype=int)
    group[new] = 1
    return np.cumsum(group), np.append(new - 1, len(ordered) - 1)


def _sum_from_here(values: np.ndarray) -> np.ndarray:
    return np.cumsum(values[::-1])[::-1]
