import signal
import threading
import time

import pytest
from project import SOURCES, app, make_project, start_app


@pytest.fixture
def worker(tmp_path, database_url):
    """Start a worker; yields a function that waits for a line of its log."""
    project = make_project(tmp_path / "project")
    process = start_app(project, database_url, "worker", APP_SOURCES__NOTES__EVERY_MINUTES="0.005")
    log: list[str] = []
    reader = threading.Thread(target=lambda: log.extend(process.stderr), daemon=True)
    reader.start()

    def wait_for(text: str, times: int = 1) -> list[str]:
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            found = [line for line in log if text in line]
            if len(found) >= times:
                return found
            assert process.poll() is None, "".join(log)
            time.sleep(0.02)
        raise AssertionError(f"{text!r} not seen {times} times in:\n{''.join(log)}")

    yield process, project, wait_for
    process.kill()
    process.wait()
    reader.join()
    process.stderr.close()


def test_a_worker_reads_its_sources_again_and_again(worker, database_url):
    _, project, wait_for = worker

    first, second, *_ = wait_for("source_read", times=2)

    assert "read=1" in first
    assert "read=0" in second
    assert "unchanged=1" in second
    assert "The alpha door" in app(project, database_url, "ask", "When does it open?").stdout


def test_a_worker_stops_when_it_is_told_to(worker):
    process, _, wait_for = worker
    wait_for("source_read")

    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0


def test_a_worker_does_not_start_with_a_source_that_it_cannot_build(tmp_path, database_url):
    project = make_project(tmp_path / "project")
    unknown = SOURCES.replace("[notes]", '[notes]\nadapter = "absent"', 1)
    (project / "config" / "sources.toml").write_text(unknown)

    done = app(project, database_url, "worker")

    assert done.returncode == 2
    assert "no sources adapter 'absent'" in done.stderr
