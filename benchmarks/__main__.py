"""`make bench`: run all suites, or the given ones: `python -m benchmarks service`."""

import importlib
import sys

SUITES = (
    *("service", "memory", "predict", "latency", "models"),
    *("ingest", "fit", "large", "warm"),
    *("quality", "presets", "advice"),
    *("growth", "workers"),
)


def main() -> None:
    """Run the suites one after another."""
    for name in sys.argv[1:] or SUITES:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
