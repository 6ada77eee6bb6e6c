"""Print an expected error of a command that works without a service, and exit."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from core.errors import FitserveError, StorageFull, StorageUnavailable
from core.storage.scratch import FULL
from fitserve.cli.console import REFUSED, UNREACHABLE, USAGE
from ops.settings_errors import WRONG_SETTINGS, settings_sentences
from ops.supervisor.cannot_start import CannotStart

_FULL_DISK = "The disk is full: a file could not be written. Free some space."
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class CommandRefused(Exception):
    """Raised if a command cannot work with its arguments or settings.

    The message says how to correct them.
    """


@contextmanager
def exit_on_error(*, as_json: bool) -> Iterator[None]:
    """Print an expected error, and exit with its code."""
    try:
        yield
    except WRONG_SETTINGS as error:
        for sentence in settings_sentences(error):
            print_notice(sentence)
        raise typer.Exit(USAGE) from error
    except (CommandRefused, CannotStart) as error:
        print_notice(str(error))
        raise typer.Exit(USAGE) from error
    except ArgumentError as error:
        print_notice(f"FITSERVE_DATABASE_URL: {error}")
        raise typer.Exit(USAGE) from error
    except FitserveError as error:
        print_notice(_problem_text(error, as_json=as_json))
        is_away = isinstance(error, StorageUnavailable)
        raise typer.Exit(UNREACHABLE if is_away else REFUSED) from error
    except DatabaseError as error:
        if not (is_damaged(error.orig) or isinstance(error, OperationalError)):
            raise
        print_notice(_database_sentence(error))
        raise typer.Exit(USAGE if is_damaged(error.orig) else UNREACHABLE) from error
    except BrokenPipeError:  # the reader of stdout has closed the pipe
        raise
    except OSError as error:
        print_notice(_file_sentence(error))
        raise typer.Exit(REFUSED) from error


def _problem_text(error: FitserveError, *, as_json: bool) -> str:
    if isinstance(error, StorageFull):  # its detail is for the clients of a service
        return _FULL_DISK
    problem = error.problem()
    return problem.model_dump_json(indent=2) if as_json else problem.detail


def _database_sentence(error: DatabaseError) -> str:
    if is_damaged(error.orig):
        return damaged_sentence("The SQLite database", error.orig)
    if not isinstance(error.orig, sqlite3.Error):
        return (
            f"The database does not answer ({error.orig}); check FITSERVE_DATABASE_URL."
        )
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "The disk is full: the database could not be written. Free some space."
    return (
        f"The SQLite database cannot be used ({error.orig}); check its folder, and the "
        "permissions of the file."
    )


def is_damaged(error: BaseException | None) -> bool:
    """Return whether an error of SQLite says that the content of its file is damaged."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def damaged_sentence(name: str, reason: BaseException | None) -> str:
    """Say that the file of a database is damaged, and what to use instead."""
    return f"{name} is damaged ({reason}). Use an earlier backup of it."


def _file_sentence(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in FULL:
        return f"The disk is full{where}: a file could not be written. Free some space."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{error.strerror}{where}; check the owner and mode of the folder."
    return f"A file cannot be used: {error.strerror or error}{where}."


def print_notice(line: str) -> None:
    """Print a line for the user to stderr, since stdout is for programs."""
    typer.secho(line, fg="yellow", err=True)
