"""The folder is the registry: a module's name is its name in config, logs and traces.

An adapter is a module `<kind>/<name>.py` with a function `connect(secrets, **settings)`. The
team's package is looked up first, the chassis second. This is the only dynamic import.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from .errors import ConfigError
from .secrets import Secrets

CHASSIS = __package__ or "chassis"


@dataclass(frozen=True, slots=True)
class Adapters:
    """Finds and connects adapters.

    Args:
        package: The team's package; its adapters go before those of the same name here.
        secrets: Handed to each adapter's `connect`.
    """

    package: str
    secrets: Secrets

    def connect(
        self, kind: str, name: str, settings: Mapping[str, Any], adapter: str | None
    ) -> Any:
        """Build the adapter of `kind` that is called `name` in the configuration.

        Args:
            kind: `providers` or `sources`.
            name: The table's name in the configuration.
            settings: Keyword arguments for `connect`; defaults live in its signature.
            adapter: Module to use when it is not called `name`, e.g. for two of a kind.

        Raises:
            ConfigError: No such module, settings that it does not take, or a missing secret.
        """
        module = self.find(kind, adapter or name)
        build = getattr(module, "connect", None)
        if build is None:
            raise ConfigError(f"{module.__name__} has no function connect(secrets, **settings)")
        try:
            inspect.signature(build).bind(self.secrets, **settings)
        except TypeError as error:
            takes = inspect.signature(build)
            raise ConfigError(
                f"[{kind}.{name}] does not fit {module.__name__}.connect{takes}: {error}"
            ) from error
        return build(self.secrets, **settings)

    def find(self, kind: str, name: str) -> ModuleType:
        """Import the adapter's module.

        Raises:
            ConfigError: Neither package has it, or what it imports is not installed.
        """
        places = [f"{package}.{kind}.{name}" for package in (self.package, CHASSIS)]
        for place in places:
            try:
                return import_module(place)
            except ImportError as error:
                if not is_missing(place, error):
                    raise ConfigError(
                        f"{kind} adapter {place} cannot be imported: {error}; "
                        "is what it needs among the dependencies in pyproject.toml?"
                    ) from error
        raise ConfigError(f"no {kind} adapter {name!r}; expected a module {' or '.join(places)}")


def is_missing(module: str, error: ImportError) -> bool:
    """Whether the module itself is not there, or a package it would be in, not what it imports."""
    return isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")
