"""Create many models from one trained network."""

import secrets

from sqlalchemy import select

from core.database.base import new_id
from core.models.cause import Cause
from core.models.repository import ModelRepository
from core.models.tables import Artifact, Version
from core.runs.tables import Run
from tests.stored import store


def copies(bench, names, workspace="default", *, serve=False):
    """Add a version to every name, with a copy of the file of model `m`'s version 1.

    With `serve`, it is the serving version.
    """
    with bench.database.write() as session:
        models = ModelRepository(session, workspace)
        first = models.version("m", 1)
        onnx = first.artifact("model.onnx")
        with bench.storage.open(onnx.key) as file:
            content = file.read()
        run = session.scalars(select(Run).where(Run.id == first.run_id)).one()
        for name in names:
            key = f"copies/{secrets.token_hex(8)}/model.onnx"
            store(bench.storage, key, content)
            version = _version(first, _run(session, run), name, onnx, key)
            models.add_version(version)
            if serve:
                models.point(name, None, version.number, Cause("a test", "to test"))


def _run(session, run):
    columns = {c.key: getattr(run, c.key) for c in Run.__table__.columns}
    copy = Run(**columns | {"id": new_id("run")})
    session.add(copy)
    session.flush()
    return copy


def _version(first, run, name, onnx, key):
    artifact = Artifact(
        name="model.onnx", key=key, sha256=onnx.sha256, num_bytes=onnx.num_bytes
    )
    return Version(
        model_name=name,
        run_id=run.id,
        signature=first.signature.model_copy(update={"model_name": name}),
        metrics=first.metrics,
        best_epoch=first.best_epoch,
        layers=first.layers,
        is_whole=True,
        artifacts=[artifact],
    )
