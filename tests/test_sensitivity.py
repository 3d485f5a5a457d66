"""Every question, answered differently, changes what the booted service does.

An answer that changes only text is a defect. A new question gets its probe here; a test below
fails until it has one.
"""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from chassis.prompts import NOT_FOUND
from chassis.simulator import Call, Simulator
from chassis.testing import database

import harness
from live import QUESTION, STREAM, ask, pointed_at, run_app, serving, vendor

Boot = Callable[..., Any]


class Booted:
    """A project made with some answers, serving, with simulated vendors.

    Attributes:
        vendors: One simulator per provider, which answers, fails or hangs as it is told.
    """

    def __init__(self, client: httpx2.Client, vendors: dict[str, Simulator]) -> None:
        self.client = client
        self.vendors = vendors

    def called(self) -> list[str]:
        """The providers that were asked to write so far."""
        return [name for name, made in self.vendors.items() if self.written_by(made)]

    def written_by(self, made: Simulator) -> list[Call]:
        """The calls for text, without those for vectors."""
        return [call for call in made.calls if "embed" not in call.path]

    def fail(self, fault: Any, *names: str) -> None:
        """Make vendors fail, all of them when none is named."""
        for name in names or self.vendors:
            self.vendors[name].fault = fault


@pytest.fixture
def booted(template: Path, tmp_path: Path, server_url: str, template_database: str) -> Boot:
    """Boot a project made with these answers: `with booted(streamed=False) as service`."""

    @contextmanager
    def boot(variables: dict[str, str] | None = None, **answers: Any) -> Iterator[Booted]:
        project = harness.render(template, tmp_path / f"p{time.monotonic_ns()}", **answers)
        with ExitStack() as stack:
            names = ("openai", "anthropic", "google", "openai_compatible")
            vendors = {name: stack.enter_context(vendor()) for name in names}
            configured = (project / "config" / "models.toml").read_text()
            used = {
                name: made for name, made in vendors.items() if f"[providers.{name}]" in configured
            }
            url = stack.enter_context(database(server_url, template_database))
            settings = {"DATABASE_URL": url} | pointed_at(used) | (variables or {})
            yield Booted(stack.enter_context(serving(project, **settings)), used)

    return boot


def probe_project_name(booted: Boot, **answers: Any) -> Any:
    with booted(**answers) as service:
        return service.client.get("/status").json()["service"]


def probe_purpose(booted: Boot, **answers: Any) -> Any:
    with booted(**answers) as service:
        ask(service.client)
        sent = service.vendors["openai"].calls[-1].body["messages"][0]["content"]
        described = service.client.get("/openapi.json").json()["info"]["description"]
        return described, described in sent


def probe_deadline(booted: Boot, **answers: Any) -> Any:
    """In which second a question ends that no vendor answers."""
    with booted(**answers) as service:
        service.fail("hang")
        return int(ask(service.client).took_s)


def probe_streaming(booted: Boot, **answers: Any) -> Any:
    with booted(**answers) as service:
        return service.client.post("/v1/answers", json=QUESTION, headers=STREAM).status_code


def probe_patience(booted: Boot, **answers: Any) -> Any:
    """In which second the second vendor writes because the first shows nothing."""
    with booted(**answers) as service:
        service.fail("hang", "openai")
        begun = time.monotonic()
        with service.client.stream("POST", "/v1/answers", json=QUESTION, headers=STREAM) as reply:
            for line in reply.iter_lines():
                if line == "event: delta":
                    return int(time.monotonic() - begun)
        return None


def probe_token_cap(booted: Boot, **answers: Any) -> Any:
    with booted(**answers) as service:
        ask(service.client)
        return service.vendors["openai"].calls[-1].body["max_completion_tokens"]


def probe_objective(booted: Boot, **answers: Any) -> Any:
    with booted(**answers) as service:
        text = service.client.get("/metrics").text
        return re.search(r'slo_objective{slo="availability"} (\S+)', text)[1]  # type: ignore[index]


def probe_no_model_left(booted: Boot, **answers: Any) -> Any:
    """What callers get when every vendor is down."""
    with booted(**answers) as service:
        service.fail("error")
        reply = ask(service.client)
        return reply.status, reply.body.get("text", "")[:20]


def probe_capacity(booted: Boot, **answers: Any) -> Any:
    """How many of 40 callers at once are let in while the vendors hang."""
    with booted(**answers) as service:
        service.fail("hang")
        with ThreadPoolExecutor(40) as callers:
            replies = list(callers.map(lambda _: ask(service.client), range(40)))
        return sum(reply.took_s > 1 for reply in replies)


def probe_first_called(booted: Boot, **answers: Any) -> Any:
    with booted(**answers) as service:
        ask(service.client)
        return service.called()


def probe_documents(booted: Boot, **answers: Any) -> Any:
    with booted(**answers) as service:
        return service.client.get("/status").json()["sources"].keys()


def probe_missing_source(booted: Boot, **answers: Any) -> Any:
    """What an answer counts as when the documents cannot be read."""
    nowhere = {"APP_SOURCES__FILES__PATH": "nowhere"}
    with booted(nowhere, **answers) as service:
        service.vendors["openai"].text = NOT_FOUND
        return ask(service.client).body["answer_kind"]


