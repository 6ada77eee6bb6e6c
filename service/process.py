"""Run the API process."""

import os
import socket
import sys

from core import logs, tracing
from core.database.sessions import Database
from core.garbage_collection import collect_rarely, freeze_heap
from core.keys.insecure_binding import InsecureBinding, refuse_insecure_binding
from core.settings import Settings
from core.supervised import LISTEN_FD, end_with_supervisor
from service.app import create_app
from service.server import api_config, make_server


def main() -> None:
    """Run the API until the process is stopped."""
    end_with_supervisor()
    settings = Settings()
    logs.configure(settings, "api")
    tracing.start("api")
    _refuse_insecure_binding(settings)
    app = create_app(settings)
    config = api_config(app, settings.host, settings.port)
    fd = os.environ.get(LISTEN_FD)
    sockets = [socket.socket(fileno=int(fd))] if fd else None
    stop_waiting = app.state.services.polling.stop
    server = make_server(config, settings.limits, on_start=_settle, on_stop=stop_waiting)
    app.state.services.predictor.is_alone = server.has_one_request
    server.run(sockets=sockets)


def _settle() -> None:
    """Prepare garbage collection for requests, after everything has been created."""
    freeze_heap()
    collect_rarely()


def _refuse_insecure_binding(settings: Settings) -> None:
    database = Database(settings.resolved_database_url)
    try:
        refuse_insecure_binding(settings, database)
    except InsecureBinding as error:
        sys.exit(str(error))
    finally:
        database.close()
