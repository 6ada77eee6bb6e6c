"""Start a worker: `python -m workers [runs|datasets]`; without an argument, for both."""

import os
import sys
from importlib.util import find_spec

# TensorFlow reads these when it is imported: it then searches a GPU only if NVIDIA's
# libraries are installed (the extra `gpu`), and logs little
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if find_spec("nvidia") is None:
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from core import logs
from core.queue_names import DATASETS, RUNS, queues_of_worker
from core.supervised import end_with_supervisor
from workers.app import celery, import_keras, settings

_RUNS = queues_of_worker(settings.worker_tags)
_QUEUES = {"runs": _RUNS, "datasets": [DATASETS]}


def main() -> None:
    """Process the queues until a signal stops the worker; its runs are then requeued."""
    end_with_supervisor()
    queues = _QUEUES[sys.argv[1]] if len(sys.argv) > 1 else [*_RUNS, DATASETS]
    process = "worker" if RUNS in queues else "reader"
    logs.configure(settings, process, has_native=True)
    if RUNS in queues:
        import_keras()
    else:
        celery.conf.worker_concurrency = 1
    celery.worker_main(
        [
            "--quiet",  # Celery's banner is not a log record
            "worker",
            f"--queues={','.join(queues)}",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


if __name__ == "__main__":
    main()
