"""Any server that speaks OpenAI's chat completions: vLLM, Ollama, LM Studio, a gateway."""

from ..ports import Provider
from ..secrets import Secrets

SDK = "openai"
"""The extra of the chassis that installs what this provider needs."""

NO_KEY = "unused"
"""Sent where the server wants no key: the client library insists on one."""


def connect(secrets: Secrets, *, base_url: str, api_key: str | None = None) -> Provider:
    """Build the provider; `api_key` is the secret's name, for a server that wants one."""
    from ..gateway import wire  # noqa: PLC0415  (1 s, and only where a model is called)

    key = secrets.get(api_key) if api_key else NO_KEY
    return wire.openai("openai_compatible", api_key=key, base_url=base_url)
