"""The experiment file of a segmentation: what is needed, and what has no place."""

import pytest

from clinicadl_trust.benchmark.reading import read_experiment
from clinicadl_trust.benchmark.truth import truth_of
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate import GeneratorOptions, mask_type

FILE = """\
name = "masks"
[cohort]
task = "segmentation"
label = "lesion"
{cohort}
[sealed_test]
strategy = "MatchedTestSet"
fraction = 0.4
[models.unet]
type = "trainer"
"""
GENERATE = """
[cohort.generate]
participants = 40
disease = "lesions"
modality = "FLAIR"
"""


@pytest.fixture
def read(tmp_path):
    checked = []

    def read_it(cohort=GENERATE, change=lambda text: text):
        path = tmp_path / "experiment.toml"
        path.write_text(change(FILE.format(cohort=cohort)))
        return read_experiment(path, lambda *given: checked.append(given))

    read_it.checked = checked
    return read_it


def test_a_generated_cohort_knows_its_masks(read):
    experiment = read()
    truth = truth_of(experiment.cohort)
    options = GeneratorOptions(**experiment.cohort.generate)
    assert truth.name == "lesion" and truth.image == mask_type(options)
    (given,) = read.checked
    assert given[2].kind == "segmentation" and given[2].label == "lesion"


def test_there_is_no_baseline_and_dice_is_primary(read):
    experiment = read()
    assert [*experiment.models] == ["unet"]
    assert experiment.statistics.primary == "dice"
    assert experiment.statistics.metrics[:2] == ["dice", "surface_distance"]


def test_masks_of_a_caps_are_an_image_type(read, tmp_path, caps_dir):
    text = f"""
caps = "{caps_dir}"
image = {{ data_type = "t1_linear", suffix = "T1w" }}
[cohort.mask]
data_type = "t1_linear"
suffix = "mask"
with_entities = {{ desc = "atrophy" }}
"""
    experiment = read(text)
    truth = truth_of(experiment.cohort)
    assert truth.image.with_entities == {"desc": "atrophy"}
    assert not truth.missing_is_empty
    again = type(experiment)(**experiment.resolved())
    assert truth_of(again.cohort) == truth


@pytest.mark.parametrize(
    ("cohort", "change", "said"),
    [
        ('caps = "x"', None, r"needs the true masks.*\[cohort.mask\]"),
        (GENERATE, ("segmentation", "regression"), r"lesion"),
        (
            'mask = { data_type = "x", suffix = "y" }' + GENERATE,
            None,
            r"'mask' has no place beside",
        ),
        ('positive = "MS"' + GENERATE, None, r"'positive' is for a classification"),
        (
            GENERATE,
            ("[models.unet]", '[statistics]\nmetrics = ["roc_auc"]\n[models.unet]'),
            r"'roc_auc' is for classification",
        ),
    ],
)
def test_what_is_missing_or_out_of_place_is_told(read, cohort, change, said):
    replaced = (lambda text: text.replace(*change)) if change else (lambda text: text)
    with pytest.raises(ConfigError, match=said):
        read(cohort, replaced)


def test_a_mask_without_a_segmentation_is_told(read):
    table = 'caps = "x"\nmask = { data_type = "x", suffix = "y" }'
    with pytest.raises(ConfigError, match="'mask' is for task = \"segmentation\""):
        read(table, lambda text: text.replace('task = "segmentation"\n', ""))


def test_a_model_of_numbers_is_refused(tmp_path):
    path = tmp_path / "experiment.toml"
    text = FILE.format(cohort=GENERATE).replace('"trainer"', '"scikit-learn"')
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"'scikit-learn' predicts numbers.*'UNet'"):
        read_experiment(path)
