"""Start the API: `python -m service`."""

from core.garbage_collection import pause_collection

pause_collection()  # most objects are created by the imports

from service.process import main  # noqa: E402

if __name__ == "__main__":
    main()
