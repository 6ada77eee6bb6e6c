"""Routes that describe a model: JSON Schema, OpenAPI, code snippets."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Path, Request
from fastapi.responses import PlainTextResponse

from core.models.description import Described, described_schema
from core.models.openapi import openapi_document
from core.models.snippets import client_snippet, python_snippet, shell_snippet
from core.models.tables import Version
from core.models.typescript import typescript_snippet
from fitserve.scopes import Scope
from service.dependencies import Models, caller_of, get_services
from service.router import Router

router = Router(prefix="/v1/models/{name}", tags=["models"], scope=Scope.MODELS_READ)

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def _serving(name: str, request: Request, models: Models) -> None:
    serving = models.serving(name)
    aliases = [a.name for a in models.aliases(name) if a.version_id == serving.id]
    _describe(request, serving, "", aliases)


def _version(name: str, number: Number, request: Request, models: Models) -> None:
    found = models.version(name, number)
    _describe(request, found, f"/versions/{number}")


def _alias(name: str, alias: str, request: Request, models: Models) -> None:
    found = models.aliased(name, alias)
    _describe(request, found, f"/aliases/{alias}")


def _describe(
    request: Request, version: Version, place: str, aliases: Sequence[str] = ()
) -> None:
    settings = get_services(request).settings
    request.state.described = Described(
        signature=version.signature,
        version=version.number,
        server=str(request.base_url).rstrip("/"),
        place=place,
        alias=aliases[0] if aliases else None,
        wants_key=caller_of(request).is_known,
        most_rows=settings.limits.max_predict_rows,
    )


def _described(request: Request) -> Described:
    # absent if a path parameter is invalid; the endpoint is not called then
    found: Described = getattr(request.state, "described", None)  # type: ignore[assignment]
    return found


DescribedDep = Annotated[Described, Depends(_described)]


class Language(StrEnum):
    """The languages of snippets."""

    CURL = "curl"
    PYTHON = "python"
    PYTHON_FITSERVE = "python-fitserve"
    TYPESCRIPT = "typescript"


_WRITERS = {
    Language.CURL: shell_snippet,
    Language.PYTHON: python_snippet,
    Language.PYTHON_FITSERVE: client_snippet,
    Language.TYPESCRIPT: typescript_snippet,
}


def schema(described: DescribedDep) -> dict[str, Any]:
    """Get the JSON Schema (2020-12) of one instance.

    The schema has the categories and ranges of the training rows. `examples` contains a
    training row, and `$defs` contains the schema of a prediction.
    """
    return described_schema(described)


def openapi(described: DescribedDep) -> dict[str, Any]:
    """Get an OpenAPI 3.1 document of the predict route, for client generators."""
    return openapi_document(described)


def snippets(described: DescribedDep) -> dict[Language, str]:
    """Get code that predicts the example row, in every language.

    If the path names neither a version nor an alias, the code names an alias of the
    serving version, if it has one.
    """
    named = described.by_alias
    return {language: write(named) for language, write in _WRITERS.items()}


def snippet(language: Language, described: DescribedDep) -> str:
    """Get code that predicts the example row, in one language, as plain text."""
    return _WRITERS[language](described.by_alias)


_SCHEMA = "The schema. An instance that fits it gets no warnings."
_CODE = "Complete code. It reads FITSERVE_API_KEY if the service needs a key."
_PLACES: dict[str, tuple[str, Callable[..., None]]] = {
    "serving": ("", _serving),
    "version": ("/versions/{number}", _version),
    "alias": ("/aliases/{alias}", _alias),
}

for _kind, (_place, _find) in _PLACES.items():
    for _path, _endpoint, _text in (
        ("/schema", schema, _SCHEMA),
        ("/openapi.json", openapi, "The OpenAPI document."),
        ("/snippets", snippets, _CODE),
    ):
        router.add_api_route(
            _place + _path,
            _endpoint,
            name=f"{_kind}_{_endpoint.__name__}",
            dependencies=[Depends(_find)],
            response_description=_text,
        )
    router.add_api_route(
        _place + "/snippets/{language}",
        snippet,
        name=f"{_kind}_snippet",
        dependencies=[Depends(_find)],
        response_class=PlainTextResponse,
        response_description=_CODE,
    )
