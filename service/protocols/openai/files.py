"""/v1/files: datasets, as OpenAI's clients upload, list and delete them."""

from typing import Annotated, Literal

from anyio import to_thread
from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import FormData

from core.datasets.repository import DatasetRepository
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer, sentences, shown
from fitserve.specs.parsing import ParsingSpec
from service.auth.scopes import DATASETS
from service.dependencies import (
    CallerDep,
    Datasets,
    ServicesDep,
    WorkspaceDep,
    WriteSession,
)
from service.idempotency import KeyDep, answer_of, once, to_response
from service.problems import InvalidBody
from service.protocols.failures import openai
from service.protocols.openai.file_schemas import (
    FILE_FORM,
    PURPOSE,
    FileDeleted,
    FileRead,
)
from service.protocols.openai.schemas import FAILURES, After, Listing
from service.router import BodyLimit, Router, declare
from service.upload_flow import (
    complete,
    content_of,
    content_response,
    form_of,
    read_or_refused,
    received_part,
    store,
)

router = Router(
    prefix="/v1/files",
    tags=["openai"],
    responses=FAILURES,
    scope=DATASETS,
    errors=openai,
    error_paths=("/v1/files/*",),
)

_FIELDS = ("file", "purpose", "name", *ParsingSpec.model_fields)
_LONGEST_PAGE = 1_000


@router.post("", openapi_extra=FILE_FORM, response_model=FileRead)
@declare(body_limit=BodyLimit.UPLOAD)
async def create_file(
    request: Request, services: ServicesDep, caller: CallerDep, key: KeyDep
) -> Response:
    """Upload a CSV (gzip is accepted) as a dataset.

    Beside OpenAI's `file` and `purpose` the form may hold `name`, and how the CSV shall
    be read. A large one is read by a worker; its status is `uploaded` meanwhile.
    """
    async with form_of(request) as form:
        _check(form)
        async with (
            received_part(services, caller, form, None, ParsingSpec()) as upload,
            once(services, request, key, *content_of(upload)) as claim,
        ):
            answer = claim.answer
            if answer is None:
                dataset_id = await store(services, caller, upload, claim)
                dataset = await read_or_refused(services, caller.workspace, dataset_id)
                made = answer_of(200, FileRead.of(dataset))
                answer = await to_thread.run_sync(complete, services, claim, made)
    return to_response(claim, answer)


def _check(form: FormData) -> None:
    """Refuse what a dataset cannot be: of another purpose, or gone after a while."""
    errors = [
        FieldError(
            pointer=pointer(key),
            detail="this field of the form has no meaning here",
            hint=did_you_mean(key, _FIELDS),
        )
        for key in form
        if key not in _FIELDS
    ]
    if (purpose := form.get("purpose")) != PURPOSE:
        came = "nothing" if purpose is None else shown(purpose)
        detail = f"got {came}; expected {PURPOSE!r}, the one thing a table is for"
        errors.append(FieldError(pointer=pointer("purpose"), detail=detail))
    if errors:
        raise InvalidBody(sentences(errors), errors)


@router.get("")
def list_files(
    datasets: Datasets,
    after: After = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = _LONGEST_PAGE,
    purpose: Annotated[str | None, Query(max_length=100)] = None,
    order: Literal["asc", "desc"] = "desc",
) -> Listing[FileRead]:
    """Datasets by time of upload, at most 1,000 in one page."""
    limit = min(limit, _LONGEST_PAGE)
    if purpose not in (None, PURPOSE):
        return Listing[FileRead].of([], limit)
    is_oldest_first = order == "asc"
    found = datasets.page(
        after, limit + 1, oldest_first=is_oldest_first, with_columns=False
    )
    return Listing[FileRead].of([FileRead.of(dataset) for dataset in found], limit)


@router.get("/{file_id}")
def get_file(file_id: str, datasets: Datasets) -> FileRead:
    """One dataset, by id or by name (the newest upload of that name)."""
    return FileRead.of(datasets.get(file_id))


@router.get("/{file_id}/content", response_class=StreamingResponse)
def get_file_content(
    file_id: str, datasets: Datasets, services: ServicesDep
) -> StreamingResponse:
    """The CSV as it was uploaded."""
    return content_response(services, datasets.get(file_id))


@router.delete("/{file_id}")
def delete_file(
    file_id: str,
    session: WriteSession,
    workspace: WorkspaceDep,
    services: ServicesDep,
) -> FileDeleted:
    """Delete a dataset; 409 while a run that has not ended needs it."""
    dataset = DatasetRepository(session, workspace).get(file_id)
    services.datasets.delete(session, workspace, dataset.id)
    return FileDeleted(id=dataset.id)
