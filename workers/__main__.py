"""Start a worker: `python -m workers [runs|datasets]`; without a word, for both."""

import os
import sys

# before TensorFlow is imported anywhere: no GPU search, no chatter
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from core import logs
from core.queue import DATASETS, RUNS
from core.supervised import end_with_supervisor
from workers.app import celery, import_keras, settings

_QUEUES = {"runs": [RUNS], "datasets": [DATASETS]}


def main() -> None:
    """Work until told to stop; a stop lets the run at hand end or hand back."""
    end_with_supervisor()
    queues = _QUEUES[sys.argv[1]] if len(sys.argv) > 1 else [RUNS, DATASETS]
    process = "worker" if RUNS in queues else "reader"
    logs.configure(settings, process, has_native=True)
    if RUNS in queues:
        import_keras()
    else:
        celery.conf.worker_concurrency = 1
    celery.worker_main(
        [
            "--quiet",  # its banner is no line of a log
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
