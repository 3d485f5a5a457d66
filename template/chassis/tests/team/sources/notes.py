"""Notes in memory."""

from chassis.ports import Source
from chassis.secrets import Secrets
from chassis.testing import Counting


def connect(secrets: Secrets, *, texts: dict[str, str]) -> Source:
    """Build the source."""
    return Counting(dict(texts))
