"""Find the route of a request by method and path, with the policy of that route.

The request gate, the fast path and the error handlers use this table; FastAPI routes all
other requests. Both try the same patterns in the same order.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import translate
from typing import Any, cast

from starlette.convertors import StringConvertor
from starlette.routing import BaseRoute, Mount, Route

from core.settings import Settings
from fitserve.problems import Problem
from fitserve.scopes import Scope
from service.auth.scopes import Access, ReadWrite, RequiredAccess
from service.protocols.failures import ErrorFormat, Failure, native
from service.router import ScopeRule, endpoint_of, error_paths_of, policy_of, query_names

_PARAMETER = re.compile(r"\{[^}]*\}")
_NOTHING = re.compile(r"(?!)")
_MOST_KNOWN, _LONGEST_KNOWN = 1_000, 300
"""The most paths that are remembered, and their greatest length: clients choose paths."""
_MOUNT_METHODS = {"GET"}  # the mounted app refuses every other method


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One method of one route.

    Args:
        method: the HTTP method.
        path: the path template, as in the OpenAPI document.
        scope: the access that a caller needs.
        max_bytes: the size of the largest body.
        errors: the function that writes errors in the format of the protocol.
        is_fast: whether `PredictFastPath` answers.
        pattern: the regular expression that its paths match.
        convert: functions that convert path parameters other than strings, by name.
        route: FastAPI's route; None for a request without a route.
        endpoint: the function that handles the request.
        query: the names of its query parameters; None if any may be sent.

    """

    method: str
    path: str
    scope: RequiredAccess
    max_bytes: int
    errors: ErrorFormat = native
    is_fast: bool = False
    pattern: re.Pattern[str] = _NOTHING
    convert: dict[str, Callable[[str], Any]] = field(default_factory=dict)
    route: BaseRoute | None = None
    endpoint: Any = None
    query: frozenset[str] | None = None


RouteMatch = tuple[RouteEntry, dict[str, Any]]
"""The route of a request, and its path parameters as strings."""
Exact = dict[str, RouteMatch]
Ends = dict[str, list[RouteEntry]]
"""Routes by the last segment of their paths; "" holds those that end in a parameter."""
_NO_ROUTES: tuple[Exact, Ends] = {}, {"": []}


class RouteTable:
    """Every route of an application.

    The table reads the routers, because FastAPI takes 0.1 s to prepare the routes of an
    application, and otherwise does so at the first request.

    Raises RuntimeError if a route declares no scope, or can never be reached.

    Args:
        routes: the routes of every router, and those of the application itself.
        settings: the body limits, and the settings on which scopes depend.

    """

    def __init__(self, routes: Sequence[BaseRoute], settings: Settings) -> None:
        self.entries = [e for route in routes for e in _entries(route, settings)]
        self._error_paths = [
            (re.compile(translate(glob)), errors)
            for glob, errors in error_paths_of(routes).items()
        ]
        max_bytes, no_params = settings.limits.max_body_bytes, dict[str, Any]()
        self._unknown = RouteEntry("", "", Scope.ADMIN, max_bytes), no_params
        self._open = RouteEntry("", "", Access.OPEN, max_bytes), no_params
        self._fast: dict[tuple[str, str], RouteMatch] = {}
        self._refuse_unreachable()
        self._by_method = {
            method: _indexed([e for e in self.entries if e.method == method])
            for method in {e.method for e in self.entries}
        }

    def find(self, method: str, path: str) -> RouteMatch:
        """Return the route of a request, and its path parameters.

        A request without a route needs the scope `admin`. A path with an extra slash at
        its end has the route to which FastAPI redirects it.
        """
        known = self._fast.get((method, path))
        if known is not None:
            return known[0], known[1].copy()
        exact, ends = self._by_method.get(method, _NO_ROUTES)
        match = exact.get(path)
        if match is not None:
            return match
        for entry in ends.get(path.rpartition("/")[2], ends[""]):
            if found := entry.pattern.match(path):
                match = entry, found.groupdict()
                self._remember(method, path, match)
                return match
        return self._without_route(method, path)

    def _remember(self, method: str, path: str, match: RouteMatch) -> None:
        """Remember the match of a fast route, whose few paths are requested often."""
        if match[0].is_fast and len(path) <= _LONGEST_KNOWN:
            if len(self._fast) >= _MOST_KNOWN:
                self._fast.clear()
            self._fast[method, path] = match[0], match[1].copy()

    def failure(self, problem: Problem, method: str, path: str) -> Failure:
        """Return the problem in the error format of the path."""
        return self.error_format(method, path)(problem, method, path)

    def error_format(self, method: str, path: str) -> ErrorFormat:
        """Return the error format of the path, its route, or the closest route."""
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
        entry, params = self.find(method, stripped)
        return replace(entry, is_fast=False), params

    def _closest(self, path: str) -> RouteEntry | None:
        """Return the matching route, of any method, with the longest literal template."""
        found = [entry for entry in self.entries if entry.pattern.match(path)]
        return max(found, key=lambda e: len(_PARAMETER.sub("", e.path)), default=None)

    def _refuse_unreachable(self) -> None:
        for entry in self.entries:
            sample = _PARAMETER.sub("1", entry.path)
            same = (e for e in self.entries if e.method == entry.method)
            first = next(e for e in same if e.pattern.match(sample))
            if first is not entry:
                raise RuntimeError(
                    f"{entry.method} {entry.path} is never reached, because {first.path} "
                    "is declared earlier and matches too. Change the order of the routes."
                )


def _indexed(entries: list[RouteEntry]) -> tuple[Exact, Ends]:
    """Return a method's routes without path parameters, and those with parameters."""
    exact: Exact = {e.path: (e, {}) for e in entries if "{" not in e.path}
    others = [e for e in entries if "{" in e.path]
    ends = {"", *(_end(e.path) for e in others)}
    return exact, {end: [e for e in others if _end(e.path) in ("", end)] for end in ends}


def _end(template: str) -> str:
    """Return the last segment of a template, or "" if it contains a parameter."""
    end = template.rpartition("/")[2]
    return "" if "{" in end else end


def _entries(route: BaseRoute, settings: Settings) -> Iterator[RouteEntry]:
    policy = policy_of(route)
    route = cast(Route | Mount, route)  # `policy_of` refuses every other kind
    methods = set(getattr(route, "methods", None) or _MOUNT_METHODS)
    query = query_names(route)
    for method in sorted(methods | ({"HEAD"} if "GET" in methods else set())):
        yield RouteEntry(
            method=method,
            path=route.path_format,
            scope=_scope(policy.scope, method, settings),
            max_bytes=getattr(settings.limits, policy.body_limit),
            errors=policy.errors,
            is_fast=policy.is_fast,
            pattern=route.path_regex,
            convert={
                name: convertor.convert
                for name, convertor in route.param_convertors.items()
                if not isinstance(convertor, StringConvertor)
            },
            route=route,
            endpoint=endpoint_of(route),
            query=query,
        )


def _scope(rule: ScopeRule, method: str, settings: Settings) -> RequiredAccess:
    if isinstance(rule, ReadWrite):
        return rule.needed_by(method)
    return rule if isinstance(rule, RequiredAccess) else rule(settings)
