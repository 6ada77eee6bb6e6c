"""Find the keys of all files that the rows of a database name, in every workspace."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.datasets.maintenance import DatasetMaintenance
from core.models.repository import artifact_keys
from core.models.tables import Artifact
from core.runs.tables import Checkpoint, Run
from fitserve.enums import TERMINAL


@dataclass(frozen=True)
class RecordedKeys:
    """The keys that rows name.

    Args:
        required: the files without which a dataset, a run or a version does not work.
        optional: the checkpoints and splits of runs that have not ended; without them, a
            run restarts at epoch 1 and splits its rows again.
        sizes: the sizes in bytes of artifacts and checkpoints; rows record no others.

    """

    required: frozenset[str]
    optional: frozenset[str]
    sizes: Mapping[str, int]

    @property
    def all(self) -> frozenset[str]:
        """Return both kinds of keys."""
        return self.required | self.optional


def recorded_keys(session: Session) -> RecordedKeys:
    """Return the keys that the rows of this database name.

    The split of a run that ended without a version, or whose version was deleted, is not
    needed: the service removes it.
    """
    splits = select(Run.split_key).where(
        Run.split_key.is_not(None), Run.status.not_in(TERMINAL)
    )
    checkpoints = session.scalars(select(Checkpoint.key))
    waiting = filter(None, session.scalars(splits))
    required = DatasetMaintenance(session).all_kept_keys() | artifact_keys(session)
    optional = frozenset({*checkpoints, *waiting})
    return RecordedKeys(frozenset(required), optional, _recorded_sizes(session))


def _recorded_sizes(session: Session) -> dict[str, int]:
    queries = (select(table.key, table.num_bytes) for table in (Artifact, Checkpoint))
    return {key: size for query in queries for key, size in session.execute(query)}
