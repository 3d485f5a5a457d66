"""Boots a generated project, and a stand-in for its model vendors, on real sockets."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from chassis.simulator import Simulator, simulator

BOOT_S = 60
QUESTION = {"question": "What does a diagnosis of a Kestrel 20 cost in the workshop?"}
STREAM = {"accept": "text/event-stream"}


def environment(project: Path, **variables: str) -> dict[str, str]:
    """The environment of a project's commands: its own code, and nothing set on this machine.

    The libraries are those of this interpreter, so that no project needs an installation.
    """
    dropped = {"DATABASE_URL", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "PYTHONPATH"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith("APP_") and not name.endswith("_API_KEY")
    }
    own = [str(project / "src"), str(project / "chassis" / "src")]
    return kept | {"PYTHONPATH": os.pathsep.join(own), "NO_COLOR": "1"} | variables


def run_app(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of the project's commands to its end."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=project,
        env=environment(project, **variables),
        capture_output=True,
        text=True,
        timeout=BOOT_S,
        check=False,
    )


@contextmanager
def serving(project: Path, **variables: str) -> Iterator[httpx2.Client]:
    """Boot the project's service; yields a client for it.

    Raises:
        AssertionError: It did not start; the message has its output.
    """
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(port)],
        cwd=project,
        env=environment(project, **variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    log: list[str] = []
    reader = threading.Thread(target=lambda: log.extend(process.stderr or []), daemon=True)
    reader.start()
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until_up(client, process, log)
            yield client
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
        reader.join(10)
        if process.stderr:
            process.stderr.close()


def wait_until_up(client: httpx2.Client, process: subprocess.Popen[str], log: list[str]) -> None:
    """Return when the service answers its liveness probe."""
    limit = time.monotonic() + BOOT_S
    while time.monotonic() < limit:
        assert process.poll() is None, "".join(log)
        with suppress(httpx2.TransportError):
            client.get("/livez")
            return
        time.sleep(0.05)
    raise AssertionError(f"not up after {BOOT_S} s:\n{''.join(log)}")


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def vendor() -> Iterator[Simulator]:
    """The chassis's simulator of model vendors, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running = simulator()
    made = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(10)
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def pointed_at(vendors: dict[str, Simulator]) -> dict[str, str]:
    """The variables that point providers at simulators and give them keys."""
    keys = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k", "GEMINI_API_KEY": "k"}
    urls = {
        f"APP_MODELS__PROVIDERS__{name.upper()}__BASE_URL": made.base_url(name)
        for name, made in vendors.items()
    }
    return keys | urls


@dataclass(frozen=True)
class Reply:
    """A reply and how long it took, in seconds."""

    status: int
    body: dict[str, Any]
    took_s: float


def ask(client: httpx2.Client, **headers: str) -> Reply:
    """Ask `QUESTION` for a JSON answer."""
    begun = time.monotonic()
    reply = client.post("/v1/answers", json=QUESTION, headers=headers)
    return Reply(reply.status_code, reply.json(), time.monotonic() - begun)
