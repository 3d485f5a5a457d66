"""Projects of the presets, as their owners meet them: installed, and checked without a network."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness
from live import environment

INSTALL_S = 600
CHECK_S = 900
UV = shutil.which("uv") or str(Path(sys.executable).parent / "uv")


def run(project: Path, *command: str, timeout_s: int) -> str:
    """Run a command in a project, as its owner would; returns what it printed."""
    # The project's own environment, not the one that runs these tests.
    variables = environment(project)
    del variables["PYTHONPATH"]
    done = subprocess.run(
        command,
        cwd=project,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


LOOPBACK_UP = """
import fcntl, os, socket, struct, sys
UP, SET_FLAGS = 0x1, 0x8914
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh", b"lo", UP))
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""In a new network namespace even loopback is down."""


def without_network() -> list[str]:
    """A prefix that takes everything but loopback from a command.

    A network namespace of its own where the kernel lets us have one. Elsewhere proxies that do
    not exist stand in the way, which a library could get around.
    """
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    user = [] if root else ["--map-current-user", "--keep-caps"]
    isolated = ["unshare", *user, "--net", sys.executable, "-c", LOOPBACK_UP]
    if sys.platform == "linux" and shutil.which("unshare"):
        tried = subprocess.run([*isolated, "true"], check=False, capture_output=True)
        if tried.returncode == 0:
            return isolated
    dead = "http://127.0.0.1:9"
    return ["env", *(f"{name}={dead}" for name in ("http_proxy", "https_proxy", "all_proxy"))]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder outside of pytest's own.

    As root the embedded database runs as another user, from the project's environment; and every
    pytest, the project's own too, shuts other users out of the folder of pytest's files.
    """
    with tempfile.TemporaryDirectory(prefix="preset-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", harness.PRESETS)
def test_a_project_passes_its_own_check_without_a_network(
    name: str, template: Path, place: Path
) -> None:
    made = harness.render(template, place / "project", **harness.preset(name))
    harness.commit(made)
    run(made, UV, "sync", timeout_s=INSTALL_S)

    printed = run(
        made, *without_network(), UV, "run", "--offline", "poe", "check", timeout_s=CHECK_S
    )

    assert " passed" in printed
    assert harness.git(made, "status", "--porcelain", "--", ".", ":!uv.lock") == ""
