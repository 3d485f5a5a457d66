"""Secrets by name: from the environment, mounted files, and `.env` during development.

An adapter asks for its secrets in `connect`, once; nothing else sees them.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values

from .errors import ConfigError, MissingSecret

NAME = re.compile(r"[A-Z][A-Z0-9_]*")
"""What secrets are called, as environment variables are."""

MOUNT = Path("/run/secrets")
"""Where Docker and, by convention, Kubernetes mount secret files."""


class Secrets:
    """Looks secrets up and remembers which names were asked for, never their values.

    Args:
        environ: Looked at first.
        folder: Files named like the secret, looked at second.
        dotenv: Looked at last; for development.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        folder: Path = MOUNT,
        dotenv: Mapping[str, str | None] | None = None,
    ) -> None:
        self._environ = environ
        self._folder = folder
        self._dotenv = dotenv or {}
        self.asked: dict[str, str | None] = {}
        """Where each secret that was asked for came from; None when it is missing."""

    def get(self, name: str) -> str:
        """Return a secret's value.

        Raises:
            MissingSecret: It is set nowhere, or set to nothing.
            ConfigError: This is no name; it is not shown, since it may be the secret itself.
        """
        if not NAME.fullmatch(name):
            raise ConfigError(
                "api_key and the like hold the name of a secret, such as OPENAI_API_KEY, "
                "not the secret; set the secret under that name in the environment"
            )
        for place, value in self._places(name):
            if value and value.strip():
                self.asked[name] = place
                return value
        self.asked[name] = None
        raise MissingSecret(name)

    def _places(self, name: str) -> Iterator[tuple[str, str | None]]:
        yield "environment", self._environ.get(name)
        yield str(self._folder / name), read_file(self._folder / name)
        yield ".env", self._dotenv.get(name)


def read_file(path: Path) -> str | None:
    """A mounted secret without its trailing newline; None when it is not there.

    Raises:
        ConfigError: The file is there but is not text that this process may read.
    """
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        # The error's own text may quote the file.
        raise ConfigError(f"secret file {path} cannot be read: {type(error).__name__}") from None


def open_secrets(env: str, project: Path) -> Secrets:
    """The secrets of this process; `.env` counts only outside production."""
    folder = Path(os.environ.get("APP_SECRETS_DIR", MOUNT))
    dotenv = {} if env == "production" else dotenv_values(project / ".env")
    return Secrets(os.environ, folder, dotenv)
