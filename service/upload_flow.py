"""An upload becomes a dataset; datasets are waited for, and their bytes sent back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.datastructures import FormData, UploadFile

from core.datasets.repository import DatasetRepository
from core.datasets.service import Upload
from core.datasets.tables import Dataset
from core.errors import (
    FitserveError,
    InvalidTable,
    RemoteProblem,
    RequestInFlight,
    TooLarge,
)
from core.idempotency.claims import Answer, Claim
from core.keys.caller import Caller
from core.keys.quotas import free_bytes, over_quota
from core.storage import scratch
from fitserve.enums import DatasetStatus
from fitserve.names import to_name
from fitserve.schemas.datasets import DatasetRead
from fitserve.specs.parsing import ParsingSpec
from service import uploads
from service.downloads import file_response, open_whole
from service.parsing_options import from_form
from service.run_limited import run_limited
from service.services import Services

MAX_WAIT = 60.0
_POLL_SECONDS = 0.2
_LONGEST_READING = 600.0
_PATIENCE = 10.0
"""How long the answer to an upload waits for a worker that reads it, in seconds."""


def is_multipart(request: Request) -> bool:
    """Whether the body comes in parts."""
    kind = request.headers.get("content-type", "")
    return kind.lower().startswith("multipart/form-data")


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[FormData]:
    """The parts of a multipart body, one file among them; InvalidTable if it is none."""
    try:
        form = await request.form(max_files=1, max_fields=200)
    except (LookupError, UnicodeError) as error:  # of a charset that is none
        raise InvalidTable(f"The form cannot be read: {error}.") from error
    try:
        yield form
    finally:
        await form.close()


@asynccontextmanager
async def received_part(
    services: Services,
    caller: Caller,
    form: FormData,
    name: str | None,
    parsing: ParsingSpec,
) -> AsyncIterator[Upload]:
    """The part `file` of a form, received; InvalidTable if it has none."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InvalidTable("The form has no part `file`; send the CSV under that name.")
    given = name or form.get("name")
    label = given if isinstance(given, str) and given else None
    options = from_form(form, parsing)
    chunks = uploads.chunks_of(file)
    async with received(
        services, caller, chunks, label, file.filename, options
    ) as upload:
        yield upload


@asynccontextmanager
async def received(
    services: Services,
    caller: Caller,
    chunks: AsyncIterator[bytes],
    name: str | None,
    filename: str | None,
    parsing: ParsingSpec,
) -> AsyncIterator[Upload]:
    """A CSV on disk, to become a dataset called `name`, else as its file is called."""
    label = _label(filename)
    stem = Path(label or "").name.removesuffix(".gz").removesuffix(".csv")
    with scratch() as folder:
        source = folder / "content.csv"
        digest = await _receive(services, caller, chunks, source)
        yield Upload(source, digest, to_name(name or stem, "dataset"), label, parsing)


async def _receive(
    services: Services, caller: Caller, chunks: AsyncIterator[bytes], source: Path
) -> str:
    """The digest of what was written; TooLarge, or QuotaExceeded, as soon as it is."""
    most = services.settings.limits.max_upload_bytes
    free = await to_thread.run_sync(_free_bytes, services, caller)
    if free is None or free >= most:
        return await uploads.receive(chunks, source, most)
    try:
        return await uploads.receive(chunks, source, max(0, free))
    except TooLarge as error:
        raise over_quota(caller) from error


def _free_bytes(services: Services, caller: Caller) -> int | None:
    if caller.stored_bytes is None:
        return None
    with services.database.read() as session:
        return free_bytes(session, caller)


def content_of(upload: Upload) -> tuple[object, ...]:
    """What makes an upload what it is, for its fingerprint."""
    return upload.digest, upload.name, upload.filename, upload.options


async def store(services: Services, caller: Caller, upload: Upload, claim: Claim) -> str:
    """The id of the upload's dataset, which a request that died may have made already."""
    if claim.step is not None:
        return claim.step
    create = services.datasets.create
    dataset = await to_thread.run_sync(create, caller, upload, claim.reach)
    return dataset.id


def complete(services: Services, claim: Claim, answer: Answer) -> Answer:
    """Note the answer in a transaction of its own; what it tells of is noted before."""
    with services.database.write() as session:
        return claim.complete(session, answer)


def _label(filename: str | None) -> str | None:
    """A file name fit to be shown; it never becomes a path."""
    if not filename:
        return None
    return "".join(c for c in filename if c.isprintable())[:255]


async def read_or_refused(
    services: Services, workspace: str, dataset_id: str
) -> DatasetRead:
    """A new upload, read if that is quick; raises what a worker found wrong with it.

    Nothing is kept then.
    """
    read = await wait_until_read(services, workspace, dataset_id, _PATIENCE)
    if read.error is not None:
        await to_thread.run_sync(_delete, services, workspace, dataset_id)
        raise RemoteProblem(read.error)
    return read


@asynccontextmanager
async def for_one_run(
    services: Services, workspace: str, dataset_id: str
) -> AsyncIterator[None]:
    """A dataset that came along with a run: where that is refused, neither is kept.

    A table that a worker still reads stays, to be named by the next run; so does one that
    another request of the same key works with.
    """
    read = await wait_until_read(services, workspace, dataset_id, _LONGEST_READING)
    try:
        if read.error is not None:
            raise RemoteProblem(read.error)
        yield
    except RequestInFlight:
        raise
    except FitserveError:
        if read.status != DatasetStatus.PROCESSING:
            await to_thread.run_sync(_delete, services, workspace, dataset_id)
        raise


def _delete(services: Services, workspace: str, ref: str) -> None:
    with services.database.write() as session:
        services.datasets.delete(session, workspace, ref)


async def wait_until_read(
    services: Services, workspace: str, ref: str, seconds: float
) -> DatasetRead:
    """The dataset once it is not processing any more, or after `seconds`."""
    deadline = time.monotonic() + seconds
    dataset = await to_thread.run_sync(_read, services, workspace, ref)
    while dataset.status == DatasetStatus.PROCESSING and time.monotonic() < deadline:
        await asyncio.sleep(_POLL_SECONDS)
        dataset = await run_limited(_read, services, workspace, ref)
    return dataset


def _read(services: Services, workspace: str, ref: str) -> DatasetRead:
    with services.database.read() as session:
        found = DatasetRepository(session, workspace).get(ref)
        return DatasetRead.model_validate(found)


def content_response(services: Services, dataset: Dataset) -> StreamingResponse:
    """The bytes as uploaded, as a download."""
    name = dataset.filename or f"{dataset.name}.csv"
    file = open_whole(services.storage, dataset.content_key, dataset.num_bytes)
    return file_response(file, name, dataset.num_bytes, "text/csv")
