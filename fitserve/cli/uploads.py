"""Say what an upload replaced, and delete the upload of a run that is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from fitserve.cli.console import err, say
from fitserve.client import ApiError, Client, Unprocessable
from fitserve.enums import DatasetStatus
from fitserve.names import version_ref
from fitserve.number_text import rows_text
from fitserve.schemas.datasets import DatasetRead


def say_replaced(client: Client, dataset: DatasetRead) -> None:
    """Print on stderr which version an upload replaced as the newest one, if any."""
    if dataset.version == 1:
        return
    before = _before(client, dataset)
    if before is not None and not _has_same_file(before, dataset):
        say(
            f"{_named(dataset)} replaces {_named(before)}{_size(before)} as the newest "
            f"version; to add rows: fitserve datasets append {dataset.name} FILE",
            err,
        )


def _before(client: Client, dataset: DatasetRead) -> DatasetRead | None:
    """Return the version before a dataset; None if it is deleted or cannot be read."""
    try:
        versions = client.datasets.list(dataset.name)
        return next((one for one in versions if one.version < dataset.version), None)
    except ApiError:  # a key may upload and not read
        return None


def _has_same_file(before: DatasetRead, dataset: DatasetRead) -> bool:
    """Return whether a version is an upload of this file, so that no rows are lost."""
    return before.parent_id is None and before.digest == dataset.digest


def _size(dataset: DatasetRead) -> str:
    is_read = dataset.status == DatasetStatus.READY
    return f" ({rows_text(dataset.num_rows)})" if is_read else ""


def _named(dataset: DatasetRead) -> str:
    return version_ref(dataset.name, dataset.version)


@contextmanager
def deleted_if_refused(client: Client, dataset: DatasetRead | None) -> Iterator[None]:
    """Delete an upload when the service refuses the spec of its run, and say so."""
    try:
        yield
    except Unprocessable:
        if dataset is not None:
            _delete(client, dataset)
        raise


def _delete(client: Client, dataset: DatasetRead) -> None:
    try:
        client.datasets.delete(dataset.id)
    except ApiError as error:
        say(f"the upload {_named(dataset)} stays stored: {error}", err)
    else:
        say(f"deleted the upload {_named(dataset)}, because its run was refused", err)
