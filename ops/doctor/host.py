"""Checks that need no settings: interpreter, libraries, environment."""

import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Mapping

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic_settings import SettingsError

from core.settings import Settings
from core.supervised import NOT_SETTINGS
from fitserve.names import did_you_mean
from ops.doctor.findings import Finding, failed, ok, warning
from ops.settings_errors import settings_sentences

_OLDEST, _TOO_NEW = (3, 11), (3, 14)
_SERVER = ("fastapi", "uvicorn", "celery", "sqlalchemy", "onnxruntime", "polars")
_TRAINER = ("keras", "tensorflow-cpu", "tensorflow")
_OTHERS = ("FITSERVE_URL", *NOT_SETTINGS)
"""Variables of the client and of the supervisor, which are not settings."""


def check_python() -> Finding:
    """Check that fitserve supports this interpreter."""
    version = platform.python_version()
    if _OLDEST <= sys.version_info[:2] < _TOO_NEW:
        return ok("python", f"{version} on {platform.system()} {platform.machine()}.")
    return failed(
        "python",
        f"This is {version}; expected 3.11, 3.12 or 3.13.",
        "Make a virtual environment with one of these, and install fitserve in it.",
    )


def check_versions() -> Finding:
    """Check the libraries; a host that only serves needs no Keras."""
    found = {name: _version(name) for name in (*_SERVER, *_TRAINER)}
    listed = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    if missing := [name for name in _SERVER if not found[name]]:
        fix = "pip install 'fitserve[service]'"
        return failed("versions", f"Missing: {', '.join(missing)}. {listed}.", fix)
    if not found["keras"]:
        fix = "To train on this host: pip install 'fitserve[worker]'"
        return warning("versions", f"No Keras: this host cannot train. {listed}.", fix)
    return ok("versions", f"{listed}.")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_settings(error: ValidationError | SettingsError | None) -> Finding:
    """Check the settings; name a wrong variable, but do not show its value."""
    if error is None:
        return ok("settings", "Every FITSERVE_ variable has a valid value.")
    detail = str(error)  # the value of a list is not JSON
    if isinstance(error, ValidationError):
        detail = "; ".join(settings_sentences(error))
    return failed("settings", detail, "See docs/settings.md for the values of each one.")


def check_names(environment: Mapping[str, str]) -> Finding:
    """Check that every FITSERVE_ variable is a setting, to find misspelt names."""
    known = {*_names(Settings, "FITSERVE_"), *_OTHERS}
    strays = sorted(
        name
        for name in environment
        if name.startswith("FITSERVE_") and name.upper() not in known
    )
    if not strays:
        return ok("environment", "All FITSERVE_ variables are recognised.")
    hints = "; ".join(f"{name}: {did_you_mean(name, known)}" for name in strays)
    return warning(
        "environment", f"Not settings: {', '.join(strays)}; they are ignored.", hints
    )


def _names(model: type[BaseModel], prefix: str) -> Iterable[str]:
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [name]
        yield from (f"{prefix}{choice}".upper() for choice in choices)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _names(kind, f"{prefix}{name.upper()}__")
