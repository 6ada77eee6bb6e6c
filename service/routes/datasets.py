"""/v1/datasets."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import FormData, UploadFile

from core.datasets.repository import DatasetRepository
from core.datasets.service import Upload
from core.datasets.tables import Dataset
from core.errors import AsTold, InvalidTable
from fitserve.names import NAME_PATTERN, to_name
from fitserve.schemas.datasets import DatasetRead, RowsRead
from fitserve.schemas.pages import Page
from fitserve.specs.parsing import ParsingSpec
from fitserve.statuses import DatasetStatus
from service import uploads
from service.dependencies import (
    Cursor,
    Limit,
    ReadSession,
    ServicesDep,
    WriteSession,
)
from service.downloads import file_response
from service.parsing_options import ParsingDep, from_form
from service.services import Services

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

NameQuery = Annotated[
    str | None, Query(pattern=NAME_PATTERN, min_length=1, max_length=100)
]
_CSV = {"type": "string", "format": "binary"}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": _CSV},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": _CSV,
                        "name": {"type": "string"},
                        **ParsingSpec.model_json_schema()["properties"],
                    },
                    "required": ["file"],
                }
            },
        },
    }
}

_POLL_SECONDS = 0.2
MAX_WAIT = 60.0
_PATIENCE = 10.0
"""How long the answer to an upload waits for a worker that reads it, in seconds."""


@router.post("", status_code=201, openapi_extra=_UPLOAD)
async def create(
    request: Request,
    response: Response,
    services: ServicesDep,
    parsing: ParsingDep,
    name: NameQuery = None,
    filename: Annotated[str | None, Query(max_length=255)] = None,
) -> DatasetRead:
    """Upload a CSV (gzip is accepted) as multipart `file` or as the body itself.

    A large one is read by a worker. If that takes more than some seconds, `status` is
    `processing`; ask for it with `?wait=30`.
    """
    if is_multipart(request):
        async with request.form(max_files=1, max_fields=200) as form:
            dataset = await store_part(services, form, name, parsing)
    else:
        stream = request.stream()
        dataset = await _store(services, stream, name, filename, parsing)
    response.headers["Location"] = f"/v1/datasets/{dataset.id}"
    read = await wait_until_read(services, dataset.id, _PATIENCE)
    if read.error is not None:
        await to_thread.run_sync(_delete, services, dataset.id)
        raise AsTold(read.error)
    return read


def _delete(services: Services, ref: str) -> None:
    with services.database.write() as session:
        services.datasets.delete(session, ref)


def is_multipart(request: Request) -> bool:
    """Whether the body comes in parts."""
    kind = request.headers.get("content-type", "")
    return kind.lower().startswith("multipart/form-data")


async def store_part(
    services: Services, form: FormData, name: str | None, parsing: ParsingSpec
) -> Dataset:
    """Store the part `file` of a form; InvalidTable if it has none."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InvalidTable("The form has no part `file`; send the CSV under that name.")
    given = name or form.get("name")
    label = given if isinstance(given, str) and given else None
    options = from_form(form, parsing)
    return await _store(services, uploads.chunks_of(file), label, file.filename, options)


async def _store(
    services: Services,
    chunks: AsyncIterator[bytes],
    name: str | None,
    filename: str | None,
    parsing: ParsingSpec,
) -> Dataset:
    label = _label(filename)
    stem = Path(label or "").name.removesuffix(".gz").removesuffix(".csv")
    with services.storage.scratch() as folder:
        source = folder / "content.csv"
        limit = services.settings.limits.max_upload_bytes
        digest = await uploads.receive(chunks, source, limit)
        upload = Upload(source, digest, to_name(name or stem, "dataset"), label, parsing)
        return await to_thread.run_sync(services.datasets.create, upload)


def _label(filename: str | None) -> str | None:
    """A file name fit to be shown; it never becomes a path."""
    if not filename:
        return None
    return "".join(c for c in filename if c.isprintable())[:255]


@router.get("")
def list_(
    session: ReadSession,
    limit: Limit = 50,
    cursor: Cursor = None,
    name: NameQuery = None,
) -> Page[DatasetRead]:
    """Datasets, newest first."""
    found = DatasetRepository(session).page(cursor, limit + 1, name)
    items = [DatasetRead.model_validate(dataset) for dataset in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{ref}")
async def get(
    ref: str,
    services: ServicesDep,
    wait: Annotated[float, Query(ge=0, le=3600)] = 0.0,
) -> DatasetRead:
    """One dataset, by id or by name (the newest upload of that name).

    `?wait=30` answers when it has been read, or when the time is up (60 at most).
    """
    return await wait_until_read(services, ref, min(wait, MAX_WAIT))


async def wait_until_read(services: Services, ref: str, seconds: float) -> DatasetRead:
    """The dataset once it is not processing any more, or after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        dataset = await to_thread.run_sync(_read, services, ref)
        is_read = dataset.status != DatasetStatus.PROCESSING
        if is_read or time.monotonic() >= deadline:
            return dataset
        await asyncio.sleep(_POLL_SECONDS)


def _read(services: Services, ref: str) -> DatasetRead:
    with services.database.read() as session:
        return DatasetRead.model_validate(DatasetRepository(session).get(ref))


@router.get("/{ref}/rows")
def rows(
    ref: str,
    session: ReadSession,
    services: ServicesDep,
    offset: Annotated[int, Query(ge=0, le=2**40)] = 0,
    limit: Limit = 20,
) -> RowsRead:
    """A slice of the table as it was understood."""
    dataset = DatasetRepository(session).get(ref)
    return services.datasets.rows(dataset, offset, limit)


@router.get("/{ref}/content", response_class=StreamingResponse)
def content(ref: str, session: ReadSession, services: ServicesDep) -> StreamingResponse:
    """The CSV as it was uploaded."""
    dataset = DatasetRepository(session).get(ref)
    name = dataset.filename or f"{dataset.name}.csv"
    file = services.datasets.content(dataset)
    return file_response(file, name, dataset.num_bytes, "text/csv")


@router.delete("/{ref}", status_code=204)
def delete(ref: str, session: WriteSession, services: ServicesDep) -> None:
    """Delete a dataset; 409 while a run that has not ended needs it."""
    services.datasets.delete(session, ref)
