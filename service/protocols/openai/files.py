"""/v1/files: datasets, in OpenAI's format."""

from typing import Annotated, Any, Literal, Self

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.datastructures import FormData

from core.datasets.deletion import delete_dataset
from core.datasets.repository import DatasetRepository
from core.datasets.tables import Dataset
from core.idempotency.claims import Answer
from fitserve.enums import DatasetStatus
from fitserve.names import did_you_mean
from fitserve.problems import FieldError, pointer, sentences, shown
from fitserve.schemas.datasets import DatasetRead
from fitserve.specs.parsing import ParsingSpec
from service.auth.scopes import DATASETS
from service.dependencies import Datasets, ServicesDep, WorkspaceDep, WriteSession
from service.idempotency import KeyDep, answer_of
from service.parsing_options import form_schema
from service.problems import InvalidBody
from service.protocols.failures import openai
from service.protocols.openai.schemas import (
    FAILURES,
    After,
    Identified,
    Listing,
    seconds,
)
from service.router import BodyLimit, Router, declare
from service.upload_flow import content_response, form_of, received_part, upload_once

router = Router(
    prefix="/v1/files",
    tags=["openai"],
    responses=FAILURES,
    scope=DATASETS,
    errors=openai,
    error_paths=("/v1/files/*",),
)

_LONGEST_PAGE = 1_000
_PURPOSE = "fine-tune"
FileStatus = Literal["uploaded", "processed", "error"]

_STATUSES: dict[str, FileStatus] = {
    DatasetStatus.PROCESSING: "uploaded",
    DatasetStatus.READY: "processed",
    DatasetStatus.FAILED: "error",
}
_FORM = form_schema(purpose={"type": "string", "enum": [_PURPOSE]})
_FIELDS = tuple(_FORM["properties"])
_FILE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _FORM}},
    }
}


class FileRead(Identified):
    """A dataset as a file; `id` is the id of the dataset."""

    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: Literal["fine-tune"] = "fine-tune"
    status: FileStatus
    status_details: str | None

    @classmethod
    def of(cls, dataset: Dataset | DatasetRead) -> Self:
        """Return the dataset as a file."""
        return cls(
            id=dataset.id,
            bytes=dataset.num_bytes,
            created_at=seconds(dataset.created_at),
            filename=dataset.filename or f"{dataset.name}.csv",
            status=_STATUSES[dataset.status],
            status_details=dataset.error.detail if dataset.error else None,
        )


class FileDeleted(BaseModel):
    """A deleted dataset."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


@router.post("", openapi_extra=_FILE_FORM, response_model=FileRead)
@declare(body_limit=BodyLimit.UPLOAD)
async def create_file(request: Request, key: KeyDep) -> Response:
    """Upload a CSV as a dataset.

    In addition to OpenAI's `file` and `purpose`, the form may contain `name` and parsing
    options. While a worker reads a large CSV, its status is `uploaded`.
    """
    async with form_of(request) as form:
        _check(form)
        uploading = received_part(request, form, None, ParsingSpec())
        return await upload_once(request, key, uploading, _created)


def _created(dataset: DatasetRead) -> Answer:
    return answer_of(200, FileRead.of(dataset))


def _check(form: FormData) -> None:
    """Raise InvalidBody if the form has unknown fields or another purpose."""
    errors = [
        FieldError(
            pointer=pointer(key),
            detail="this form has no such field",
            hint=did_you_mean(key, _FIELDS),
        )
        for key in form
        if key not in _FIELDS
    ]
    if (purpose := form.get("purpose")) != _PURPOSE:
        received = "nothing" if purpose is None else shown(purpose)
        detail = f"got {received}; expected {_PURPOSE!r}"
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
    """List datasets by time of upload, at most 1,000 in one page."""
    limit = min(limit, _LONGEST_PAGE)
    if purpose not in (None, _PURPOSE):
        return Listing[FileRead].of([], limit)
    is_oldest_first = order == "asc"
    found = datasets.page(
        after, limit + 1, oldest_first=is_oldest_first, with_columns=False
    )
    return Listing[FileRead].of([FileRead.of(dataset) for dataset in found], limit)


@router.get("/{file_id}")
def get_file(file_id: str, datasets: Datasets) -> FileRead:
    """Get a dataset by id, or the newest dataset by name."""
    return FileRead.of(datasets.get(file_id))


@router.get("/{file_id}/content", response_class=StreamingResponse)
def get_file_content(
    file_id: str, datasets: Datasets, services: ServicesDep
) -> StreamingResponse:
    """Download the uploaded CSV, uncompressed."""
    return content_response(services, datasets.get(file_id))


@router.delete("/{file_id}")
def delete_file(
    file_id: str,
    session: WriteSession,
    workspace: WorkspaceDep,
    services: ServicesDep,
) -> FileDeleted:
    """Delete a dataset. Fails with 409 while an unfinished run needs the dataset."""
    dataset = DatasetRepository(session, workspace).get(file_id)
    delete_dataset(session, services.storage, workspace, dataset.id)
    return FileDeleted(id=dataset.id)
