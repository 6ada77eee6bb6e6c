"""Database rows for tests."""

from typing import Any

from core.database.sessions import Database
from core.datasets.tables import Dataset
from core.models.signature import Signature
from core.models.tables import Artifact, Version
from core.runs.repository import RunRepository
from core.runs.spec import ResolvedSpec, RunPlan
from core.runs.tables import Run


def add_dataset(database: Database, name: str = "table") -> Dataset:
    """Add a dataset without files."""
    dataset = Dataset(
        workspace="default",
        name=name,
        digest="sha256:0",
        num_bytes=1,
        num_rows=1,
        columns=[],
        parsing={},
        warnings=[],
        content_key="datasets/x/content.csv",
        table_key="datasets/x/table.parquet",
    )
    with database.write() as session:
        session.add(dataset)
    return dataset


def resolved_spec(**changes: Any) -> ResolvedSpec:
    """Return a spec of the smallest network, with `changes` applied."""
    parts = {
        "dataset": "table",
        "target": "y",
        "model_name": "m",
        "task": "regression",
        "model": {"layers": [{"type": "Dense", "units": 1}]},
        "compile": {"optimizer": {"type": "Adam"}, "loss": "mse", "metrics": []},
        "fit": {"batch_size": 32, "epochs": 10, "seed": 1},
    }
    return ResolvedSpec.model_validate(parts | changes)


def add_run(database: Database, workspace: str = "default", **values: Any) -> str:
    """Add a queued run and return its id."""
    dataset = add_dataset(database)
    defaults = {
        "model_name": "m",
        "target": "y",
        "task": "regression",
        "spec": resolved_spec(),
        "plan": RunPlan(layers=[]),
        "tags": {},
        "epochs": 10,
        "num_rows": {},
        "metrics": {},
        "warnings": [],
    }
    with database.write() as session:
        run = Run(dataset=session.merge(dataset), **{**defaults, **values})
        RunRepository(session, workspace).add(run)
    return run.id


def read_run(database: Database, run_id: str) -> Run:
    """Return the stored run."""
    with database.read() as session:
        return RunRepository(session, "default").get(run_id)


def small_signature() -> Signature:
    """Return a signature without features."""
    return Signature(
        model_name="m",
        task="regression",
        target="y",
        classes=None,
        features=[],
        ignored=[],
    )


def small_version(run_id: str, key: str, **values: Any) -> Version:
    """Return a version of `m` that a run made, with one file; it is not stored yet."""
    file = Artifact(name="model.onnx", key=key, sha256="0", num_bytes=4)
    defaults = {
        "model_name": "m",
        "signature": small_signature(),
        "metrics": {},
        "layers": [],
        "is_whole": True,
        "artifacts": [file],
    }
    return Version(run_id=run_id, **{**defaults, **values})