PROBES: dict[str, tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]] = {
    "project_name": (probe_project_name, {}, {"project_name": "Claims desk"}),
    "purpose": (probe_purpose, {}, {"purpose": 'Knows "everything" about {doors}.'}),
    "latency_p95_ms": (
        probe_deadline,
        {"latency_p95_ms": 8000, "streamed": False, "answer_tokens": 50},
        {"latency_p95_ms": 4800, "streamed": False, "answer_tokens": 50},
    ),
    "streamed": (probe_streaming, {}, {"streamed": False}),
    "first_token_ms": (probe_patience, {}, {"first_token_ms": 6000}),
    "answer_tokens": (probe_token_cap, {}, {"answer_tokens": 60}),
    "availability": (probe_objective, {}, {"availability": "99"}),
    "degraded_mode": (probe_no_model_left, {}, {"degraded_mode": "template"}),
    "degraded_counts": (probe_no_model_left, {}, {"degraded_counts": False}),
    "peak_rps": (probe_capacity, {"peak_rps": 1}, {"peak_rps": 4.5}),
    "providers": (probe_first_called, {}, {"providers": ["google"], "availability": "99"}),
    "primary_provider": (probe_first_called, {}, {"primary_provider": "anthropic"}),
    "data_sources": (probe_documents, {}, {"data_sources": []}),
    "hard_sources": (probe_missing_source, {}, {"hard_sources": ["files"]}),
}
"""The probe, the answers to begin with, and the answers of which one is different."""

ELSEWHERE = {
    "compatible_base_url": "test_the_address_of_a_compatible_server_is_where_questions_go",
    "compatible_model": "test_the_model_of_a_compatible_server_is_the_one_asked_for",
    "ci": "test_ci_runs_the_check_that_a_project_passes",
    "accept_infeasible": "test_production_starts_only_with_the_rules_that_were_accepted",
}


def test_every_question_has_a_probe() -> None:
    assert PROBES.keys() | ELSEWHERE.keys() == harness.asked()
    assert set(ELSEWHERE.values()) <= set(globals())


@pytest.mark.parametrize("question", PROBES)
def test_another_answer_is_another_service(question: str, booted: Boot) -> None:
    probe, before, after = PROBES[question]

    first, second = probe(booted, **before), probe(booted, **after)

    print(f"{question}: {first!r} -> {second!r}")
    assert first != second


COMPATIBLE = {"providers": ["openai_compatible"], "availability": "99", "degraded_counts": True}


def test_the_address_of_a_compatible_server_is_where_questions_go(
    template: Path, tmp_path: Path, server_url: str, template_database: str
) -> None:
    with vendor() as own, vendor() as other, database(server_url, template_database) as url:
        for made in (own, other):
            answers = COMPATIBLE | {"compatible_base_url": f"{made.url}/v1"}
            project = harness.render(template, tmp_path / str(made.port), **answers)
            with serving(project, DATABASE_URL=url) as client:
                ask(client)

    assert [call.path for call in own.calls] == ["/v1/chat/completions"]
    assert [call.path for call in other.calls] == ["/v1/chat/completions"]


def test_the_model_of_a_compatible_server_is_the_one_asked_for(booted: Boot) -> None:
    with booted(**COMPATIBLE, compatible_model="house/large-2") as service:
        ask(service.client)

        (call,) = service.vendors["openai_compatible"].calls
    assert call.body["model"] == "house/large-2"


@pytest.mark.parametrize("ci", ["github", "gitlab", "none"])
def test_ci_runs_the_check_that_a_project_passes(ci: str, project: Callable[..., Path]) -> None:
    made = project(ci=ci)

    files = [made / ".github" / "workflows" / "ci.yml", made / ".gitlab-ci.yml"]
    present = [path for path in files if path.exists()]
    assert len(present) == (ci != "none")
    for path in present:
        assert "uv run poe check" in commands(yaml.safe_load(path.read_text()))


def commands(node: Any) -> list[str]:
    """Every command of a workflow, whichever system's."""
    if isinstance(node, dict):
        own = [line for key in ("run", "script") for line in as_lines(node.get(key))]
        return own + [line for value in node.values() for line in commands(value)]
    return [line for item in node for line in commands(item)] if isinstance(node, list) else []


def as_lines(script: Any) -> list[str]:
    """The lines of a script, given as text or as a list."""
    text = "\n".join(script) if isinstance(script, list) else script or ""
    return [line.strip() for line in str(text).splitlines()]


def test_production_starts_only_with_the_rules_that_were_accepted(
    project: Callable[..., Path], server_url: str, template_database: str
) -> None:
    made = project(availability="99.99", accept_infeasible=True)
    objectives = made / "config" / "objectives.toml"

    with database(server_url, template_database) as url:
        keys = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
        production = {"APP_ENV": "production", "DATABASE_URL": url} | keys
        accepted = run_app(made, "ingest", **production)
        objectives.write_text(re.sub(r"rules = .*", "rules = []", objectives.read_text()))
        refused = run_app(made, "ingest", **production)

    assert accepted.returncode == 0, accepted.stderr
    assert refused.returncode == 2
    assert "the objectives cannot be met" in refused.stderr
