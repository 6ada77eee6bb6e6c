"""/v1/datasets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import FormData, UploadFile

from core.datasets.repository import DatasetRepository
from core.datasets.tables import Dataset
from core.errors import InvalidTable
from fitserve.names import NAME_PATTERN, to_name
from fitserve.schemas.datasets import DatasetRead, RowsRead
from fitserve.schemas.pages import Page
from service import uploads
from service.dependencies import (
    Cursor,
    Limit,
    ReadSession,
    ServicesDep,
    WriteSession,
)
from service.downloads import file_response
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
                    "properties": {"file": _CSV, "name": {"type": "string"}},
                    "required": ["file"],
                }
            },
        },
    }
}


@router.post("", status_code=201, openapi_extra=_UPLOAD)
async def create(
    request: Request,
    response: Response,
    services: ServicesDep,
    name: NameQuery = None,
    filename: Annotated[str | None, Query(max_length=255)] = None,
) -> DatasetRead:
    """Upload a CSV (gzip is accepted) as multipart `file` or as the body itself."""
    if is_multipart(request):
        async with request.form(max_files=1, max_fields=10) as form:
            dataset = await store_part(services, form, name)
    else:
        dataset = await _store(services, request.stream(), name, filename)
    response.headers["Location"] = f"/v1/datasets/{dataset.id}"
    return DatasetRead.model_validate(dataset)


def is_multipart(request: Request) -> bool:
    """Whether the body comes in parts."""
    kind = request.headers.get("content-type", "")
    return kind.lower().startswith("multipart/form-data")


async def store_part(services: Services, form: FormData, name: str | None) -> Dataset:
    """Store the part `file` of a form; InvalidTable if it has none."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InvalidTable("The form has no part `file`; send the CSV under that name.")
    given = name or form.get("name")
    label = given if isinstance(given, str) and given else None
    return await _store(services, uploads.chunks_of(file), label, file.filename)


async def _store(
    services: Services,
    chunks: AsyncIterator[bytes],
    name: str | None,
    filename: str | None,
) -> Dataset:
    label = _label(filename)
    stem = Path(label or "").name.removesuffix(".gz").removesuffix(".csv")
    with services.storage.scratch() as folder:
        source = folder / "content.csv"
        await uploads.receive(chunks, source, services.settings.limits.max_upload_bytes)
        return await to_thread.run_sync(
            services.datasets.create, source, to_name(name or stem, "dataset"), label
        )


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
def get(ref: str, session: ReadSession) -> DatasetRead:
    """One dataset, by id or by name (the newest upload of that name)."""
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
