import sys

import pytest

from clinicadl_trust.benchmark.locate import key_lines, line_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TEXT = '''\
name = "a # no comment"  # [no.table]
x.y = 1.5

[a]
b = [1,
  2, {c = "]", d = 3},
]
"q u" = """two
lines = 1"""
z = 1979-05-27T07:32:00.5Z
[[m]]
k = 1
[m.sub]
v = [ [1, 2], [] ]
[[m]]
k = 'C:\\'
[a.e.f]
g = {h = {i = 'x'}, j = [ {name="A"},
  {name="B"} ], k = {}}
'''


def places(value, key=()):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, below in items:
        yield (*key, name)
        if isinstance(below, dict | list):
            yield from places(below, (*key, name))


def test_every_key_has_a_line_and_nothing_else_has():
    assert set(key_lines(TEXT)) == set(places(tomllib.loads(TEXT)))


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("name",), 1),
        (("x", "y"), 2),
        (("a", "b", 2, "d"), 6),
        (("a", "z"), 10),
        (("m", 0, "sub", "v", 1), 14),
        (("m", 1, "k"), 16),
        (("a", "e", "f", "g", "j", 1, "name"), 19),
    ],
)
def test_lines(key, line):
    assert key_lines(TEXT)[key] == line


def test_a_missing_key_is_at_its_table():
    lines = key_lines(TEXT)
    assert line_of(lines, ("a", "e", "f", "absent")) == 17
    assert line_of(lines, ("absent",)) is None
