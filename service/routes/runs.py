"""/v1/runs."""

import re
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from fastapi import Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AfterValidator

from core.errors import InvalidSpec
from core.idempotency.claims import Answer, Claim
from core.keys.caller import Caller
from core.runs.repository import RunRepository
from core.runs.search import RunFilter
from core.runs.serialize import history_to_schema, run_to_schema
from fitserve.enums import TERMINAL, RunStatus, RunView
from fitserve.names import NAME_PATTERN
from fitserve.schemas.pages import Page
from fitserve.schemas.runs import HistoryRead, RunRead, RunSummary, ValidationRead
from fitserve.specs.parsing import ParsingSpec
from fitserve.specs.run import RunCreate
from fitserve.specs.run_update import RunUpdate
from service.auth.scopes import RUNS
from service.bodies import body_schema, parse_spec, read_json, validate
from service.dependencies import (
    CallerDep,
    Cursor,
    Limit,
    Runs,
    ServicesDep,
    WorkspaceDep,
    WriteSession,
)
from service.events import run_events
from service.idempotency import KeyDep, answer_of, once, to_response
from service.router import BodyLimit, Router, declare
from service.run_limited import run_limited
from service.services import Services
from service.upload_flow import (
    content_of,
    for_one_run,
    form_of,
    is_multipart,
    received_part,
    store,
)

router = Router(prefix="/v1/runs", tags=["runs"], scope=RUNS)

Listed = TypeVar("Listed", RunRead, RunSummary)

_FORM = {
    "type": "object",
    "properties": {
        "spec": {"type": "string", "description": "A RunCreate as JSON."},
        "file": {"type": "string", "format": "binary"},
    },
    "required": ["spec", "file"],
}
_MAX_WAIT = 60.0
_MOST_WORDS = 10
_TAG = r"^[A-Za-z0-9][A-Za-z0-9._-]*:"


def _few_words(text: str | None) -> str | None:
    if text is not None and len(text.split()) > _MOST_WORDS:
        raise ValueError(f"at most {_MOST_WORDS} words")
    return text


def _named_value(tag: str | None) -> str | None:
    if tag is not None and not re.match(_TAG, tag):
        raise ValueError("a tag as name:value, such as team:red")
    return tag


SearchText = Annotated[
    str | None,
    Query(
        max_length=200,
        description=f"Up to {_MOST_WORDS} words. All occur in the id, the model, the "
        "target, the dataset, the tags or the notes of the run. Upper and lower case are "
        "alike (SQLite: of A to Z); `%` and `_` have no other meaning.",
    ),
    AfterValidator(_few_words),
]


@router.post(
    "",
    status_code=202,
    openapi_extra=body_schema(RunCreate, ("multipart/form-data", _FORM)),
    response_model=RunRead,
)
@declare(body_limit=BodyLimit.UPLOAD)
async def create(
    request: Request, services: ServicesDep, caller: CallerDep, key: KeyDep
) -> Response:
    """Create a run.

    The body is a RunCreate, or a form with the parts `spec` (a RunCreate) and `file` (a
    CSV). Fails with 422 if the spec is invalid or does not fit the dataset.
    """
    if is_multipart(request):
        return await _create_with_table(request, services, caller, key)
    body = await read_json(request, services.settings.limits.max_body_bytes)
    spec = validate(RunCreate, body)
    async with once(services, request, key, body) as claim:
        answer = claim.answer
        if answer is None:
            answer = await to_thread.run_sync(_create, services, caller, spec, claim)
    return to_response(claim, answer)


async def _create_with_table(
    request: Request, services: Services, caller: Caller, key: str | None
) -> Response:
    async with form_of(request) as form:
        text = form.get("spec")
        if not isinstance(text, str):
            raise InvalidSpec("The form has no part `spec`; send the RunCreate there.")
        body = parse_spec(text.encode(errors="replace"))
        spec = validate(RunCreate, body)
        async with (
            received_part(request, form, spec.dataset, ParsingSpec()) as upload,
            once(services, request, key, body, *content_of(upload)) as claim,
        ):
            answer = claim.answer
            if answer is None:
                dataset_id = await store(services, caller, upload, claim)
                spec = spec.model_copy(update={"dataset": dataset_id})
                async with for_one_run(services, caller.workspace, dataset_id):
                    create = partial(_create, services, caller, spec, claim)
                    answer = await to_thread.run_sync(create)
    return to_response(claim, answer)


def _create(services: Services, caller: Caller, spec: RunCreate, claim: Claim) -> Answer:
    with services.database.read() as session:
        resolved = services.runs.prepare(session, caller, spec)
    with services.database.write() as session:
        run = run_to_schema(services.runs.create(session, caller, resolved, spec.webhook))
        return claim.complete(session, answer_of(202, run, f"/v1/runs/{run.id}"))


@router.post("/validate", openapi_extra=body_schema(RunCreate))
async def validate_(
    request: Request, services: ServicesDep, workspace: WorkspaceDep
) -> ValidationRead:
    """Validate a run. Returns the spec with all defaults, and queues nothing."""
    spec = validate(RunCreate, await read_json(request))

    def resolve() -> ValidationRead:
        with services.database.read() as session:
            return services.runs.resolve(session, workspace, spec).to_schema()

    return await to_thread.run_sync(resolve)


