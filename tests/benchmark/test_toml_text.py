import sys

import pytest

from clinicadl_trust.benchmark.toml_text import toml_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.mark.parametrize(
    "content",
    [
        {"a": 1, "b": -2.5, "c": 1e-05, "d": float("inf"), "e": True, "f": "x"},
        {"text": 'quote " back \\ line\nbreak tab\t é \x7f \x01 \u2028 #'},
        {"list": [1, [2, []], {"a": {"b": "c"}}, "relu", {}]},
        {"splits": {"a b": {"x": 1}, "c": {}}, "last": 1},
        {"models": {"m": {"network": {"act": ["relu", {"inplace": False}]}}}},
        {"cohort": {"label": "x", "generate": {"sites": 2}, "image": "T1Linear"}},
        {},
    ],
)
def test_reads_back_equal(content):
    assert tomllib.loads(toml_text(content)) == content


def test_is_laid_out_for_a_reader():
    text = toml_text({"name": "n", "models": {"m": {"type": "t", "o": {"lr": 0.1}}}})
    assert text == 'name = "n"\n\n[models.m]\ntype = "t"\no = { lr = 0.1 }\n'
