"""Google's Gemini API."""

from ..ports import Provider
from ..secrets import Secrets

SDK = "google"
"""The extra of the chassis that installs what this provider needs."""


def connect(
    secrets: Secrets, *, api_key: str = "GEMINI_API_KEY", base_url: str | None = None
) -> Provider:
    """Build the provider; `api_key` is the secret's name, not the secret."""
    from ..gateway import wire  # noqa: PLC0415  (1 s, and only where a model is called)

    return wire.google("google", api_key=secrets.get(api_key), base_url=base_url)