@router.get("")
def list_(  # noqa: PLR0913, PLR0917  one parameter per filter
    runs: Runs,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: RunStatus | None = None,
    model: Annotated[str | None, Query(max_length=100)] = None,
    tag: Annotated[
        str | None,
        Query(
            max_length=700,
            description="A tag as `name:value`.",
            json_schema_extra={"pattern": _TAG},
        ),
        AfterValidator(_named_value),
    ] = None,
    target: Annotated[str | None, Query(max_length=1000)] = None,
    text: SearchText = None,
    dataset: Annotated[
        str | None,
        Query(
            pattern=NAME_PATTERN,
            max_length=100,
            description="Only runs that train or validate on a version of this dataset.",
        ),
    ] = None,
    view: Annotated[
        RunView,
        Query(description="`summary` returns what a list shows, without the specs."),
    ] = RunView.FULL,
) -> Page[RunRead] | Page[RunSummary]:
    """List runs, newest first. A run in the list matches all filters."""
    tags = {}
    if tag is not None:
        name, _, value = tag.partition(":")
        tags[name] = value
    words = tuple((text or "").split())
    chosen = RunFilter(status, model, target, tags, words, dataset)
    if view == RunView.SUMMARY:
        return _page(runs.summaries(cursor, limit + 1, chosen), limit)
    found = runs.page(cursor, limit + 1, chosen)
    return _page([run_to_schema(run) for run in found], limit)


def _page(found: list[Listed], limit: int) -> Page[Listed]:
    """Return the first `limit` runs, and the cursor if there are more."""
    items = found[:limit]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{run_id}")
async def get(
    run_id: str,
    services: ServicesDep,
    workspace: WorkspaceDep,
    wait: Annotated[float | None, Query(ge=0, le=3600)] = None,
    prefer: Annotated[str | None, Header(max_length=200)] = None,
) -> RunRead:
    """Get a run.

    `?wait=30` or `Prefer: wait=30` waits up to 30 seconds (60 at most) until the run has
    ended.
    """
    seconds = wait if wait is not None else _preferred_wait(prefer)
    deadline = time.monotonic() + min(seconds, _MAX_WAIT)
    run = await to_thread.run_sync(_read_run, services, workspace, run_id)
    while run.status not in TERMINAL and await services.polling.pause(deadline):
        run = await run_limited(_read_run, services, workspace, run_id)
    return run


def _read_run(services: Services, workspace: str, run_id: str) -> RunRead:
    with services.database.read() as session:
        return run_to_schema(RunRepository(session, workspace).get(run_id))


def _preferred_wait(prefer: str | None) -> float:
    """Return the seconds of the preference `wait` (RFC 7240), or 0."""
    for preference in (prefer or "").split(","):
        name, _, value = preference.strip().partition("=")
        if name.lower() == "wait" and value.isascii() and value.isdigit():
            return float(value[:6])
    return 0.0


@router.get(
    "/{run_id}/history",
    responses={200: {"content": {"text/csv": {}}}},
    response_model=HistoryRead,
    response_model_exclude_none=True,
)
def history(
    run_id: str,
    runs: Runs,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Any:
    """Get the metrics of every epoch. `Accept: text/csv` returns a CSV."""
    read = _history(runs, run_id)
    if "text/csv" in accept:
        return Response(_as_csv(read), media_type="text/csv")
    return read


def _history(runs: RunRepository, run_id: str) -> HistoryRead:
    runs.get(run_id)
    return history_to_schema(runs.epochs(run_id), runs.get(run_id).num_seeds)


def _as_csv(read: HistoryRead) -> str:
    """Return a CSV without quotes: numbers and metric names need none."""
    table = read.table()
    lines = zip(*table.values(), strict=True)
    rows = [["" if cell is None else repr(cell) for cell in line] for line in lines]
    return "".join(",".join(row) + "\n" for row in [list(table), *rows])


def _is_known(run_id: str, runs: Runs) -> None:
    """Raise RunNotFound before the stream begins; later its status cannot change."""
    runs.get(run_id)


@router.get(
    "/{run_id}/events",
    response_class=EventSourceResponse,
    dependencies=[Depends(_is_known)],
)
async def events(
    run_id: str,
    services: ServicesDep,
    workspace: WorkspaceDep,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream epochs and statuses. `Last-Event-ID` resumes after an epoch."""
    after = last_event_id or ""
    seen = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    async for event in run_events(services, workspace, run_id, seen):
        yield event


@router.post("/{run_id}/cancel", status_code=202)
def cancel(
    run_id: str, session: WriteSession, workspace: WorkspaceDep, services: ServicesDep
) -> RunRead:
    """Cancel a run. A queued run never starts; a running run keeps its best weights."""
    return run_to_schema(services.runs.cancel(session, workspace, run_id))


@router.patch("/{run_id}", openapi_extra=body_schema(RunUpdate))
async def update(
    run_id: str, request: Request, services: ServicesDep, workspace: WorkspaceDep
) -> RunRead:
    """Change the tags and the notes of a run, before or after its end.

    Tags that the body does not name stay; null removes a tag, or the notes. The `spec` of
    the run keeps the tags with which the run was created.
    """
    change = validate(RunUpdate, await read_json(request))
    return await to_thread.run_sync(_update, services, workspace, run_id, change)


def _update(
    services: Services, workspace: str, run_id: str, change: RunUpdate
) -> RunRead:
    with services.database.write() as session:
        return run_to_schema(RunRepository(session, workspace).update(run_id, change))
