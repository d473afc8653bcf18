"""What is measured of attributions: the columns of ``attribution_metrics.tsv``."""

from __future__ import annotations

__all__ = ["METRICS"]

#: Column of ``attribution_metrics.tsv`` to what it says, the best to look at first.
METRICS: dict[str, str] = {
    "lesion_auprc": "average precision of positive attribution against the mask",
    "lesion_auprc_absolute": "the same of absolute attribution",
    "lesion_prevalence": "part of the voxels in the mask: what chance would give",
    "lesion_share": "part of the absolute attribution that lies in the mask",
    "lesion_share_positive": "part of the positive attribution that lies in the mask",
    "lesion_dice": "best Dice of thresholded positive attribution with the mask",
    "lesion_dice_absolute": "the same of absolute attribution",
    "lesion_pointing": "1 where the largest attribution lies in the mask, else 0",
    "completeness_error": "|sum - (f(x) - f(baseline))|, relative to the latter",
    "deletion_auc": "score as the voxels of most attribution are blurred: low is good",
    "deletion_auc_random": "the same with voxels in random order",
    "insertion_auc": "score as they are put into the blurred image: high is good",
    "insertion_auc_random": "the same with voxels in random order",
    "randomisation_spearman": "rank correlation with a random network's: 0 is good",
    "randomisation_ssim": "structural similarity with a random network's: low is good",
}
