"""The service of the chaos suite with each process on a host of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.settings import Settings
from tests.chaos.cluster import Cluster, executions_in
from tests.chaos.processes import ManagedProcess
from tests.chaos.scenario import kept
from tests.hosts.network import Host, Network
from tests.hosts.services import PASSWORD, StoreHost, profile_of

PEPPER = "the-same-pepper-on-every-host-of-this-test"
_APIS = 2
_API_PORT = 8000
_SHORT = {
    "FITSERVE_STORAGE__TIMEOUT_SECONDS": "2",
    "FITSERVE_STORAGE__RETRY_SECONDS": "2",
    "FITSERVE_LIMITS__MAX_INLINE_BYTES": "100",  # the reader reads every upload
}


class HostCluster(Cluster):
    """Hosts with own homes that share the URLs of the services, and the pepper."""

    client_seconds = 3.0

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.api_hosts = [network.add_host(f"api{i + 1}") for i in range(_APIS)]
        self.worker_hosts: list[Host] = []
        self.readers: list[ManagedProcess] = []
        self._started: list[Host] = []
        self.store = StoreHost(network.add_host("store"), folder / "store")
        shared = {
            "FITSERVE_STORAGE_URL": self.store.url,
            "FITSERVE_KEY_PEPPER": PEPPER,
            **self.store.environment,
            **_SHORT,
        }
        super().__init__(profile_of(network, folder), folder / "client", **shared)

    def _listen(self) -> list[str]:
        return [f"http://{host.address}:{_API_PORT}" for host in self.api_hosts]

    @property
    def settings(self) -> Settings:
        """Return the settings of this machine, which has a home of its own."""
        given = super().settings
        return given.model_copy(update={"storage_url": self.store.url})

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets, PASSWORD, PEPPER)

    @property
    def parts(self) -> list[ManagedProcess]:
        return [*super().parts, *self.readers]

    def start_on(self, host: Host) -> ManagedProcess:
        """Start the process of a host: an API, a reader of datasets, or a worker."""
        self._started.append(host)
        own = self._own(host)
        if host in self.api_hosts:
            where = {"FITSERVE_HOST": host.address, "FITSERVE_PORT": str(_API_PORT)}
            return self.start_api(host.prefix, **own, **where)
        if host.name == "reader":
            log, given = self.log_dir / "reader.log", {**self.environment, **own}
            part = ManagedProcess("workers datasets", given, log, prefix=host.prefix)
            self.readers.append(part)
            return part
        self.worker_hosts.append(host)
        return self.start_worker(host.prefix, **own)

    def _own(self, host: Host) -> dict[str, str]:
        home = self.folder / host.name
        return {
            "FITSERVE_HOME": str(home),
            "CHAOS_FAILPOINTS": str(home / "failpoints"),
            "CHAOS_EXECUTIONS": str(self._executions_of(host)),
        }

    def _executions_of(self, host: Host) -> Path:
        return self.folder / f"{host.name}.executions"

    def host_of(self, worker: ManagedProcess) -> Host:
        """Return the host of a worker."""
        return self.worker_hosts[self.workers.index(worker)]

    def executions_on(self, host: Host) -> list[tuple[str, int, float]]:
        """Return run, attempt and start time of every fit on a host."""
        return executions_in(self._executions_of(host))

    def executions(self) -> list[tuple[str, int, float]]:
        return [one for host in self.worker_hosts for one in self.executions_on(host)]

    def stored_files(self) -> set[str]:
        """Return the keys in the store, and files on hosts that are no copies."""
        homes = [self.folder / host.name / "files" for host in self._started]
        found = (path for home in homes for path in home.rglob("*") if path.is_file())
        own = {str(path.relative_to(self.folder)) for path in found}
        copies = {path for path in own if path.split("/")[2] in ("cache", "scratch")}
        return self.store.keys() | (own - copies)


@contextmanager
def host_cluster(network: Network, folder: Path) -> Iterator[HostCluster]:
    """Start two APIs, two workers and a reader on hosts, with a dataset."""
    built = HostCluster(network, folder)
    try:
        names = ("worker1", "worker2", "reader")
        for host in [*built.api_hosts, *map(network.add_host, names)]:
            built.start_on(host)
        built.until_ready()
        built.client.upload()
        yield built
    except Exception as error:
        error.add_note(f"logs in {kept(built)}")
        raise
    finally:
        built.close()
        built.store.kill()
        built.profile.server.kill()
