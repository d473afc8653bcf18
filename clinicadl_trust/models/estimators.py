"""Any scikit-learn estimator by its import path, built from a file's options."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator, is_classifier, is_regressor

from clinicadl_trust.exceptions import ConfigError, did_you_mean

__all__ = ["build_estimator", "check_fits", "check_values", "import_estimator"]


def import_estimator(path: object, where: str) -> type[BaseEstimator]:
    """Import an estimator's class.

    Parameters
    ----------
    path : str
        Its import path, ``sklearn.linear_model.LogisticRegression`` or that of
        another package's class with scikit-learn's methods.
    where : str
        The key it stands under, for messages.

    Raises
    ------
    ConfigError
        If there is no such class; the nearest ones are named.
    """
    if not isinstance(path, str) or not path:
        raise ConfigError(
            f"{where} needs a 'name', an import path such as "
            f"'sklearn.linear_model.LogisticRegression'; got {path!r}."
        )
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise ConfigError(
            f"{where}.name is '{path}', which is no import path.{_suggest(name)}"
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{where}.name is '{path}', but there is no module '{error.name}'."
            f"{_suggest(name) if module_name.startswith('sklearn') else ''} Correct "
            "the path, or install the package that has it."
        ) from error
    except Exception as error:  # whatever a third party's import may raise
        raise ConfigError(
            f"{where}.name is '{path}', whose module fails to import: "
            f"{type(error).__name__}: {error}."
        ) from error
    kind = getattr(module, name, None)
    if kind is None:
        raise ConfigError(
            f"{where}.name is '{path}', but '{module_name}' has no '{name}'."
            f"{_suggest(name, module)}"
        )
    missing = [m for m in ("fit", "get_params", "set_params") if not hasattr(kind, m)]
    if not inspect.isclass(kind) or missing:
        raise ConfigError(
            f"{where}.name is '{path}', which is no estimator: it has no "
            f"{' nor '.join(missing) or 'class'}. Name a class with scikit-learn's "
            "methods."
        )
    return kind


def build_estimator(
    options: Mapping[str, Any] | str, where: str, seed: int = 0
) -> BaseEstimator:
    """Build an estimator.

    Parameters
    ----------
    options : mapping or str
        ``name``, its import path, and its parameters; a parameter that is a mapping
        with a ``name`` is an estimator too. A str is the name alone.
    where : str
        The key it stands under, for messages.
    seed : int, default=0
        Given to ``random_state`` where there is one that is not set.

    Raises
    ------
    ConfigError
        If the class does not exist, or a parameter is unknown or has a wrong value.
    """
    given: dict[str, Any]
    given = {"name": options} if isinstance(options, str) else dict(options)
    kind = import_estimator(given.pop("name", None), where)
    known = _parameters(kind)
    for key, value in given.items():
        if key not in known:
            raise ConfigError(
                f"Unknown key '{key}' under {where}: {kind.__name__} has no such "
                f"parameter.{did_you_mean(key, known)}"
            )
        if isinstance(value, Mapping) and "name" in value:
            given[key] = build_estimator(value, f"{where}.{key}", seed)
    if "random_state" in known:
        given.setdefault("random_state", seed)
    try:
        estimator = kind(**given)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from error
    check_values(estimator, where)
    return estimator


def check_values(estimator: BaseEstimator, where: str) -> None:
    """Check parameters' values before anything is fitted, as scikit-learn does then.

    Parameters
    ----------
    estimator : estimator or Pipeline
        An estimator that does not check its values is passed over.
    where : str
        The key it stands under, for messages.

    Raises
    ------
    ConfigError
        If a value is refused; the message says which are accepted.
    """
    parts = [step for _, step in getattr(estimator, "steps", [("", estimator)])]
    for part in parts:
        if not hasattr(part, "_parameter_constraints"):
            continue
        try:
            part._validate_params()
        except (ValueError, TypeError) as error:
            raise ConfigError(f"{where}: {error}") from error


def check_fits(estimator: BaseEstimator, kind: str, where: str) -> None:
    """Check that an estimator predicts what the task asks for.

    Raises
    ------
    ConfigError
        If it is a regressor and the task a classification, or the reverse, or it
        gives neither probabilities nor decision values.
    """
    name = type(estimator).__name__
    right = is_classifier if kind == "classification" else is_regressor
    if not right(estimator):
        wanted = "classifier" if kind == "classification" else "regressor"
        raise ConfigError(
            f"{where} is {name}, not a {wanted}, and the label asks for a {kind}. "
            f"Name a {wanted}, or another label."
        )
    methods = ("predict_proba", "decision_function")
    if kind == "classification" and not any(hasattr(estimator, m) for m in methods):
        raise ConfigError(
            f"{where} is {name}, which gives neither probabilities (predict_proba) nor "
            "decision values (decision_function), so it has no score. Name another."
        )


def _parameters(kind: type[BaseEstimator]) -> list[str]:
    """Return the parameters' names, by the signature as scikit-learn does."""
    parameters = inspect.signature(kind).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):  # xgboost and its like
        return sorted(kind().get_params())
    return [p.name for p in parameters]


def _estimators_in(module: Any) -> dict[str, str]:
    return {
        name: f"{module.__name__}.{name}"
        for name, value in vars(module).items()
        if inspect.isclass(value) and hasattr(value, "fit") and name[0] != "_"
    }


def _suggest(name: str, module: Any = None) -> str:
    """Name the nearest estimators of a module and of all of scikit-learn.

    It imports all of scikit-learn: for messages only.
    """
    import sklearn

    known = {} if module is None else _estimators_in(module)
    for info in pkgutil.iter_modules(sklearn.__path__):
        if info.ispkg and not info.name.startswith(("_", "externals", "tests")):
            found = _estimators_in(importlib.import_module(f"sklearn.{info.name}"))
            known = {**found, **known}
    folded = {key.lower(): path for key, path in known.items()}
    near = difflib.get_close_matches(name.lower(), folded, n=2, cutoff=0.7)
    if name.lower() in folded:
        near = near[:1]
    hint = " or ".join(f"'{folded[key]}'" for key in near)
    return f" Did you mean {hint}?" if near else ""
