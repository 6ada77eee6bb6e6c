"""Datasets in the shape of OpenAI's files."""

from typing import Any, Literal, Self

from pydantic import BaseModel

from core.datasets.tables import Dataset
from fitserve.enums import DatasetStatus
from fitserve.problems import Problem
from fitserve.schemas.datasets import DatasetRead
from fitserve.specs.parsing import ParsingSpec
from service.protocols.openai.schemas import Identified, seconds

PURPOSE = "fine-tune"
FileStatus = Literal["uploaded", "processed", "error"]

_STATUSES: dict[str, FileStatus] = {
    DatasetStatus.PROCESSING: "uploaded",
    DatasetStatus.READY: "processed",
    DatasetStatus.FAILED: "error",
}


class FileRead(Identified):
    """A dataset; `id` is the dataset's own."""

    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    filename: str
    purpose: Literal["fine-tune"] = "fine-tune"
    status: FileStatus
    status_details: str | None

    @classmethod
    def of(cls, dataset: Dataset | DatasetRead) -> Self:
        """The dataset in the other words."""
        return cls(
            id=dataset.id,
            bytes=dataset.num_bytes,
            created_at=seconds(dataset.created_at),
            filename=dataset.filename or f"{dataset.name}.csv",
            status=_STATUSES[dataset.status],
            status_details=_detail(dataset.error),
        )


def _detail(error: Problem | None) -> str | None:
    return error.detail if error else None


class FileDeleted(BaseModel):
    """A dataset that is gone."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


_PARSING = ParsingSpec.model_json_schema()
FILE_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": [PURPOSE]},
                        "name": {"type": "string"},
                        **_PARSING["properties"],
                    },
                    "$defs": _PARSING["$defs"],
                    "required": ["file", "purpose"],
                }
            }
        },
    }
}
