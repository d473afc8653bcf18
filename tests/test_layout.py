"""The package's own rules, which no linter knows."""

import ast
from functools import cache
from pathlib import Path

import pytest

import clinicadl_trust
from clinicadl_trust.plugins import registered

ROOT = Path(clinicadl_trust.__file__).parent
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))
COMMANDS = sorted(
    plugin.value.partition(":")[0].removeprefix("clinicadl_trust.cli.")
    for plugin in registered()
    if plugin.kind == "commands" and plugin.distribution == "clinicadl-trust"
)

#: What a command may not import before it is called.
SLOW = {"clinicadl", "clinica", "matplotlib", "nibabel", "nilearn", "numpy", "pandas"}
SLOW |= {"plotly", "scipy", "sklearn", "statsmodels", "torch"}


@cache
def parse(name):
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def public_functions(tree):
    """Yield public functions and methods of public classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name[0] != "_":
                    yield method


def top_level_names(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from (t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((a.asname or a.name).partition(".")[0] for a in node.names)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def exported(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        ):
            return ast.literal_eval(node.value)
    return None


def offers_what_it_says(name):
    tree = parse(name)
    if Path(name).name == "__main__.py" or not any(public_functions(tree)):
        return True
    offered = exported(tree)
    return (
        offered is not None
        and len(set(offered)) == len(offered)
        and set(offered) <= set(top_level_names(tree))
    )


def test_a_module_says_what_it_is_and_what_it_offers():
    assert [n for n in FILES if not ast.get_docstring(parse(n))] == [], "no docstring"
    wrong = [name for name in FILES if not offers_what_it_says(name)]
    assert wrong == [], "__all__ is absent, names something twice, or what is not there"


def is_no_logic(node):
    if isinstance(node, ast.ImportFrom):
        return node.names[0].name != "*"
    if isinstance(node, ast.Assign):
        return [ast.unparse(target) for target in node.targets] == ["__all__"]
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Import)


def test_an_init_holds_imports_and_no_logic():
    logic = [
        (name, ast.unparse(node))
        for name in FILES
        if name.endswith("/__init__.py")
        for node in parse(name).body
        if not is_no_logic(node)
    ]
    assert logic == []


def imported(node):
    """Return the packages that a statement imports."""
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    return {name.partition(".")[0] for name in names}


def test_a_command_imports_nothing_slow_before_it_is_called():
    assert COMMANDS
    slow = [
        (name, ast.unparse(node))
        for name in ["main", *COMMANDS]
        for node in parse(f"cli/{name}.py").body
        if imported(node) & SLOW
    ]
    assert slow == []


def undocumented_errors(name):
    """Yield the public functions of a module that raise what they do not tell."""
    for function in public_functions(parse(name)):
        raised = {
            node.exc.func.id
            for node in ast.walk(function)
            if isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and isinstance(node.exc.func, ast.Name)
            and node.exc.func.id.endswith("Error")
        }
        doc = ast.get_docstring(function) or ""
        decorated = any("command" in ast.unparse(d) for d in function.decorator_list)
        if not decorated and raised and "Raises\n------" not in doc:
            yield name, function.name, sorted(raised)


def test_an_error_that_is_raised_is_documented():
    assert [each for name in FILES for each in undocumented_errors(name)] == []


def test_docstrings_follow_numpydoc():
    hooks = pytest.importorskip("numpydoc.hooks.validate_docstrings")
    config = {
        "checks": {"GL06", "GL07", "PR02", "PR03"},
        "exclude": set(),
        "overrides": {},
        "exclude_files": set(),
    }
    wrong = [
        (place, code, text)
        for name in FILES
        for place, item, code, text in hooks.process_file(str(ROOT / name), config)
        # A class's arguments may be a dataclass's fields, which this cannot see.
        if item.rpartition(".")[2][:1].islower()
    ]
    assert wrong == []


def test_every_entry_point_of_ours_names_something_that_is_there():
    for plugin in registered():
        if plugin.distribution == "clinicadl-trust":
            module, _, attribute = plugin.value.partition(":")
            assert module.startswith("clinicadl_trust.")
            path = module.removeprefix("clinicadl_trust.").replace(".", "/") + ".py"
            assert path in FILES, plugin.value
            assert attribute in top_level_names(parse(path)), plugin.value
