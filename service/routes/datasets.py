"""/v1/datasets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from core.datasets.deletion import delete_dataset
from core.datasets.renaming import rename_dataset
from core.datasets.service import Upload
from core.idempotency.claims import Answer
from fitserve.names import NAME_PATTERN
from fitserve.schemas.datasets import (
    DatasetPreview,
    DatasetRead,
    DatasetUpdate,
    RowsRead,
)
from fitserve.schemas.pages import Page
from fitserve.specs.parsing import ParsingSpec
from service.auth.scopes import DATASETS
from service.bodies import body_schema, read_json, validate
from service.dependencies import (
    Cursor,
    Datasets,
    Limit,
    ServicesDep,
    WorkspaceDep,
    WriteSession,
)
from service.idempotency import KeyDep, answer_of
from service.parsing_options import FILE_CONTENT, ParsingDep, form_schema
from service.router import BodyLimit, Router, declare
from service.run_limited import run_limited
from service.upload_flow import (
    MAX_WAIT,
    block_of,
    content_response,
    form_of,
    is_multipart,
    received,
    received_part,
    upload_once,
    wait_until_read,
)

router = Router(prefix="/v1/datasets", tags=["datasets"], scope=DATASETS)

NameQuery = Annotated[
    str | None, Query(pattern=NAME_PATTERN, min_length=1, max_length=100)
]


def _body(*, has_name: bool) -> dict[str, Any]:
    form = {"schema": form_schema(has_name=has_name)}
    content = {**FILE_CONTENT, "multipart/form-data": form}
    return {"requestBody": {"required": True, "content": content}}


_UPLOAD, _ROWS = _body(has_name=True), _body(has_name=False)


@router.post("", status_code=201, openapi_extra=_UPLOAD, response_model=DatasetRead)
@declare(body_limit=BodyLimit.UPLOAD)
async def create(
    request: Request,
    parsing: ParsingDep,
    key: KeyDep,
    name: NameQuery = None,
    filename: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """Upload a file of rows as a dataset.

    The body is the file, or a form with the part `file`. The content decides the format:
    CSV, JSON Lines, Parquet, Arrow IPC or a workbook; CSV and JSON Lines may be packed
    with gzip or zstd. If a large file is not read within 10 seconds, `status` is
    `processing`; get the dataset with `?wait=30`.
    """
    uploading = _received(request, name, filename, parsing)
    return await upload_once(request, key, uploading, _created)


@router.post(
    "/{ref}/rows", status_code=201, openapi_extra=_ROWS, response_model=DatasetRead
)
@declare(body_limit=BodyLimit.UPLOAD)
async def append(
    ref: Annotated[str, Path(pattern=NAME_PATTERN, max_length=100)],
    request: Request,
    services: ServicesDep,
    parsing: ParsingDep,
    key: KeyDep,
    filename: Annotated[str | None, Query(max_length=255)] = None,
) -> Response:
    """Append a file of rows to a dataset, as the next version of its name.

    The body and the options are those of an upload. The new version has the rows of the
    newest version, then those of the file. The columns keep their types; cells that do
    not fit are refused with row and column, and nothing is stored. `warnings` name new
    and absent columns, and new categories. Earlier versions stay: `<name>@<version>`
    refers to one. Fails with 409 while the newest version is being read.
    """
    uploading = _received(request, ref, filename, parsing)
    append = services.datasets.append
    return await upload_once(request, key, uploading, _created, append)


def _created(read: DatasetRead) -> Answer:
    return answer_of(201, read, f"/v1/datasets/{read.id}")


@asynccontextmanager
async def _received(
    request: Request, name: str | None, filename: str | None, parsing: ParsingSpec
) -> AsyncIterator[Upload]:
    if is_multipart(request):
        async with (
            form_of(request) as form,
            received_part(request, form, name, parsing) as upload,
        ):
            yield upload
    else:
        stream = request.stream()
        async with received(request, stream, name, filename, parsing) as upload:
            yield upload


@router.post("/preview", openapi_extra=_UPLOAD)
@declare(body_limit=BodyLimit.UPLOAD)
async def preview(
    request: Request, parsing: ParsingDep, services: ServicesDep
) -> DatasetPreview:
    """Show how a file would be read with these options, and store nothing.

    The body and the options are those of an upload. Of a CSV or of JSON Lines, only the
    first MiB is read, so it is enough to send one byte more; then `is_complete` is false.
    """
    async with _received(request, None, None, parsing) as upload:
        return await run_limited(services.datasets.preview, upload)


@router.get("")
def list_(
    datasets: Datasets,
    limit: Limit = 50,
    cursor: Cursor = None,
    name: NameQuery = None,
) -> Page[DatasetRead]:
    """List datasets, newest first; each version of a name is an item."""
    found = datasets.page(cursor, limit + 1, name)
    items = [DatasetRead.model_validate(dataset) for dataset in found[:limit]]
    return Page(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{ref}")
async def get(
    ref: str,
    services: ServicesDep,
    workspace: WorkspaceDep,
    wait: Annotated[float, Query(ge=0, le=3600)] = 0.0,
) -> DatasetRead:
    """Get a dataset by id or name, or a version of it such as `houses@2`.

    A name alone refers to the newest version.

    `?wait=30` waits up to 30 seconds (60 at most) until the dataset has been read.
    """
    return await wait_until_read(services, workspace, ref, min(wait, MAX_WAIT))


@router.patch("/{ref}", openapi_extra=body_schema(DatasetUpdate))
async def rename(
    ref: str, request: Request, services: ServicesDep, workspace: WorkspaceDep
) -> DatasetRead:
    """Rename a dataset with all its versions; runs hold out the same rows as before.

    Fails with 409 if a run was created on a version, because its spec names the dataset,
    while a version is being read, and if the name is taken.
    """
    wanted = validate(DatasetUpdate, await read_json(request))

    def store() -> DatasetRead:
        with services.database.write() as session:
            found = rename_dataset(session, workspace, ref, wanted.name)
            return DatasetRead.model_validate(found)

    return await to_thread.run_sync(store)


@router.get("/{ref}/rows")
def rows(
    ref: str,
    datasets: Datasets,
    services: ServicesDep,
    offset: Annotated[int, Query(ge=0, le=2**40)] = 0,
    limit: Limit = 20,
) -> RowsRead:
    """List rows of a dataset, as fitserve parsed them."""
    return services.datasets.rows(datasets.get(ref), offset, limit)


@router.get("/{ref}/content", response_class=StreamingResponse)
def content(
    ref: str,
    datasets: Datasets,
    services: ServicesDep,
    block: Annotated[
        int | None,
        Query(
            ge=1,
            description="Number of a file of the version, from 1: its upload, then each "
            "append. Default: the last one.",
        ),
    ] = None,
) -> StreamingResponse:
    """Download an uploaded file; a gzip or a zstd is unpacked."""
    return content_response(services, block_of(datasets.get(ref), block))


@router.delete("/{ref}", status_code=204)
def delete(
    ref: str, session: WriteSession, workspace: WorkspaceDep, services: ServicesDep
) -> None:
    """Delete a version of a dataset. Later versions keep its rows.

    Fails with 409 while an unfinished run needs it.
    """
    delete_dataset(session, services.storage, workspace, ref)
