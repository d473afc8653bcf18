import numpy as np
import pytest
from generate_scene import PERSON, REGIONS, scene

from clinicadl_trust.generate.anatomy import MAPS, load_anatomy
from clinicadl_trust.generate.disease import Atrophy, Lesions
from clinicadl_trust.generate.head import build_head


def no_change():
    return Atrophy().change(scene(), 0.0, "sub-001")


def volume(part):
    """Volume in ml."""
    return float(part.sum()) * 4**3 / 1000


def head(age=70.0, change=None):
    return build_head(PERSON, scene(), age, change or no_change())


def test_the_template_has_the_maps_it_names():
    anatomy = load_anatomy(4, REGIONS)
    assert set(anatomy.maps) == set(MAPS)
    for name, one in anatomy.maps.items():
        assert one.values.dtype == np.float32, name
        assert one.values.shape == one.grid.shape, name
        assert np.isfinite(one.values).all(), name


def test_the_template_is_a_brain():
    maps = load_anatomy(4, REGIONS).maps
    ml = maps["gm"].grid.spacing ** 3 / 1000
    gm, wm = (maps[name].values for name in ("gm", "wm"))
    assert 700 < gm.sum() * ml < 1100
    assert 450 < wm.sum() * ml < 800
    assert (gm + wm).max() < 1.01
    hippocampi = (maps["regions"].values > 0).sum() * ml
    assert hippocampi == pytest.approx(15.0, rel=0.25)  # AAL2's, both sides


def test_a_voxel_is_made_of_no_more_than_itself():
    tissues = dict(head().tissues)
    tissues.pop("detail")
    total = sum(tissues.values())
    assert min(part.min() for part in tissues.values()) > -1e-5
    # Tissue thicker than the template's may exceed a voxel by a little.
    assert np.quantile(total, 0.999) < 1.1
    assert total[20, 25, 25] == pytest.approx(1.0, abs=0.02)


def test_age_takes_tissue_and_gives_csf():
    young, old = head(age=25.0).tissues, head(age=85.0).tissues
    assert volume(young["gm"] + young["wm"]) - volume(old["gm"] + old["wm"]) > 50
    assert volume(old["csf"]) - volume(young["csf"]) > 50
    near = scene().sample("ventricles") > 0.9
    assert old["csf"][near].mean() > 1.15 * young["csf"][near].mean()
    assert volume(old["lesion"]) > volume(young["lesion"])


def test_no_disease_changes_nothing():
    assert not no_change().lost.any()
    assert not no_change().lesion.any()
    assert not head().changed.any()


def test_atrophy_takes_a_quarter_of_the_hippocampi_for_csf():
    sick = head(change=Atrophy().change(scene(), 1.0, "sub-001"))
    well = head()
    inside = scene().sample("regions") > -4
    loss = volume(sick.changed) / volume(well.tissues["gm"][inside])
    lost_here = volume((well.tissues["gm"] - sick.tissues["gm"])[inside])
    assert 2.0 < lost_here < 5.0
    assert loss < 0.3
    gained = volume(sick.tissues["csf"] - well.tissues["csf"])
    assert gained == pytest.approx(volume(sick.changed), rel=0.02)
    assert not (sick.changed > 1e-6)[scene().sample("regions") < -6].any()


def test_atrophy_grows_with_its_amount():
    lost = [
        volume(head(change=Atrophy().change(scene(), amount, "sub-001")).changed)
        for amount in (0.25, 0.5, 1.0, 2.0)
    ]
    assert np.all(np.diff(lost) > 0)
    assert lost[1] / lost[0] == pytest.approx(2.0, rel=0.15)


@pytest.mark.parametrize("place", ["periventricular", "border"])
def test_lesions_lie_where_they_should_and_stay(place):
    disease = Lesions(0, place, 8.0, (4.0, 6.0))
    first = disease.change(scene(), 1.0, "sub-001")
    later = disease.change(scene(), 1.5, "sub-001")
    assert first.lesions == later.lesions > 1
    assert (later.lesion >= first.lesion - 1e-6).all()
    core = first.lesion > 0.9
    near = scene().sample("ventricles")[core]
    gm, wm = (scene().sample(name)[core] for name in ("gm", "wm"))
    if place == "periventricular":
        assert wm.mean() > 0.7
        assert near.mean() > 0.25
    else:
        assert min(gm.mean(), wm.mean()) > 0.2
        assert near.max() < 0.3
    other = disease.change(scene(), 1.0, "sub-002")
    assert np.minimum(first.lesion, other.lesion).sum() < 0.5 * first.lesion.sum()


def test_the_volume_of_lesions_is_proportional_to_the_amount():
    disease = Lesions(0, "periventricular", 20.0, (2.5, 6.0))
    small, large = (
        volume(disease.change(scene(), amount, "sub-001").lesion)
        for amount in (0.5, 1.0)
    )
    assert large / small == pytest.approx(2.0, rel=0.3)
    assert volume(disease.change(scene(), 1e-4, "sub-001").lesion) < 0.01 * large


@pytest.mark.parametrize(
    "disease", [Atrophy(), Lesions(0, "border", 1.0, (5.0, 8.0))], ids=["atrophy", "EP"]
)
def test_the_change_does_not_depend_on_the_voxels(disease):
    volumes = []
    for resolution in (4, 5):
        placement = scene(resolution)
        change = disease.change(placement, 1.0, "sub-001")
        changed = build_head(PERSON, placement, 70.0, change).changed
        volumes.append(float(changed.sum()) * resolution**3)
    assert volumes[0] == pytest.approx(volumes[1], rel=0.15)
