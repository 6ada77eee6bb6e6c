"""Start a worker: `python -m workers`."""

import os

# before TensorFlow is imported anywhere: no GPU search, no chatter
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from core.supervisor.orphans import end_with_supervisor
from workers.app import celery, settings


def main() -> None:
    """Work until told to stop; a stop lets the run at hand end or hand back."""
    end_with_supervisor()
    celery.worker_main(
        [
            "worker",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


if __name__ == "__main__":
    main()
