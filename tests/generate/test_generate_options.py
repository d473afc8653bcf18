import pytest

from clinicadl_trust.caps import ImageType
from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate import GeneratorOptions, image_type, mask_type


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"participant": 10}, "Unknown option 'participant'. Did you mean 'participa"),
        ({"participants": 0}, "'participants' = 0: .*greater than or equal to 1"),
        ({"participants": "many"}, "'participants' = 'many'"),
        ({"effect": -1}, "'effect' = -1"),
        ({"effect": float("nan")}, "'effect' = nan"),
        ({"effect": float("inf")}, "'effect' = inf"),
        ({"modality": "PET"}, "'modality' = 'PET': .*'T1w' or 'FLAIR'"),
        ({"disease": "stroke"}, "'disease' = 'stroke'"),
        ({"resolution": 1.5}, "'resolution' = 1.5: .*integer"),
        ({"seed": -1}, "'seed' = -1"),
        ({"regions": ()}, "'regions'"),
        ({"regions": ["Hipocampus_L"]}, "'Hipocampus_L'.*mean 'Hippocampus_L'"),
        ({"prevalence": 0.3, "prevalence_spread": 0.4}, "between -0.10 and 0.70"),
        ({"sites": 5, "participants": 4}, "5 sites need .* participants = 4"),
        ({"datasets": 3, "sites": 2}, "3 datasets need .* sites = 2"),
        ({"prevalence_spread": 0.2, "sites": 1}, "there is one site"),
        ({"duplicates": 5, "participants": 4}, "duplicates = 5"),
    ],
)
def test_a_bad_option_is_named_with_its_value(options, message):
    with pytest.raises(ConfigError, match=message):
        GeneratorOptions(**options)


def test_all_mistakes_are_told_at_once():
    with pytest.raises(ConfigError, match=r"'effect'(.|\n)*'seed'"):
        GeneratorOptions(effect=-1, seed=-1)


def test_regions_may_be_one_name_and_are_listed_once():
    assert GeneratorOptions(regions="Amygdala_L").regions == ("Amygdala_L",)
    twice = GeneratorOptions(regions=["Amygdala_L", "Amygdala_R", "Amygdala_L"])
    assert twice.regions == ("Amygdala_L", "Amygdala_R")


def test_every_option_is_explained():
    for name, field in GeneratorOptions.model_fields.items():
        assert field.description.endswith("."), name


@pytest.mark.parametrize(
    ("modality", "name"), [("T1w", "T1Linear"), ("FLAIR", "FlairLinear")]
)
def test_at_1_mm_the_image_is_the_hosts(modality, name):
    ours = image_type(GeneratorOptions(resolution=1, modality=modality))
    assert ours == ImageType.parse(name)


def test_masks_are_not_images():
    options = GeneratorOptions(disease="lesions")
    name = "sub-1_ses-M000_space-MNI152NLin2009cSym_res-4x4x4_desc-lesion_mask.nii.gz"
    assert mask_type(options).matches(name)
    assert not image_type(options).matches(name)
