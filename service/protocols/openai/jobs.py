"""/v1/fine_tuning/jobs: runs, in OpenAI's format."""

import re
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import Request, Response

from core.errors import BadRequest, DatasetNotFound
from core.idempotency.claims import Answer, Claim
from core.keys.caller import Caller
from core.runs.search import RunFilter
from core.runs.serialize import run_to_schema
from fitserve.names import NAME_PATTERN
from fitserve.problems import FieldError, pointer, shown
from fitserve.specs.run import RunCreate
from service.auth.scopes import RUNS
from service.bodies import body_schema, read_json, validate
from service.dependencies import (
    CallerDep,
    Limit,
    Runs,
    ServicesDep,
    WorkspaceDep,
    WriteSession,
)
from service.idempotency import KeyDep, answer_of, once, to_response
from service.problems import InvalidBody
from service.protocols.failures import openai
from service.protocols.openai.events import EventRead, events
from service.protocols.openai.job_create import JobCreate
from service.protocols.openai.job_read import (
    CheckpointRead,
    JobRead,
    checkpoints,
    job_read,
)
from service.protocols.openai.schemas import FAILURES, After, ErrorRead, Listing
from service.protocols.openai.translation import Translation, translate
from service.router import Router
from service.services import Services
from service.upload_flow import MAX_WAIT, wait_until_read

router = Router(
    prefix="/v1/fine_tuning/jobs",
    tags=["openai"],
    responses=FAILURES,
    scope=RUNS,
    errors=openai,
    error_paths=("/v1/fine_tuning", "/v1/fine_tuning/*"),
)

_MOST_FILTERS = 16
_FILTER = re.compile(r"metadata\[(.*)\]\Z", re.DOTALL)
_FILTERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "style": "deepObject",
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            "description": "Tags as `metadata[name]=value`; a run must have all of them.",
        }
    ]
}


@router.post("", openapi_extra=body_schema(JobCreate), response_model=JobRead)
async def create_job(
    request: Request, services: ServicesDep, caller: CallerDep, key: KeyDep
) -> Response:
    """Create a run. Waits up to a minute for a file that a worker still reads."""
    body = await read_json(request)
    job = validate(JobCreate, body)
    mapped = translate(job)
    spec = mapped.run_create()
    async with once(services, request, key, body) as claim:
        answer = claim.answer
        if answer is None:
            for field in ("training_file", "validation_file"):
                ref = getattr(job, field)
                await _wait_for(services, caller.workspace, field, ref)
            create = partial(_create, services, caller, mapped, spec, claim)
            answer = await to_thread.run_sync(create)
    return to_response(claim, answer)


async def _wait_for(
    services: Services, workspace: str, key: str, ref: str | None
) -> None:
    if ref is None:
        return
    try:
        await wait_until_read(services, workspace, ref, MAX_WAIT)
    except DatasetNotFound as error:
        error.errors = [FieldError(pointer=pointer(key), detail=error.detail)]
        raise


def _create(
    services: Services, caller: Caller, mapped: Translation, spec: RunCreate, claim: Claim
) -> Answer:
    with mapped.pointing(), services.database.read() as session:
        resolved = services.runs.prepare(session, caller, spec)
    with mapped.pointing(), services.database.write() as session:
        run = services.runs.create(session, caller, resolved, spec.webhook)
        job = job_read(run)
        return claim.complete(session, answer_of(200, job))


@router.get("", openapi_extra=_FILTERS)
def list_jobs(
    request: Request, runs: Runs, after: After = None, limit: Limit = 20
) -> Listing[JobRead]:
    """List runs, newest first."""
    tags = _filters(request)
    target = tags.pop("target", None)
    found = runs.page(after, limit + 1, RunFilter(tags=tags, target=target))
    return Listing[JobRead].of([job_read(run) for run in found], limit)


def _filters(request: Request) -> dict[str, str]:
    """Return the pairs of `metadata[name]=value` in the query."""
    filters = {}
    for key, value in request.query_params.multi_items():
        name = found[1] if (found := _FILTER.match(key)) else None
        if name is not None and re.fullmatch(NAME_PATTERN, name):
            filters[name] = value
            if len(filters) > _MOST_FILTERS:
                raise InvalidBody(f"Expected at most {_MOST_FILTERS} metadata filters.")
        elif key.startswith("metadata"):
            detail = f"got {shown(key)}; expected `metadata[name]=value`"
            error = FieldError(pointer="#/query/metadata", detail=detail)
            raise InvalidBody(f"{detail}.", [error])
    return filters


@router.get("/{job_id}")
def get_job(job_id: str, runs: Runs) -> JobRead:
    """Get a run."""
    return job_read(runs.get(job_id))


@router.get("/{job_id}/events")
def list_job_events(
    job_id: str, runs: Runs, after: After = None, limit: Limit = 20
) -> Listing[EventRead]:
    """List the events of a run, such as its epochs, the latest first."""
    run = run_to_schema(runs.get(job_id))
    return Listing[EventRead].of(events(runs, run, after, limit + 1), limit)


@router.get("/{job_id}/checkpoints")
def list_job_checkpoints(
    job_id: str, runs: Runs, after: After = None, limit: Limit = 10
) -> Listing[CheckpointRead]:
    """List the checkpoints of a run. A run that ended has at most one."""
    found = checkpoints(run_to_schema(runs.get(job_id)))
    return Listing[CheckpointRead].of(found if after is None else [], limit)


@router.post("/{job_id}/cancel")
def cancel_job(
    job_id: str, session: WriteSession, workspace: WorkspaceDep, services: ServicesDep
) -> JobRead:
    """Cancel a run. A queued run never starts; a running run keeps its best weights."""
    return job_read(services.runs.cancel(session, workspace, job_id))


@router.post("/{job_id}/pause", status_code=400, response_model=ErrorRead)
@router.post(
    "/{job_id}/resume", status_code=400, response_model=ErrorRead, name="resume_job"
)
def pause_job(job_id: str, runs: Runs) -> None:
    """Refuse to pause or resume a run, which is not supported."""
    runs.get(job_id)
    raise BadRequest(
        "A run cannot be paused or resumed. Cancel the run, which keeps its best "
        "weights, and create another job with the same body later."
    )
