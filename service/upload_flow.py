"""Create datasets from uploads, wait until they are read, and send their files."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import FormData, UploadFile

from core.datasets.deletion import delete_dataset
from core.datasets.repository import DatasetRepository
from core.datasets.service import Note, Upload
from core.datasets.tables import Dataset
from core.datasets.text_file import refuse_one_line
from core.errors import (
    FitserveError,
    InvalidQuery,
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
from fitserve.file_formats import EXTENSIONS, MEDIA_TYPES, FileFormat, stem_of
from fitserve.names import to_name
from fitserve.schemas.datasets import DatasetRead
from fitserve.specs.parsing import ParsingSpec
from service.dependencies import caller_of, get_services
from service.downloads import file_response, open_whole
from service.idempotency import once, to_response
from service.parsing_options import from_form
from service.run_limited import run_limited
from service.services import Services
from service.uploads import chunks_of, receive

MAX_WAIT = 60.0
_LONGEST_READING = 600.0
_MAX_ANSWER_WAIT = 10.0
"""Seconds that the answer to an upload waits for the worker that reads it."""

Create = Callable[[Caller, Upload, Note], Dataset]
"""A function that stores an upload, as a dataset or as an append."""


def is_multipart(request: Request) -> bool:
    """Return whether the body is multipart."""
    kind = request.headers.get("content-type", "")
    return kind.lower().startswith("multipart/form-data")


@asynccontextmanager
async def form_of(request: Request) -> AsyncIterator[FormData]:
    """Yield the parts of a multipart body with at most one file; raises InvalidTable."""
    try:
        form = await request.form(max_files=1, max_fields=200)
    except (LookupError, UnicodeError) as error:  # an invalid charset
        raise InvalidTable(f"The form cannot be read: {error}.") from error
    try:
        yield form
    finally:
        await form.close()


def received_part(
    request: Request, form: FormData, name: str | None, parsing: ParsingSpec
) -> AbstractAsyncContextManager[Upload]:
    """Receive the part `file` of a form; raises InvalidTable if there is none."""
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InvalidTable("The form has no part `file`; send the file under that name.")
    given = name or form.get("name")
    label = given if isinstance(given, str) else None
    options = from_form(form, parsing)
    return received(request, chunks_of(file), label, file.filename, options)


@asynccontextmanager
async def received(
    request: Request,
    chunks: AsyncIterator[bytes],
    name: str | None,
    filename: str | None,
    parsing: ParsingSpec,
) -> AsyncIterator[Upload]:
    """Receive a file on disk; its dataset is named `name`, or after its file."""
    label = "".join(c for c in filename or "" if c.isprintable())[:255] or None
    stem = stem_of(Path(label or "").name)
    with scratch() as folder:
        source = folder / "content.csv"
        digest = await _receive(request, chunks, source)
        if parsing.header is not False and _is_by_curl(request):
            await to_thread.run_sync(refuse_one_line, source)
        yield Upload(source, digest, to_name(name or stem, "dataset"), label, parsing)


def _is_by_curl(request: Request) -> bool:
    """Return whether the body has the media type that `curl -d` sends."""
    kind = request.headers.get("content-type", "")
    return kind.lower().startswith("application/x-www-form-urlencoded")


async def _receive(request: Request, chunks: AsyncIterator[bytes], source: Path) -> str:
    """Return the digest of the file; raises TooLarge or QuotaExceeded early."""
    services, caller = get_services(request), caller_of(request)
    most = services.settings.limits.max_upload_bytes
    free = await to_thread.run_sync(_free_bytes, services, caller)
    if free is None or free >= most:
        return await receive(chunks, source, most)
    try:
        return await receive(chunks, source, max(0, free))
    except TooLarge as error:
        raise over_quota(caller) from error


def _free_bytes(services: Services, caller: Caller) -> int | None:
    if caller.stored_bytes is None:
        return None
    with services.database.read() as session:
        return free_bytes(session, caller)


def content_of(upload: Upload) -> tuple[object, ...]:
    """Return the parts of an upload's fingerprint."""
    return upload.digest, upload.name, upload.filename, upload.options


