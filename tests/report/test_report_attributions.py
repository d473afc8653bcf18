"""What ``clinicadl interpret`` found, in the report."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import lxml.html
import nibabel as nib
import nilearn.plotting  # noqa: F401  (chooses a backend as it is first imported)
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter
from synthetic_benchmark import make_benchmark

from clinicadl_trust.interpretations import METRICS, interpretations, summary_dir
from clinicadl_trust.report import render_report, write_report
from clinicadl_trust.report.attributions import read_interpreted
from clinicadl_trust.report.attributions.differences import (
    difference_over_seeds,
    differences,
)
from clinicadl_trust.report.attributions.interpreted import Interpreted
from clinicadl_trust.report.attributions.matrix import make_matrix
from clinicadl_trust.report.attributions.means import mean_map
from clinicadl_trust.report.attributions.panels import panels
from clinicadl_trust.report.attributions.participants import choose_participants
from clinicadl_trust.report.attributions.pictures import (
    Layer,
    draw_pictures,
    shared_limits,
)
from clinicadl_trust.report.attributions.statistics import (
    choose_unit,
    mean_of,
    means,
    means_of_stability,
)
from clinicadl_trust.report.attributions.viewers import write_viewers
from clinicadl_trust.report.attributions.words import trained_with
from clinicadl_trust.report.load import read_benchmark
from clinicadl_trust.report.sections import attributions, order
from clinicadl_trust.stats import compare, evaluate, unit_interval, unit_ttest


@pytest.fixture(scope="session")
def found(explained):
    return read_interpreted(read_benchmark(explained))


@pytest.fixture(scope="session")
def tree(explained_page):
    return lxml.html.parse(str(explained_page)).getroot()


@pytest.fixture
def copy(explained, tmp_path):
    """The benchmark, to break."""
    return shutil.copytree(explained, tmp_path / "copy")


def part(tree):
    return tree.get_element_by_id("attributions")


def text(element):
    return " ".join(element.text_content().split())


def rows(tree, key):
    """Return the cells of a table by the name of its figure."""
    (figure,) = [f for f in part(tree).iter("figure") if f.get("data-figure") == key]
    return [[text(cell) for cell in row] for row in figure.iter("tr")]


def test_without_interpretations_the_report_is_as_it_was(tmp_path, monkeypatch):
    directory = make_benchmark(
        tmp_path / "b",
        participants=16,
        sites=0,
        leaky=False,
        models=("cnn", "metadata"),
    )
    page = write_report(directory, tmp_path / "out" / "report.html")
    assert [path.name for path in page.parent.iterdir()] == ["report.html"]
    written = page.read_text(encoding="utf-8")
    assert 'id="attributions"' not in written
    others = tuple(each for each in order.BUILDERS if each is not attributions)
    monkeypatch.setattr("clinicadl_trust.report.page.BUILDERS", others)
    assert render_report(read_benchmark(directory)) == written


def test_means_and_participants_of_every_model_are_shown(tree):
    keys = [each.get("data-panel") for each in part(tree).iter("div")]
    keys = [name for name in keys if name]
    assert keys[:3] == ["mean-AD", "mean-CN", "mean-difference"]
    assert len(keys) == 6
    assert all(name.startswith("participant-sub-") for name in keys[3:])
    images = list(part(tree).iter("img"))
    assert len(images) == 12
    captions = [
        text(figure.find("figcaption"))
        for figure in part(tree).iter("figure")
        if figure.find("figcaption") is not None
    ]
    assert captions == ["cnn", "constrained"] * 6


def test_pictures_are_inside_the_page_and_described(tree, explained_page):
    for image in part(tree).iter("img"):
        assert re.match(r"data:image/(png|jpeg);base64,[\w+/]{100}", image.get("src"))
        assert re.search(r"axial slices at z = -?\d+, ", image.get("alt"))
        assert int(image.get("width")) > 500
    assert list(tree.iter("script", "iframe")) == []
    assert explained_page.stat().st_size < 3_000_000


def test_what_colours_mean_is_said(tree):
    said = text(part(tree))
    assert "Blue voxels speak for healthy, red ones for pathological" in said
    assert "99.5th percentile" in said
    assert "One scale for all: colours saturate at ±" in said
    assert "lesions are outlined in yellow" in said
    assert "what causes a disease" in said


def test_viewers_lie_beside_the_page_and_ask_for_nothing(tree, explained_page):
    links = [a.get("href") for a in part(tree).iter("a")]
    assert links == ["my%20report-maps/model-1.html", "my%20report-maps/model-2.html"]
    for link in links:
        viewer = explained_page.parent / link.replace("%20", " ")
        content = viewer.read_text(encoding="utf-8")
        assert viewer.stat().st_size < 3_000_000
        assert "brainsprite" in content
        assert not re.search(r"(src|href)\s*=\s*[\"'](https?:)?//", content)


def by_seed(found, model, metric, method="integrated_gradients"):
    """Average in two steps: participants, then seeds, straight from the tables."""
    table = found.table
    table = table[(table["model"] == model) & (table["method"] == method)]
    people = table.groupby(["seed", "participant_id"])[metric].mean().dropna()
    return people.groupby("seed").mean()


def test_the_table_holds_means_with_t_over_seeds(found, tree):
    lines = rows(tree, "attribution-metrics")
    assert lines[0] == ["Metric", "cnn", "constrained"]
    (line,) = [row for row in lines if row[0].startswith("AUPRC in the lesions")]
    for model, cell in zip(("cnn", "constrained"), line[1:], strict=True):
        values = by_seed(found, model, "lesion_auprc")
        assert len(values) == 3
        made = unit_interval(list(values), unit="seed", bounds=(0.0, 1.0))
        assert cell.startswith(f"{made.value:.3f}")
        assert cell.endswith(f"{made.high:.3f}")
    assert "They are over seeds" in text(part(tree))
    titles = [row[0] for row in lines[1:]]
    assert len(titles) == len(found.metrics)
    for metric, title in zip(found.metrics, titles, strict=True):
        assert title.endswith(METRICS[metric])


def test_differences_are_paired_by_seed(found, tree):
    values = by_seed(found, "constrained", "lesion_auprc")
    values = values - by_seed(found, "cnn", "lesion_auprc")
    made = unit_ttest(list(values), unit="seed")
    (row,) = rows(tree, "attribution-difference-lesion_auprc")[1:2]
    assert row[0] == "constrained − cnn"
    assert row[2] == f"+{made.effect:.2f}"
    assert row[3] == f"+{made.low:.2f} to +{made.high:.2f}"
    assert made.low > 0.2  # else the fixture shows nothing


def test_the_matrix_has_train_methods_in_rows_and_test_methods_in_columns(found, tree):
    lines = rows(tree, "attribution-matrix")
    assert lines[0] == ["Trained as", "integrated gradients", "gradient"]
    assert lines[1][0].startswith("cnn")
    assert lines[1][0].endswith("no constraint")
    assert lines[2][0].endswith("HealthyGradient (supervised) on gradient")
    for row, model in zip(lines[1:], ("cnn", "constrained"), strict=True):
        for cell, method in zip(row[1:], found.methods, strict=True):
            value = by_seed(found, model, "lesion_auprc", method).mean()
            assert cell.startswith(f"{value:.3f}")


def test_cells_are_darker_the_better(tree):
    cells = [cell.get("style") for cell in part(tree).iter("td")]
    grounds = [re.findall(r"#\w{6}", style) for style in cells if style]
    assert len(grounds) == 4
    light = [sum(int(g[n : n + 2], 16) for n in (1, 3, 5)) for g, _ in grounds]
    assert max(light[2:]) < min(light[:2])


def test_regions_are_ranked_by_class(found, tree):
    (cnn, _) = [
        d
        for d in part(tree).iter("details")
        if text(d.find("summary")) in ("cnn", "constrained")
    ]
    tables = list(cnn.iter("table"))
    assert [text(table.find("caption")) for table in tables] == ["AD", "CN"]
    parts = []
    for run in found.of("cnn", "integrated_gradients"):
        label = run.metrics[["participant_id", "session_id", "label", "seed"]]
        parts.append(run.interpretation.regions().merge(label))
    patients = pd.concat(parts).query("label == 1")
    keys = ["region", "seed", "participant_id"]
    means = patients.groupby(keys)["share"].mean().groupby(["region", "seed"]).mean()
    largest = means.groupby("region").mean().nlargest(10)
    lines = [[text(cell) for cell in row] for row in tables[0].iter("tr")][1:]
    assert len(lines) == 10
    assert lines[0][0] == largest.index[0]
    assert lines[0][1] == f"{100 * largest.iloc[0]:.1f} %"


def test_participants_are_chosen_by_all_models_together(found):
    table = found.table[found.table["method"] == "integrated_gradients"]
    table = table.dropna(subset=["lesion_auprc"])
    by_model = table.groupby(["participant_id", "model"])["lesion_auprc"].mean()
    ranked = by_model.groupby("participant_id").mean().sort_values()
    chosen = choose_participants(found)
    expected = [ranked.index[-1], ranked.index[(len(ranked) - 1) // 2], ranked.index[0]]
    assert [each.participant_id for each in chosen] == expected
    assert [each.why.split(" AUPRC")[0] for each in chosen] == [
        "the highest",
        "the median",
        "the lowest",
    ]
    assert {each.session_id for each in chosen} == {"ses-M000"}


def test_a_mean_map_weighs_runs_by_their_images(found):
    runs = found.of("cnn", "integrated_gradients")
    maps = [nib.load(run.interpretation.means()["AD"]).get_fdata() for run in runs]
    made = mean_map(runs, "AD", ("CN", "AD"))
    np.testing.assert_allclose(made.get_fdata(), np.mean(maps, axis=0), atol=1e-6)
    lighter = Interpreted(found.benchmark, runs).runs[0]
    fewer = lighter.metrics.query("label == 0 or participant_id == 'sub-001'")
    runs = (type(lighter)(lighter.interpretation, fewer), *runs[1:])
    counts = [int((run.metrics["label"] == 1).sum()) for run in runs]
    assert counts[0] < counts[1]
    made = mean_map(runs, "AD", ("CN", "AD"))
    expected = np.average(maps, axis=0, weights=counts)
    np.testing.assert_allclose(made.get_fdata(), expected, atol=1e-6)


def layers(*strengths):
    return [
        Layer(
            f"model {n}", nib.Nifti1Image(np.full((4, 4, 4), s, np.float32), np.eye(4))
        )
        for n, s in enumerate(strengths)
    ]


def test_models_share_a_scale_unless_one_could_not_be_seen():
    assert shared_limits(layers(1.0, 0.5)) == {"model 0": 1.0, "model 1": 1.0}
    own = shared_limits(layers(1.0, 0.3))
    assert own == pytest.approx({"model 0": 1.0, "model 1": 0.3})
    own = shared_limits(layers(1.0, 0.01))
    assert own == pytest.approx({"model 0": 1.0, "model 1": 0.01})


def test_one_scale_is_also_that_of_all_classes():
    one, two = layers(1.0, 0.9)
    weak = Layer("model 0", nib.Nifti1Image(np.full((4, 4, 4), 0.1), np.eye(4)))
    assert shared_limits([one, weak, two]) == {"model 0": 1.0, "model 1": 1.0}


def test_few_seeds_are_no_units(found):
    table = found.table
    assert choose_unit(table) == "seed"
    assert choose_unit(table[table["seed"] < 2]) == "participant_id"


def test_intervals_over_participants_count_each_once(found):
    table = found.table.query("model == 'cnn' and method == 'gradient' and seed < 2")
    seeds = table.groupby(["participant_id", "seed"])["lesion_share_positive"].mean()
    people = seeds.dropna().groupby("participant_id").mean()
    made = mean_of(table, "lesion_share_positive", "participant_id")
    assert made.n_clusters == len(people) < len(table)
    assert made.value == pytest.approx(people.mean())
    assert "participants" in made.method
    assert mean_of(table.assign(lesion_dice=np.nan), "lesion_dice", "seed") is None


def test_with_few_seeds_the_numbers_are_those_of_the_statistics(found):
    table = found.table.query("method == 'gradient' and seed < 2")
    metrics, pair = ("lesion_auprc", "completeness_error"), ("constrained", "cnn")
    made = means(table, metrics, "participant_id", "test")
    expected = evaluate(table, metrics)
    pd.testing.assert_frame_equal(made, expected[list(made)])
    assert made["low"].notna().all()
    (row,) = differences(table, metrics[:1], "participant_id", "test", [pair]).to_dict(
        "records"
    )
    for reference in ("cnn", "constrained"):
        (other,) = compare(table, metrics[:1], reference).to_dict("records")
        sign = 1 if reference == "cnn" else -1
        assert row["value"] == pytest.approx(sign * other["value"])
        ends = sorted([sign * other["low"], sign * other["high"]])
        assert [row["low"], row["high"]] == pytest.approx(ends)
        assert row["p_value"] == pytest.approx(other["p_value"])
    assert (row["model"], row["reference"]) == pair


def test_without_common_seeds_nothing_is_compared_over_seeds(found):
    first = found.table.query("model == 'cnn' and seed == 0")
    second = found.table.query("model == 'constrained' and seed > 0")
    assert difference_over_seeds(first, second, "lesion_auprc") is None


def test_layers_made_random_are_shown_from_the_output_down(copy, monkeypatch):
    module = "clinicadl_trust.report.sections.attributions"
    monkeypatch.setattr(f"{module}.panels", lambda _: ([], []))
    found = read_interpreted(read_benchmark(copy)).of("cnn", "integrated_gradients")
    for number, run in enumerate(found):
        each = run.interpretation
        about = each.about | {"n_cascade": 1}
        (each.folder / "interpretation.json").write_text(json.dumps(about))
        rows = {"step": [1, 2], "layer": ["mlp.output", "conv"], "ssim": 0.5}
        table = pd.DataFrame(rows | {"spearman": [0.3 * number, 0.1]})
        table.to_csv(each.folder / "cascade.tsv", sep="\t", index=False)
    page = lxml.html.fromstring(render_report(read_benchmark(copy)))
    (figure,) = page.xpath("//figure[starts-with(@data-figure, 'cascade')]")
    assert f"mean of {len(found)} maps" in figure.text_content()
    cells = [cell.text_content() for cell in figure.xpath(".//tbody//td")]
    assert cells == [f"{0.15 * (len(found) - 1):.2f}", "0.50", "0.10", "0.50"]
    (found[0].interpretation.folder / "cascade.tsv").write_text("step\n1\n")
    section = attributions.build(read_benchmark(copy))
    assert "lacks the columns layer" in section.missing[0]


def test_how_alike_seeds_are_is_shown(copy):
    folder = summary_dir(copy, "test", "integrated_gradients")
    folder.mkdir(parents=True)
    first = interpretations(copy / "runs")[0].metrics()
    keys = ["participant_id", "session_id", "split_strategy", "label"]
    table = first[keys].assign(model="cnn", n_maps=3, stability_top_dice=0.25)
    table["stability_spearman"] = np.linspace(0.1, 0.3, len(table))
    table.to_csv(folder / "stability.tsv", sep="\t", index=False)
    made = means_of_stability(read_interpreted(read_benchmark(copy)))
    made = made.set_index("metric")
    people = table.groupby("participant_id")["stability_spearman"].mean()
    assert made["value"]["stability_spearman"] == pytest.approx(people.mean())
    assert made["value"]["stability_top_dice"] == 0.25
    assert set(made["model"]) == {"cnn"}


def test_what_a_model_was_trained_with():
    assert trained_with({}) == "no constraint"
    constraints = [
        {"name": "HealthyGradient", "mode": "supervised"},
        {"name": "TotalVariation", "method": "expected_gradients"},
    ]
    said = trained_with({"model": {"constraints": constraints}})
    assert said == (
        "HealthyGradient (supervised) on gradient and "
        "TotalVariation on expected gradients"
    )


def problems(directory):
    return read_interpreted(read_benchmark(directory)).problems


def test_an_interrupted_interpretation_is_one_line(copy):
    for each in interpretations(copy / "runs"):
        if each.method == "gradient":
            about = each.folder / "interpretation.json"
            about.write_text(json.dumps({**each.about, "finished": False}))
    found = read_interpreted(read_benchmark(copy))
    (line,) = found.problems
    assert "is not finished: run `clinicadl interpret` again" in line
    assert "5 more could not be shown" in line
    assert found.methods == ("integrated_gradients",)


@pytest.mark.parametrize("broken", ["{", "[]", ""])
def test_a_damaged_interpretation_is_one_line(copy, broken):
    first = interpretations(copy / "runs")[0]
    (first.folder / "interpretation.json").write_text(broken)
    (line,) = problems(copy)
    assert "interpretation.json" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("participant_id\tsession_id\nsub-1\tses-1\n", "lacks the columns"),
        (None, "No table of an interpretation"),
    ],
)
def test_a_broken_table_is_one_line(copy, content, said):
    first = interpretations(copy / "runs")[0]
    first.metrics_path.unlink()
    if content is not None:
        first.metrics_path.write_text(content)
    (line,) = problems(copy)
    assert said in line


def test_a_model_that_the_benchmark_does_not_have_is_one_line(copy):
    first = interpretations(copy / "runs")[0]
    table = first.metrics().assign(model="stranger")
    table.to_csv(first.metrics_path, sep="\t", index=False, na_rep="n/a")
    (line,) = problems(copy)
    assert "a model 'stranger', which this benchmark does not have" in line


@pytest.fixture
def undrawn(monkeypatch):
    """Name the models instead of drawing their maps."""

    def name(layers, *_):
        image = nib.Nifti1Image(np.zeros((2, 2, 2)), np.eye(4))
        assert all(layer.attributions.shape != image.shape for layer in layers)
        return [layer.caption for layer in layers]

    monkeypatch.setattr(
        "clinicadl_trust.report.attributions.panels.draw_pictures", name
    )


def test_broken_maps_leave_the_rest(copy, undrawn):
    for each in interpretations(copy / "runs"):
        for path in [*each.folder.glob("maps/*"), each.mean_of("AD")]:
            path.write_bytes(path.read_bytes()[:100])
    drawn, said = panels(read_interpreted(read_benchmark(copy)))
    assert [panel.key for panel in drawn] == ["mean-CN", "mean-difference"]
    assert len(said) == 8  # the mean and three participants of both models
    assert all("cannot be read" in line for line in said)


def test_images_that_are_gone_leave_the_rest(copy, undrawn):
    for each in interpretations(copy / "runs"):
        for path in each.folder.glob("participants/*"):
            record = json.loads(path.read_text())
            path.write_text(json.dumps({**record, "image": "/nowhere/image.nii.gz"}))
    drawn, said = panels(read_interpreted(read_benchmark(copy)))
    assert [panel.key for panel in drawn] == ["mean-AD", "mean-CN", "mean-difference"]
    assert len(said) == 3
    assert all("/nowhere/image.nii.gz" in line for line in said)


def test_one_broken_run_is_averaged_over_no_longer(copy):
    first = interpretations(copy / "runs")[0]
    model = first.metrics()["model"].iloc[0]
    (first.folder / "interpretation.json").write_text("{")
    found = read_interpreted(read_benchmark(copy))
    assert len(found.of(model, first.method)) == 2


def test_when_nothing_can_be_shown_it_is_said(copy):
    for each in interpretations(copy / "runs"):
        each.metrics_path.unlink()
    section = attributions.build(read_benchmark(copy))
    assert section.template == "empty.html"
    assert len(section.missing) == 1
    tree = lxml.html.document_fromstring(render_report(read_benchmark(copy)))
    said = [text(p) for p in part(tree).iter("p") if p.get("class") == "missing"]
    assert len(said) == 1
    assert "11 more could not be shown" in said[0]


def test_without_masks_participants_are_chosen_by_their_ids(copy):
    for each in interpretations(copy / "runs"):
        table = each.metrics()
        lost = [name for name in table if name.startswith("lesion_")]
        table = table.drop(columns=lost)
        table.to_csv(each.metrics_path, sep="\t", index=False, na_rep="n/a")
    found = read_interpreted(read_benchmark(copy))
    people = sorted(found.table["participant_id"].unique())
    chosen = choose_participants(found)
    middle = people[(len(people) - 1) // 2]
    assert [c.participant_id for c in chosen] == [people[-1], middle, people[0]]
    assert found.metrics[0] == "completeness_error"
    assert make_matrix(found, "seed", []).metric == "Completeness error"


def test_a_group_that_is_left_out_is_named(copy):
    first = interpretations(copy / "runs")[0]
    shutil.copytree(first.folder, first.folder.parents[1] / "outside" / first.method)
    (line,) = problems(copy)
    assert "sealed (outside) are there too" in line


def test_models_explained_in_different_ways_are_not_compared(copy, undrawn):
    method_of = {"cnn": "gradient", "constrained": "integrated_gradients"}
    for each in interpretations(copy / "runs"):
        if method_of[each.metrics()["model"].iloc[0]] != each.method:
            shutil.rmtree(each.folder)
    section = attributions.build(read_benchmark(copy))
    assert section.missing == ()
    assert section.content["forests"] == []
    (cells,) = [
        line["cells"]
        for line in section.content["metrics"]
        if line["title"] == "AUPRC in the lesions"
    ]
    assert cells[0] == ("\N{EM DASH}", "")
    assert cells[1][1]
    rows = section.content["matrix"].rows
    assert [[bool(cell.interval) for cell in row[-1]] for row in rows] == [
        [False, True],
        [True, False],
    ]


def test_a_single_model_has_no_matrix(found):
    runs = found.of("cnn", "gradient")
    assert make_matrix(Interpreted(found.benchmark, runs), "seed", []) is None


def test_intervals_stay_where_values_can_be():
    table = pd.DataFrame(
        {
            "participant_id": list("abc"),
            "seed": [0, 1, 2],
            "completeness_error": [0.1, 0.2, 4.0],
            "lesion_auprc": [0.2, 0.99, 1.0],
            "randomisation_spearman": [-0.1, 0.3, 0.9],
        }
    )
    low = {name: mean_of(table, name, "seed").low for name in table.columns[2:]}
    assert low["completeness_error"] == 0
    assert low["randomisation_spearman"] < -0.1
    assert mean_of(table, "lesion_auprc", "seed").high == 1
    assert mean_of(table, "completeness_error", "seed").high > 4


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("classification", "speak for disease and which for health"),
        ("regression", "raise what it predicts and which lower it"),
    ],
)
def test_the_question_is_that_of_the_task(explained, undrawn, kind, said):
    whole = read_benchmark(explained)
    info = {**whole.info, "task": {**whole.info["task"], "kind": kind}}
    section = attributions.build(dataclasses.replace(whole, info=info))
    assert section.content["asked"] == said
    assert section.content["ends"][0] in ("healthy", "less")


def test_a_picture_of_a_noisy_scan_is_light():
    rng = np.random.default_rng(0)
    shape, affine = (90, 108, 90), np.diag([2.0, 2.0, 2.0, 1.0])
    grid = np.indices(shape) - np.array([45, 54, 45])[:, None, None, None]
    head = (np.linalg.norm(grid, axis=0) < 44) * 1.0
    values = gaussian_filter(rng.normal(size=shape), 6)
    layer = Layer("cnn", nib.Nifti1Image(head * values / values.std(), affine))
    kinds = []
    for noise in (0.05, 0.0):
        scan = nib.Nifti1Image(head + noise * rng.normal(size=shape), affine)
        (picture,) = draw_pictures([layer], {"cnn": 3.0}, scan)
        assert len(picture.uri) < 300_000
        kinds.append(picture.uri.partition(";")[0])
    assert kinds == ["data:image/jpeg", "data:image/png"]


def test_many_broken_maps_are_one_line(copy, undrawn):
    for each in interpretations(copy / "runs"):
        for path in each.folder.glob("maps/*"):
            path.unlink()
    section = attributions.build(read_benchmark(copy))
    (line,) = section.missing
    assert line.endswith("5 more could not be shown either.")
    assert len(section.content["panels"]) == 3


def test_outside_of_mni_space_there_are_participants_only(copy, undrawn):
    for each in interpretations(copy / "runs"):
        about = {"finished": True, "means": []}
        (each.folder / "interpretation.json").write_text(json.dumps(about))
        (each.folder / "regions.tsv").unlink()
    whole = read_benchmark(copy)
    section = attributions.build(whole)
    assert section.missing == ()
    assert len(section.content["panels"]) == 3
    assert section.content["regions"] == []
    assert write_viewers(whole, copy / "report.html") == ()


def test_models_are_held_against_the_one_to_be_beaten(explained, undrawn):
    whole = read_benchmark(explained)
    for reference, label in (
        ("cnn", "constrained − cnn"),
        ("constrained", "cnn − constrained"),
    ):
        info = {**whole.info, "reference": reference}
        section = attributions.build(dataclasses.replace(whole, info=info))
        (group,) = section.content["forests"][0].groups
        assert [row.label for row in group.rows] == [label]
