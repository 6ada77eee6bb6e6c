"""Answer predict requests; each protocol implements an `Exchange`."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from core.database.sessions import Database
from core.errors import InvalidInstances
from core.models.network import ModelFile, Network
from core.settings import Settings
from core.single_flight import SingleFlight
from core.storage import Storage
from service.metrics.request_counters import RequestCounters
from service.predictor.answers import ModelAnswer, make_answer
from service.predictor.instance_reader import InstanceReader, ParsedInstances
from service.predictor.notes import refuse_warnings
from service.predictor.sessions import Loaded, SessionCache
from service.predictor.version_resolver import ModelRef, ServedVersion, VersionResolver

Found = TypeVar("Found")
Result_co = TypeVar("Result_co", covariant=True)
_INLINE_BYTES = 64 * 1024
"""Bodies up to this size are read on the event loop: a thread would take longer."""


class Exchange(Protocol[Result_co]):
    """One request in one protocol; each method is called once, in this order."""

    @property
    def is_strict(self) -> bool:
        """Return whether the request is refused if there are warnings."""

    def model_ref(self) -> ModelRef:
        """Return the model and version that the request names."""

    def read(self, reader: InstanceReader) -> ParsedInstances:
        """Return the rows as a table; raises InvalidInstances."""

    def write(self, answer: ModelAnswer) -> Result_co:
        """Return the answer in the format of the protocol."""


class _Done(NamedTuple, Generic[Result_co]):
    """The result of a request that was answered in a thread."""

    result: Result_co
    served: ServedVersion
    num_rows: int


class Predictor:
    """Find versions, keep them loaded, and run them."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        settings: Settings,
        counters: RequestCounters,
    ) -> None:
        cores = os.cpu_count() or 1
        self._runners = ThreadPoolExecutor(cores, "predict")
        self._finders = ThreadPoolExecutor(cores, "find")
        self.cache = self._sessions = SessionCache(
            storage, settings.predict_cache_bytes, self._runners
        )
        self._counters = counters
        self.versions = VersionResolver(
            database,
            settings.alias_refresh_seconds,
            self._sessions.get,
            settings.limits.max_predict_rows,
        )
        self.is_alone: Callable[[], bool] = lambda: False
        """Return whether the process has only one request, so that no batch can form."""
        self.max_bytes = settings.limits.max_predict_body_bytes
        self._lookups = SingleFlight(self._finders.submit)

    async def answer(
        self, exchange: Exchange[Result_co], num_bytes: int, *, is_slow: bool = False
    ) -> Result_co:
        """Answer a request whose body has `num_bytes`.

        A small request is read and written on the event loop, and shares a call of the
        network with other requests. A large or slow request gets its own thread.

        Raises the errors of `find` and `load`, InvalidInstances and TooLarge.
        """
        began = time.perf_counter()
        if is_slow or num_bytes > _INLINE_BYTES:
            done = await self._run_in(self._runners, lambda: self._answer_whole(exchange))
            self._count(done.served, time.perf_counter() - began, done.num_rows)
            return done.result
        ref = exchange.model_ref()
        served = self.versions.peek(ref) or await self._find(ref)
        loaded = self._sessions.peek(served.file.version_id)
        if loaded is None:
            loaded = await self._run_in(self._finders, lambda: self.load(served))
        table, warnings = self._read(exchange, served)
        output = loaded.batcher.run_alone(table) if self.is_alone() else None
        if output is None:
            output = await loaded.batcher.submit(table)
        result = self._write(exchange, make_answer(served, output, warnings))
        self._count(served, time.perf_counter() - began, table.num_rows)
        return result

    def find(self, ref: ModelRef) -> ServedVersion:
        """Return the version, from the database if it is not cached; blocks.

        Raises NotFound.
        """
        return self.versions.get(ref)

    def load(self, served: ServedVersion) -> Loaded:
        """Return the version's session, loaded if necessary; blocks.

        Raises ArtifactDamaged.
        """
        return self._sessions.get(served.file)

    def network(self, file: ModelFile) -> Network:
        """Return the network of a file, loaded if necessary; blocks.

        Raises ArtifactDamaged.
        """
        return self._sessions.get(file).network

    def unload(self, served: ServedVersion) -> bool:
        """Remove the version's session; return False if it was not loaded."""
        return self._sessions.drop(served.file.version_id)

    def is_loaded(self, served: ServedVersion) -> bool:
        """Return whether the version's session is in memory."""
        return self._sessions.peek(served.file.version_id) is not None

    def start(self) -> None:
        """Start the thread that keeps model names fresh."""
        self.versions.start()

    def close(self) -> None:
        self.versions.stop()
        self._runners.shutdown(wait=False, cancel_futures=True)
        self._finders.shutdown(wait=False, cancel_futures=True)

    def _count(self, served: ServedVersion, seconds: float, num_rows: int) -> None:
        model = served.workspace, served.model_name
        self._counters.predicted(model, seconds, num_rows)

    def _answer_whole(self, exchange: Exchange[Result_co]) -> "_Done[Result_co]":
        served = self.find(exchange.model_ref())
        table, warnings = self._read(exchange, served)
        output = self.load(served).network.run(table)
        result = self._write(exchange, make_answer(served, output, warnings))
        return _Done(result, served, table.num_rows)

    @staticmethod
    def _read(exchange: Exchange[Any], served: ServedVersion) -> ParsedInstances:
        reading = exchange.read(served.reader)
        if reading.table.num_rows == 0:
            raise InvalidInstances("Expected at least one row.")
        if reading.warnings and exchange.is_strict:
            refuse_warnings(reading.warnings)
        return reading

    @staticmethod
    def _write(exchange: Exchange[Result_co], answer: ModelAnswer) -> Result_co:
        if answer.warnings and exchange.is_strict:  # warnings about the output
            refuse_warnings(answer.warnings)
        return exchange.write(answer)

    async def _find(self, ref: ModelRef) -> ServedVersion:
        """Return the version; simultaneous requests for it share one query."""
        return await self._lookups.wait(ref, partial(self.find, ref))

    @staticmethod
    async def _run_in(pool: ThreadPoolExecutor, action: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(pool, action)
