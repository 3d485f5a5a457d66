"""Delete the sample handbook and the test that asks about it, put own documents there."""

import shutil
from pathlib import Path


def edit(project: Path) -> None:
    """What everybody does in the second week."""
    shutil.rmtree(project / "data" / "handbook")
    (project / "tests" / "test_example.py").unlink()
    (project / "data" / "handbook").mkdir()
    (project / "data" / "handbook" / "claims.md").write_text("# Claims\n\nWithin ten days.\n")
