"""The page's structure, and every way in which a benchmark can be incomplete."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
from pathlib import Path

import lxml.html
import numpy as np
import pytest
from synthetic_benchmark import make_benchmark

from clinicadl_trust.exceptions import OutputError, StatisticsError
from clinicadl_trust.report import render_report, write_report
from clinicadl_trust.report.load import read_benchmark
from clinicadl_trust.report.sections import curves, data, sites
from clinicadl_trust.report.svg import PAINT
from clinicadl_trust.stats import (
    bayesian_correlated_ttest,
    heterogeneity,
    infer_designs,
    net_benefit,
    site_metrics,
)

SECTIONS = [
    "conclusion",
    "data",
    "splits",
    "sealed",
    "estimates",
    "comparisons",
    "curves",
    "sites",
    "leakage",
    "runs",
    "glossary",
]


@pytest.fixture(scope="module")
def tree(page):
    return lxml.html.parse(str(page)).getroot()


@pytest.fixture
def small(tmp_path):
    """A benchmark that says nothing but its name."""
    directory = tmp_path / "small"
    directory.mkdir()
    (directory / "benchmark.json").write_text('{"name": "small"}')
    return directory


def read(path: Path):
    return lxml.html.parse(str(path)).getroot()


def select(tree, tag: str, *classes: str, **attributes: str):
    """Return the elements below ``tree`` with these classes and attributes."""
    return [
        element
        for element in tree.iterdescendants(tag)
        if set(classes) <= set((element.get("class") or "").split())
        and all(element.get(name) == value for name, value in attributes.items())
    ]


def figure(tree, key: str):
    """Return a figure by its key."""
    (found,) = select(tree, "figure", **{"data-figure": key})
    return found


def section(tree, anchor: str) -> str:
    """Return the text of a section with single spaces."""
    return " ".join(tree.get_element_by_id(anchor).text_content().split())


def test_every_section_is_there_in_order_and_linked(tree):
    assert [s.get("id") for s in tree.iter("section")] == SECTIONS
    links = [a.get("href") for a in select(tree.find(".//nav"), "a")]
    assert links == [f"#{anchor}" for anchor in SECTIONS]


def test_nothing_is_said_to_be_missing_of_a_whole_benchmark(tree):
    assert [p.text_content() for p in select(tree, "p", "missing")] == []


def test_the_page_is_self_contained_and_light(page, tree):
    text = page.read_text(encoding="utf-8")
    assert len(text) < 1_000_000
    assert not re.search(r"(src|href)\s*=\s*[\"'](https?:)?//", text)
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert list(tree.iter("script", "img", "iframe")) == []
    assert [link.get("href") for link in tree.iter("link")] == ["data:,"]
    policy = select(tree, "meta", **{"http-equiv": "Content-Security-Policy"})[0]
    assert policy.get("content").startswith("default-src 'none'")


def test_headings_never_skip_a_level(tree):
    levels = [int(h.tag[1]) for h in tree.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_landmarks_and_the_skip_link(tree):
    assert tree.get("lang") == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert len(list(tree.iter(landmark))) == 1
    assert tree.find("body/a").get("href") == "#main"


def test_ids_are_unique_and_every_reference_is_met(tree):
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    wanted = set()
    for element in tree.iter():
        wanted.update((element.get("aria-labelledby") or "").split())
        wanted.add(element.get("popovertarget"))
        for name in ("href", "{http://www.w3.org/1999/xlink}href"):
            if (element.get(name) or "").startswith("#"):
                wanted.add(element.get(name)[1:])
        for value in element.attrib.values():
            wanted.update(re.findall(r"url\(#([^)]+)\)", value))
    assert wanted - {None} <= set(ids)


def test_tables_have_captions_and_scopes(tree):
    tables = list(tree.iter("table"))
    assert len(tables) > 15
    for table in tables:
        assert table.find("caption").text_content().strip()
        for cell in table.iter("th"):
            assert cell.get("scope") in ("col", "row", "rowgroup")


def test_scrolling_containers_can_be_reached_by_keyboard(tree):
    for container in select(tree, "div", "scroll"):
        assert container.get("tabindex") == "0"
        assert container.get("aria-label")


def test_drawings_are_described_or_hidden(tree):
    charts = 0
    for svg in tree.iter("svg"):
        if any(parent.tag == "svg" for parent in svg.iterancestors()):
            continue
        if svg.get("role") == "img":
            charts += 1
            assert svg.find("title").text_content()
            assert len(svg.find("desc").text_content()) > 20
        else:
            assert svg.get("aria-hidden") == "true"
    assert charts >= 4


def test_the_figures_of_every_kind_are_there(tree):
    keys = {each.get("data-figure") for each in tree.iter("figure")}
    for key in (
        "flow",
        "people-class",
        "people-site",
        "splits",
        "sealed-roc_auc",
        *(f"forest-{name}" for name in ("roc_auc", "brier", "sensitivity")),
        "comparison-sealed-roc_auc",
        "roc-sealed",
        "calibration-sealed",
        "decision-sealed",
        "posterior-participants-cnn-metadata",
        "sites-sealed",
        "leakage",
        "runs",
    ):
        assert key in keys, key


def test_the_forest_shows_the_numbers_of_the_table(tree, whole):
    forest = figure(tree, "forest-roc_auc")
    text = " ".join(forest.text_content().split())
    rows = whole.estimates[whole.estimates["metric"] == "roc_auc"]
    assert len(select(forest, "th", scope="row")) == len(rows)
    for _, row in rows.iterrows():
        assert f"{row['low']:.2f} to " in text or f"{row['low']:.3f}" in text


def test_a_new_site_has_the_prediction_interval_of_left_out_sites(tmp_path):
    models = ("voxel-svm", "metadata")
    directory = make_benchmark(tmp_path / "b", sites=8, participants=240, models=models)
    tree, whole = read(write_report(directory)), read_benchmark(directory)
    table = site_metrics(whole.evaluated, ["roc_auc"])
    rows = table[(table["split_strategy"] == "sites") & (table["model"] == models[0])]
    made = heterogeneity(rows["value"], rows["standard_error"], transform="logit")
    forest = figure(tree, "sites-sites")
    body = next(iter(forest.iter("tbody")))
    *_, mean, new = [
        [cell.text_content().strip() for cell in row]
        for row in body.iter("tr")
        if row.get("class") is None
    ]
    ends = f"{made.prediction_low:.2f} to {made.prediction_high:.2f}"
    assert [mean[0], mean[2]] == ["Mean over sites", f"{made.value:.2f}"]
    assert new == ["A new site", "", "", ends, ""]
    assert len(select(body, "line", "prediction")) == 1
    text = section(tree, "sites")
    assert "95 % prediction interval of a new site" in text
    assert all(warning in text for warning in made.warnings)
    assert "A new site" not in figure(tree, "sites-sealed").text_content()


def test_of_a_new_site_nothing_is_said_with_few(tree):
    assert "A new site" not in figure(tree, "sites-sites").text_content()
    assert "nothing is said of the next hospital" in section(tree, "sites")


def test_posteriors_say_what_counts_as_equal(tree, whole):
    text = section(tree, "comparisons")
    assert "region of practical equivalence of ±0.01" in text
    keys = [each.get("data-figure") for each in tree.iter("figure")]
    posteriors = [key for key in keys if key.startswith("posterior-")]
    assert len(posteriors) == 6
    assert not any("majority" in key or "sites" in key for key in posteriors)
    folds = whole.fold_metrics.query(
        "split_strategy == 'participants' and metric == 'roc_auc'"
    )
    values = folds.groupby(["model", "split"])["value"].mean().unstack("model")
    design = infer_designs(whole.evaluated)["participants"]
    made = bayesian_correlated_ttest(
        list(values["cnn"] - values["metadata"]),
        *design.sizes([(0, k) for k in range(4)]),
        rope=0.01,
    )
    drawn = figure(tree, "posterior-participants-cnn-metadata").text_content()
    assert f"is better with a probability of {100 * made.p_better:.0f}" in drawn


def test_decision_curves_are_of_the_group_tested_once(tree, whole):
    rows = whole.evaluated.query(
        "split_strategy == 'sealed' and group == 'test' and model == 'voxel-svm'"
    )
    curve = net_benefit(rows["label"], rows["score"], 0.2, rows["participant_id"])
    model = curve.points.set_index("strategy").loc["model"]
    drawn = figure(tree, "decision-sealed")
    cells = [
        [cell.text_content() for cell in row]
        for row in drawn.iter("tr")
        if row.find("th").text_content() == "voxel-svm"
    ]
    assert cells[1][1:4] == [
        "20\N{NARROW NO-BREAK SPACE}%",
        f"{model['net_benefit']:.2f}",
        f"{model['low']:.2f} to {model['high']:.2f}",
    ]
    keys = [each.get("data-figure") for each in tree.iter("figure")]
    assert [k for k in keys if k.startswith("decision-")] == ["decision-sealed"]


def test_the_leaky_split_is_marked_as_no_result(tree):
    forest = figure(tree, "forest-roc_auc")
    (leaky,) = select(forest, "tbody", "leaky")
    assert "not a result" in leaky.text_content()
    assert select(leaky, "use", "hollow")
    assert len(select(forest, "use", "hollow")) == len(select(leaky, "use", "hollow"))


def test_image_models_against_the_metadata_are_highlighted(tree):
    forest = figure(tree, "comparison-sealed-roc_auc")
    marked = [row.find("th").text_content() for row in select(forest, "tr", "emphasis")]
    assert marked == [
        f"{name} − metadata" for name in ("cnn", "regional-logistic", "voxel-svm")
    ]
    text = section(tree, "comparisons")
    assert "Which model does better? ROC AUC, sealed test group" in text
    assert "10 pairs of models" in text
    assert "scans in" not in text.lower()  # the leaky split


def test_with_a_reference_the_question_is_each_model_against_it(whole):
    info = {**whole.info, "reference": "metadata"}
    asked = dataclasses.replace(whole, predictions=None, info=info)
    tree = lxml.html.document_fromstring(render_report(asked))
    text = section(tree, "comparisons")
    assert "Does each image model do better than age, sex and site alone?" in text
    assert "3 pairs of models" in text
    assert "Any other pair is exploratory" in text
    forest = figure(tree, "comparison-sealed-roc_auc")
    groups = [row.text_content().strip() for row in select(forest, "tr", "group")]
    assert groups == ["Against metadata", "Other pairs, exploratory"]
    first, second = (
        [row.text_content() for row in select(body, "th", scope="row")]
        for body in forest.iter("tbody")
    )
    assert first == [
        f"{name} − metadata" for name in ("cnn", "regional-logistic", "voxel-svm")
    ]
    assert len(second) == 7


def test_every_figure_says_how_many_people_it_rests_on(tree, whole):
    rows = whole.estimates[whole.estimates["split_strategy"] == "sealed"]
    size = (
        f"{rows['n_participants'].max():.0f} participants, "
        f"{rows['n_images'].max():.0f} scans"
    )
    for anchor in ("sealed", "estimates", "comparisons", "curves", "sites"):
        assert f"Sealed test group ({size})" in section(tree, anchor), anchor


def test_a_group_looked_at_again_is_not_said_to_be_looked_at_once(tree, whole):
    assert "looked at once" in section(tree, "sealed")
    added = [{"date": "2026-12-01T10:00:00", "added": ["models.cnn"]}]
    again = dataclasses.replace(
        whole, predictions=None, info={**whole.info, "history": added}
    )
    text = section(lxml.html.document_fromstring(render_report(again)), "sealed")
    assert "looked at 2 times" in text


def test_the_leak_is_measured_against_participants(tree, whole):
    text = section(tree, "leakage")
    values = whole.estimates.set_index(["metric", "split_strategy", "model"])["value"]
    for model in ("regional-logistic", "voxel-svm"):
        honest = values["roc_auc", "participants", model]
        leaky = values["roc_auc", "scans", model]
        assert f"+{leaky - honest:.2f}" in text
    assert "cnn" not in text


def test_terms_are_explained_by_keyboard_and_in_the_glossary(tree):
    buttons = select(tree, "button", "term")
    assert len(buttons) > 10
    glossary = section(tree, "glossary")
    for button in buttons:
        definition = tree.get_element_by_id(button.get("popovertarget"))
        assert definition.get("popover") is not None
        assert definition.find("strong").text_content().rstrip(".") in glossary


def test_failures_and_versions_are_shown(tree):
    text = section(tree, "runs")
    for word in (
        "The loss became NaN",
        "2.6.0",
        "8 min 42 s",
        "x86_64",
        "0, 1",
        "memory (GB)4",
    ):
        assert word in text


def test_text_of_the_user_is_escaped(tmp_path):
    nasty = "<script>alert(1)</script>&\"'"
    directory = make_benchmark(
        tmp_path / "b",
        participants=24,
        models=("voxel-svm", "metadata"),
        name=nasty,
        question=nasty,
    )
    for name in ("statistics", "fold_metrics", "predictions", "cohort", "flow"):
        path = directory / f"{name}.tsv"
        text = path.read_text().replace("site-1", "<b>site</b>")
        text = text.replace("voxel-svm", "<i>svm</i>")
        path.write_text(text.replace("label known", "<u>known</u>"))
    text = write_report(directory).read_text(encoding="utf-8")
    assert "<script" not in text
    for tag in ("<b>site", "<i>svm", "<u>known"):
        assert tag not in text
    assert "&lt;i&gt;svm&lt;/i&gt;" in text


def test_the_same_folder_gives_the_same_bytes(whole, page):
    assert render_report(whole) == page.read_text(encoding="utf-8")


def test_an_existing_report_is_replaced_whole(small, tmp_path):
    path = tmp_path / "new" / "report.html"
    path.parent.mkdir()
    path.write_text("old")
    assert write_report(small, path) == path
    assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_folder_is_no_place_for_a_page(small, tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        write_report(small, tmp_path)


def test_a_failed_write_leaves_the_old_page(small, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_report(small, path)
    assert path.read_text() == "old"
    assert {p.name for p in tmp_path.iterdir()} == {"small", "report.html"}


def test_a_statistic_that_cannot_be_had_is_said_in_its_place(whole, monkeypatch):
    def refuse(*_, **__):
        raise StatisticsError("The labels disagree.")

    monkeypatch.setattr(sites, "site_metrics", refuse)
    monkeypatch.setattr(curves, "calibration_curve", refuse)
    tree = lxml.html.document_fromstring(render_report(whole))
    assert [s.get("id") for s in tree.iter("section")] == SECTIONS
    assert "The labels disagree." in section(tree, "sites")
    assert "The labels disagree." in section(tree, "curves")
    assert figure(tree, "roc-sealed") is not None


@pytest.mark.parametrize(
    ("coding", "share"),
    [(("F", "M"), "50"), (("female", "male"), "50"), (("1", "2"), "n/a")],
)
def test_women_are_counted_only_where_the_coding_is_clear(whole, coding, share):
    people = whole.cohort.drop_duplicates("participant_id").reset_index(drop=True)
    people["sex"] = [coding[n % 2] for n in range(len(people))]
    found = data.build(dataclasses.replace(whole, cohort=people))
    assert found.content["lines"][-1].women.startswith(share)


def test_a_site_of_one_class_has_a_dash_in_place_of_a_value(whole):
    predictions = whole.predictions
    site = predictions["site"] == "site-1"
    predictions = predictions[~site | (predictions["label"] == 1)]
    found = sites.build(dataclasses.replace(whole, predictions=predictions))
    rows = found.content["figures"][0][1].groups[0].rows
    assert {row.label: row.cells[:2] for row in rows}["site-1"] == ("—", "—")


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(task, other_tasks):
    tree = read(other_tasks[task])
    keys = {each.get("data-figure") for each in tree.iter("figure")}
    first = "mae" if task == "regression" else "roc_auc"
    assert {f"forest-{first}", f"sealed-{first}", "leakage", "sites-sealed"} <= keys
    assert select(tree, "p", "missing") == []
    if task == "regression":
        assert "scatter-sealed-regional-logistic" in keys
        assert "better than always giving the same" in section(tree, "conclusion")
    else:
        assert {f"roc-sealed, {name} against the rest" for name in ("CN", "AD")} <= keys
        assert "CN, MCI and AD" in section(tree, "data")


@pytest.mark.parametrize("name", ["leaky", "sealed"])
def test_a_kind_of_split_that_was_not_run_is_said_to_be_absent(whole, name):
    left = tuple(s for s in whole.strategies if not getattr(s, name))
    lacking = dataclasses.replace(whole, predictions=None, strategies=left)
    tree = lxml.html.document_fromstring(render_report(lacking))
    words = {"leaky": "ran no leaky split", "sealed": "sealed no test group"}[name]
    anchor = {"leaky": "leakage", "sealed": "sealed"}[name]
    assert words in section(tree, anchor)
    assert [s.get("id") for s in tree.iter("section")] == SECTIONS


def test_another_test_image_is_told_where_people_are(whole, tree):
    image = {"data_type": "t1_linear", "suffix": "T1w", "with_entities": {"desc": "B"}}
    info = {**whole.info, "cohort": {"test_image": image}}
    lacking = dataclasses.replace(whole, predictions=None, info=info)
    told = section(lxml.html.document_fromstring(render_report(lacking)), "data")
    assert "tested on another one: t1_linear/*_T1w with desc-B." in told
    assert "tested on another one" not in section(tree, "data")


def test_an_unfinished_benchmark_is_said_to_be_so(whole):
    info = {**whole.info, "finished": None}
    lacking = dataclasses.replace(whole, predictions=None, info=info)
    tree = lxml.html.document_fromstring(render_report(lacking))
    assert "Not finished." in tree.find("body/header").text_content()
    assert "not finished" in section(tree, "conclusion")


@pytest.mark.parametrize(
    ("site", "words"), [(None, "Sites were not recorded"), ("a", "one site (a)")]
)
def test_without_several_sites_nothing_is_shown_per_site(whole, site, words):
    predictions = whole.predictions.assign(site=site)
    found = sites.build(dataclasses.replace(whole, predictions=predictions))
    assert words in found.missing[0]


@pytest.mark.parametrize(
    ("absent", "anchor", "words"),
    [
        ("statistics", "estimates", "No statistics yet"),
        ("statistics", "sealed", "has not been evaluated"),
        ("statistics", "conclusion", "no estimate from an honest split"),
        ("predictions", "curves", "no predictions"),
        ("predictions", "sites", "no predictions"),
        ("fold_metrics", "estimates", "ROC AUC"),
        ("audit", "splits", "not audited"),
        ("balance", "splits", "The splits"),
        ("flow", "data", "not recorded"),
        ("cohort", "data", "cohort.tsv"),
        ("failures", "runs", "No run failed"),
        ("runs", "runs", "No finished run"),
        ("info", "runs", "not recorded"),
        ("config", "runs", "regional-logistic"),
    ],
)
def test_any_table_may_be_absent(whole, absent, anchor, words):
    # Predictions make the page slow, and few sections look at them.
    lacking = {"predictions": None, absent: {"info": {}, "config": ""}.get(absent)}
    page = render_report(dataclasses.replace(whole, **lacking))
    tree = lxml.html.document_fromstring(page)
    assert words in section(tree, anchor)
    assert [s.get("id") for s in tree.iter("section")] == SECTIONS


@pytest.mark.parametrize(
    "name", ["benchmark.json", "statistics.tsv", "predictions.tsv"]
)
def test_one_file_is_enough(benchmark_dir, tmp_path, name):
    shutil.copy(benchmark_dir / name, tmp_path)
    tree = read(write_report(tmp_path))
    assert [s.get("id") for s in tree.iter("section")] == SECTIONS


def test_estimates_that_failed_are_said_to_be_so(whole):
    table = whole.statistics.copy()
    table.loc[table["model"] == "cnn", ["value", "low", "high", "p_value"]] = np.nan
    lacking = dataclasses.replace(whole, predictions=None, statistics=table)
    text = section(lxml.html.document_fromstring(render_report(lacking)), "sealed")
    assert "not estimable" in text
    assert "no interval" in text


def test_a_table_with_a_header_alone_is_no_error(whole):
    names = ("flow", "audit", "balance", "failures", "fold_metrics", "statistics")
    empty = {name: getattr(whole, name).iloc[:0] for name in names}
    page = render_report(dataclasses.replace(whole, predictions=None, **empty))
    tree = lxml.html.document_fromstring(page)
    assert [s.get("id") for s in tree.iter("section")] == SECTIONS
    assert "No leak and no imbalance" in section(tree, "splits")


def test_colours_have_enough_contrast():
    css = Path(write_report.__code__.co_filename).parent / "templates" / "style.css"
    light, dark = _variables(css.read_text(encoding="utf-8"))
    for colours in (light, light | dark):
        for ground in ("paper", "ground", "may-ground", "not-ground", "note-ground"):
            for ink in ("ink", "muted", "accent", "may", "not", "note"):
                ratio = _contrast(colours[ink], colours[ground])
                assert ratio >= 4.5, (ink, ground, ratio)
        for mark in ("m0", "m1", "m2", "m3", "m4", "m5", "b0", "b1"):
            assert _contrast(colours[mark], colours["paper"]) >= 3, mark


def test_plots_and_page_have_one_palette():
    css = Path(write_report.__code__.co_filename).parent / "templates" / "style.css"
    light, _ = _variables(css.read_text(encoding="utf-8"))
    assert {name: light[name] for name in PAINT} == PAINT


def _variables(css: str) -> list[dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", css, re.S)[:2]
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", b)) for b in blocks]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
