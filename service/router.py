"""Routers that declare the required scope, body limit and error format of routes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar, cast

from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from core.settings import Settings
from service.auth.scopes import ReadWrite, RequiredAccess
from service.protocols.failures import ErrorFormat, native, native_with_error

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
ScopeRule = RequiredAccess | ReadWrite | Callable[[Settings], RequiredAccess]
"""A scope for all methods, a scope to read and one to write, or a function."""
_DECLARED = "declared_policy"


class BodyLimit(StrEnum):
    """The setting in `Limits` that limits the body of a POST."""

    JSON = "max_body_bytes"
    UPLOAD = "max_upload_bytes"
    PREDICT = "max_predict_body_bytes"


@dataclass(frozen=True, slots=True)
class RoutePolicy:
    """The required scope, body limit and error format of a route.

    Args:
        scope: the access that a caller needs.
        body_limit: the limit of the body.
        errors: the function that writes errors in the format of the protocol.
        error_paths: globs of paths whose errors have this format, even without a route.
        is_fast: whether `PredictFastPath` answers; the endpoint may then take only path
            parameters and `request`.
        query: further query parameters, which the endpoint reads or refuses itself; None
            if clients may send any.

    """

    scope: ScopeRule
    body_limit: BodyLimit = BodyLimit.JSON
    errors: ErrorFormat = native
    error_paths: tuple[str, ...] = ()
    is_fast: bool = False
    query: tuple[str, ...] | None = ()


class PolicyRoute(APIRoute):
    """A route with the policy of its router."""

    policy: RoutePolicy


class Router(APIRouter):
    """An APIRouter that declares a `RoutePolicy` for its routes.

    `declare` changes the policy of a single endpoint.
    """

    def __init__(
        self,
        *,
        scope: ScopeRule,
        body_limit: BodyLimit = BodyLimit.JSON,
        errors: ErrorFormat = native,
        error_paths: tuple[str, ...] = (),
        is_fast: bool = False,
        query: tuple[str, ...] | None = (),
        **options: Any,
    ) -> None:
        super().__init__(route_class=PolicyRoute, **options)
        self.policy = RoutePolicy(scope, body_limit, errors, error_paths, is_fast, query)

    def add_api_route(
        self, path: str, endpoint: Callable[..., Any], **options: Any
    ) -> None:
        """Add a route as APIRouter does, with the policy of this router."""
        super().add_api_route(path, endpoint, **options)
        cast(PolicyRoute, self.routes[-1]).policy = self.policy


def declare(
    *,
    scope: ScopeRule | None = None,
    body_limit: BodyLimit | None = None,
    errors: ErrorFormat | None = None,
    query: tuple[str, ...] | None = None,
) -> Callable[[Endpoint], Endpoint]:
    """Return a decorator that changes the policy of an endpoint or of a mounted app."""
    given = {"scope": scope, "body_limit": body_limit, "errors": errors, "query": query}
    changes = {name: value for name, value in given.items() if value is not None}

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _DECLARED, changes)
        return endpoint

    return mark


def endpoint_of(route: BaseRoute) -> Any:
    """Return the function of a route, or the app that is mounted."""
    return getattr(route, "endpoint", None) or getattr(route, "app", None)


def policy_of(route: BaseRoute) -> RoutePolicy:
    """Return the policy of a route. Raises RuntimeError if it declares no scope."""
    changes = getattr(endpoint_of(route), _DECLARED, {})
    if isinstance(route, PolicyRoute):
        return replace(route.policy, **changes)
    if "scope" not in changes:
        methods = "/".join(sorted(getattr(route, "methods", None) or ())) or "The mounted"
        raise RuntimeError(
            f"{methods} {getattr(route, 'path', route)} declares no scope. Add it to a "
            "`Router(scope=…)`, or decorate its endpoint with `@declare(scope=…)`; both "
            "are in service/router.py."
        )
    return RoutePolicy(**changes)


def query_names(route: BaseRoute) -> frozenset[str] | None:
    """Return the query parameters of a native route; None if any may be sent.

    Clients of other protocols send parameters of their own, which are ignored.
    """
    if not isinstance(route, PolicyRoute):
        return None
    policy = policy_of(route)
    if policy.query is None or policy.errors not in (native, native_with_error):
        return None
    extra = (route.openapi_extra or {}).get("parameters", [])
    described = [line["name"] for line in extra if line["in"] == "query"]
    return frozenset([*_declared(route.dependant), *described, *policy.query])


def _declared(dependant: Dependant) -> list[str]:
    """Return the query parameters of an endpoint and of its dependencies."""
    own = [field.alias for field in dependant.query_params]
    return own + [name for inner in dependant.dependencies for name in _declared(inner)]


def error_paths_of(routes: Iterable[BaseRoute]) -> dict[str, ErrorFormat]:
    """Return the error format of each glob that the routers declare."""
    policies = [route.policy for route in routes if isinstance(route, PolicyRoute)]
    return {glob: policy.errors for policy in policies for glob in policy.error_paths}
