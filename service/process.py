"""Run the API process."""

import os
import socket
import sys
from functools import partial

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

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
    server = make_server(
        config,
        settings.limits,
        on_start=partial(_finish_start, app),
        on_stop=app.state.services.polling.stop,
    )
    app.state.services.predictor.is_alone = server.has_one_request
    server.run(sockets=sockets)


def _finish_start(app: FastAPI) -> None:
    """Do the work that would delay the first requests, and make collections rare."""
    for _ in iter_route_contexts(app.router.routes):  # prepares FastAPI's routes
        pass
    freeze_heap()
    collect_rarely()


def _refuse_insecure_binding(settings: Settings) -> None:
    """Exit with a message if the configuration of keys is too open."""
    database = Database(settings.resolved_database_url)
    try:
        refuse_insecure_binding(settings, database)
    except InsecureBinding as error:
        sys.exit(str(error))
    finally:
        database.close()
