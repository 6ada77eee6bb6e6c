"""Run `python -m tests.chaos.stand_in [runs|datasets]` like `python -m workers`."""

import os

from tests.chaos.stand_in import fence, modules

modules.put_in_place()

from workers.__main__ import main  # noqa: E402  the modules must be in place first

if __name__ == "__main__":
    if os.environ.get("CHAOS_FENCE") == "off":
        fence.take_down()
    main()
