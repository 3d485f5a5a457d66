"""Who may do what."""

from chassis.errors import Forbidden
from chassis.ports import Caller

ASKERS: frozenset[str] = frozenset()
"""Groups whose members may ask; empty means everyone whom the edge lets in."""


def require_asker(caller: Caller) -> None:
    """Let those through who may ask.

    Raises:
        Forbidden: The caller is in none of the groups.
    """
    if ASKERS and ASKERS.isdisjoint(caller.groups):
        raise Forbidden(f"{caller.id} may not ask")
