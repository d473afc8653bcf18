import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from clinicadl_trust.exceptions import RunError
from clinicadl_trust.records import (
    Lineage,
    RunRecord,
    find_records,
    read_lineage,
    record_dir,
    write_json,
)

ENCODER = Lineage(train=("sub-9",), name="encoder")
MODEL = Lineage(("sub-1", "sub-2"), ("sub-3",), (ENCODER,), "cnn")


def test_a_lineage_has_seen_what_its_ancestors_have():
    grandchild = Lineage(("sub-4",), ancestors=(MODEL,))
    assert MODEL.seen == {"sub-1", "sub-2", "sub-3", "sub-9"}
    assert grandchild.seen == MODEL.seen | {"sub-4"}
    assert Lineage().seen == frozenset()


def test_a_lineage_comes_back_from_its_file(tmp_path):
    folder = record_dir(tmp_path, 2)
    assert folder == tmp_path / "training" / "split-2" / "trust"
    write_json(folder / "lineage.json", MODEL)
    assert read_lineage(folder) == MODEL
    assert read_lineage(tmp_path) == MODEL
    assert Lineage.from_dict(asdict(MODEL)) == MODEL


def test_a_run_of_unknown_lineage_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"has 0 lineage\.json.*is unknown"):
        read_lineage(tmp_path)
    for split in (0, 1):
        write_json(record_dir(tmp_path, split) / "lineage.json", MODEL)
    with pytest.raises(RunError, match="has 2"):
        read_lineage(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "3",
        "{}",
        '{"train": []}',
        '{"train": 1, "validation": []}',
        '{"train": "sub-1", "validation": []}',
        '{"train": [], "validation": "sub-1"}',
        '{"train": [], "validation": [1]}',
    ],
)
def test_a_file_that_is_no_lineage_is_refused(tmp_path, content):
    (tmp_path / "lineage.json").write_text(content)
    with pytest.raises(RunError, match=r"lineage\.json' is not a lineage"):
        read_lineage(tmp_path)


def test_records_of_finished_runs_are_found_in_order(tmp_path):
    # A folder above that ends in .partial is nobody's business.
    root = tmp_path / "bench.partial"
    for run in ("b/cnn", "a/cnn", "a/svm.partial"):
        write_json(record_dir(root / run, 0) / "run.json", {})
    (root / "a" / "other" / "training" / "split-0").mkdir(parents=True)
    found = [path.relative_to(root).parts[:2] for path in find_records(root)]
    assert found == [("a", "cnn"), ("b", "cnn")]


def test_json_holds_what_runs_are_made_of(tmp_path):
    record = RunRecord(
        "sites",
        np.int64(0),
        1,
        "cnn",
        3,
        durations={"train": np.float32(1.5)},
        config={"path": Path("a"), "in_shape": np.array([1, 2])},
    )
    path = tmp_path / "deep" / "run.json"
    write_json(path, record)
    content = json.loads(path.read_text())
    assert content["repeat"] == 0 and content["durations"] == {"train": 1.5}
    assert content["config"] == {"path": "a", "in_shape": [1, 2]}
    assert [p.name for p in path.parent.iterdir()] == ["run.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "run.json"
    write_json(path, {"a": 1})
    loop = {}
    loop["loop"] = loop
    with pytest.raises(ValueError, match="Circular"):
        write_json(path, loop)
    assert json.loads(path.read_text()) == {"a": 1}