async def upload_once(
    request: Request,
    key: str | None,
    uploading: AbstractAsyncContextManager[Upload],
    answer_of: Callable[[DatasetRead], Answer],
    create: Create | None = None,
) -> Response:
    """Answer an upload with a new dataset, or with the first answer to its key.

    `create` stores the upload; by default, it becomes a dataset of its own.
    """
    services, caller = get_services(request), caller_of(request)
    async with (
        uploading as upload,
        once(services, request, key, *content_of(upload)) as claim,
    ):
        answer = claim.answer
        if answer is None:
            dataset_id = await store(services, caller, upload, claim, create)
            read = await read_or_refused(services, caller.workspace, dataset_id)
            answer = answer_of(read)
            await to_thread.run_sync(_complete, services, claim, answer)
    return to_response(claim, answer)


def _complete(services: Services, claim: Claim, answer: Answer) -> None:
    with services.database.write() as session:
        claim.complete(session, answer)


async def store(
    services: Services,
    caller: Caller,
    upload: Upload,
    claim: Claim,
    create: Create | None = None,
) -> str:
    """Return the id of the dataset, which an earlier request may have created."""
    if claim.step is not None:
        return claim.step
    create = create or services.datasets.create
    dataset = await to_thread.run_sync(create, caller, upload, claim.reach)
    return dataset.id


async def read_or_refused(
    services: Services, workspace: str, dataset_id: str
) -> DatasetRead:
    """Return a new dataset, read if that is quick.

    Deletes the dataset and raises RemoteProblem if a worker cannot read it.
    """
    read = await wait_until_read(services, workspace, dataset_id, _MAX_ANSWER_WAIT)
    if read.error is not None:
        await to_thread.run_sync(_delete, services, workspace, dataset_id)
        raise RemoteProblem(read.error)
    return read


@asynccontextmanager
async def for_one_run(
    services: Services, workspace: str, dataset_id: str
) -> AsyncIterator[None]:
    """Delete the dataset that was uploaded with a run if the run is refused.

    The dataset stays while a worker reads it, or while another request of the same key
    uses it.
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
        delete_dataset(session, services.storage, workspace, ref)


async def wait_until_read(
    services: Services, workspace: str, ref: str, seconds: float
) -> DatasetRead:
    """Return the dataset when it has been read, or after `seconds`."""
    deadline = time.monotonic() + seconds
    dataset = await to_thread.run_sync(_read, services, workspace, ref)
    is_reading = DatasetStatus.PROCESSING
    while dataset.status == is_reading and await services.polling.pause(deadline):
        dataset = await run_limited(_read, services, workspace, ref)
    return dataset


def _read(services: Services, workspace: str, ref: str) -> DatasetRead:
    with services.database.read() as session:
        found = DatasetRepository(session, workspace).get(ref)
        return DatasetRead.model_validate(found)


def block_of(dataset: Dataset, number: int | None) -> Dataset:
    """Return the dataset that holds a file of rows of this version.

    `number` is the number of the file, from 1; None stands for the last file.
    """
    blocks = dataset.blocks
    if number is None:
        return dataset
    if number > len(blocks):
        raise InvalidQuery(
            f"`block` is {number}; the version {dataset.version} of {dataset.name!r} has "
            f"{len(blocks)} file(s) of rows."
        )
    return blocks[number - 1]


def content_response(services: Services, dataset: Dataset) -> StreamingResponse:
    """Return the bytes of the upload as a download."""
    found = FileFormat(dataset.parsing.get("format", FileFormat.CSV))
    name = dataset.filename or f"{dataset.name}{EXTENSIONS[found]}"
    file = open_whole(services.storage, dataset.content_key, dataset.num_bytes)
    return file_response(file, name, dataset.num_bytes, MEDIA_TYPES[found])
