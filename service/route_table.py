"""The route that a request gets, by method and path, and what that route declares.

The request gate, the fast path and the error handlers look here; FastAPI routes all other
requests by itself. Both try the same patterns in the same order.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import translate
from typing import Any

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.convertors import StringConvertor
from starlette.routing import BaseRoute

from core.settings import Settings
from fitserve.problems import Problem
from fitserve.scopes import Scope
from service.auth.scopes import Access, ReadWrite, Wanted
from service.protocols.failures import ErrorDialect, Failure, native
from service.router import ScopeRule, error_paths_of, policy_of

_PARAMETER = re.compile(r"\{[^}]*\}")
_NOTHING = re.compile(r"(?!)")
_MOUNT_METHODS = {"GET"}  # another is refused by the mounted app


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One method of one route.

    Args:
        method: the method.
        path: the template of its paths, as in the OpenAPI document.
        scope: what a caller needs.
        max_bytes: the size of the largest body.
        errors: how a failure is written.
        is_fast: whether `PredictFastPath` answers.
        pattern: what its paths match.
        convert: makes the values of path parameters that are not texts, by name.
        route: FastAPI's route; None if there is none.
        endpoint: the function that answers.

    """

    method: str
    path: str
    scope: Wanted
    max_bytes: int
    errors: ErrorDialect = native
    is_fast: bool = False
    pattern: re.Pattern[str] = _NOTHING
    convert: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    route: BaseRoute | None = None
    endpoint: Any = None


RouteMatch = tuple[RouteEntry, dict[str, Any]]
"""The route of a request, and the texts of its path parameters."""
Exact = dict[str, RouteMatch]
Ends = dict[str, list[RouteEntry]]
"""Routes by the last segment of their paths; "" has those that may end otherwise."""
_NO_ROUTES: tuple[Exact, Ends] = {}, {"": []}


class RouteTable:
    """Every route of an application.

    Raises RuntimeError if a route declares no scope, or if another takes its requests.

    Args:
        app: the application, with all its routes.
        settings: limits of bodies, and settings that open routes.

    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        contexts = list(iter_route_contexts(app.routes))
        self.entries = [e for context in contexts for e in _entries(context, settings)]
        self._error_paths = [
            (re.compile(translate(glob)), errors)
            for glob, errors in error_paths_of(contexts).items()
        ]
        most, no_texts = settings.limits.max_body_bytes, dict[str, Any]()
        self._unknown = RouteEntry("", "", Scope.ADMIN, most), no_texts
        self._open = RouteEntry("", "", Access.OPEN, most), no_texts
        self._refuse_hidden()
        self._by_method = {
            method: _indexed([e for e in self.entries if e.method == method])
            for method in {e.method for e in self.entries}
        }

    def find(self, method: str, path: str) -> RouteMatch:
        """Return the route that takes the request.

        A request without a route needs the scope `admin`. A path with a slash too many
        has the route to which FastAPI redirects it.
        """
        exact, ends = self._by_method.get(method, _NO_ROUTES)
        match = exact.get(path)
        if match is not None:
            return match
        for entry in ends.get(path.rpartition("/")[2], ends[""]):
            if found := entry.pattern.match(path):
                return entry, found.groupdict()
        return self._without_route(method, path)

    def failure(self, problem: Problem, method: str, path: str) -> Failure:
        """Return the problem as the clients of the path read it."""
        return self.dialect(method, path)(problem, method, path)

    def dialect(self, method: str, path: str) -> ErrorDialect:
        """Return the dialect of the path, of its route, or of the closest route."""
        for pattern, errors in self._error_paths:
            if pattern.match(path):
                return errors
        entry, _ = self.find(method, path)
        if entry.route is None:
            entry = self._closest(path) or entry
        return entry.errors

    def _without_route(self, method: str, path: str) -> RouteMatch:
        closest = self._closest(path)
        if closest is not None:  # a route of another method
            return self._open if closest.scope is Access.OPEN else self._unknown
        stripped = path.rstrip("/")
        if stripped == path:
            return self._unknown
        entry, texts = self.find(method, stripped)
        return replace(entry, is_fast=False), texts

    def _closest(self, path: str) -> RouteEntry | None:
        """Return the route, of any method, whose template has most of the path in it."""
        found = [entry for entry in self.entries if entry.pattern.match(path)]
        return max(found, key=lambda e: len(_PARAMETER.sub("", e.path)), default=None)

    def _refuse_hidden(self) -> None:
        for entry in self.entries:
            sample = _PARAMETER.sub("1", entry.path)
            same = (e for e in self.entries if e.method == entry.method)
            first = next(e for e in same if e.pattern.match(sample))
            if first is not entry:
                raise RuntimeError(
                    f"{entry.method} {entry.path} gets no request, because {first.path} "
                    "stands before it and takes them. Change the order of the routes."
                )


def _indexed(entries: list[RouteEntry]) -> tuple[Exact, Ends]:
    """Return the routes of a method: those without and those with path parameters."""
    exact: Exact = {e.path: (e, {}) for e in entries if "{" not in e.path}
    others = [e for e in entries if "{" in e.path]
    ends = {"", *(_end(e.path) for e in others)}
    return exact, {end: [e for e in others if _end(e.path) in ("", end)] for end in ends}


def _end(template: str) -> str:
    """Return the last segment of a template; "" if it holds a parameter."""
    end = template.rpartition("/")[2]
    return "" if "{" in end else end


def _entries(context: RouteContext, settings: Settings) -> Iterator[RouteEntry]:
    policy = policy_of(context)
    methods = set(context.methods or _MOUNT_METHODS)
    for method in sorted(methods | ({"HEAD"} if "GET" in methods else set())):
        yield RouteEntry(
            method=method,
            path=context.path_format or "",
            scope=_scope(policy.scope, method, settings),
            max_bytes=getattr(settings.limits, policy.body_limit),
            errors=policy.errors,
            is_fast=policy.is_fast,
            pattern=context.path_regex,
            convert={
                name: convertor.convert
                for name, convertor in context.param_convertors.items()
                if not isinstance(convertor, StringConvertor)
            },
            route=context.original_route,
            endpoint=context.endpoint,
        )


def _scope(rule: ScopeRule, method: str, settings: Settings) -> Wanted:
    if isinstance(rule, ReadWrite):
        return rule.needed_by(method)
    return rule if isinstance(rule, Wanted) else rule(settings)
