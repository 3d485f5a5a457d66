import re

import pytest
from project import app, make_project


@pytest.fixture
def project(tmp_path):
    return make_project(tmp_path / "project")


def test_a_question_is_answered_with_its_citation_and_timings(project, database_url):
    done = app(project, database_url, "ask", "When does the alpha door open?")

    assert done.returncode == 0, done.stderr
    text, citation, summary = re.split(r"\n\n", done.stdout.strip())
    assert text == "The alpha door opens at nine o'clock. [1]"
    assert citation == "a (memory/a)\n  “The alpha door opens at nine o'clock.”"
    assert re.fullmatch(
        r"full; offline; no provider key is set: quoted, not written; \d+ ms: "
        r"retrieve \d+, generate \d+, finish \d+, save \d+",
        summary,
    )


def test_reading_says_what_changed(project, database_url):
    first = app(project, database_url, "ingest")
    second = app(project, database_url, "ingest", "notes")

    assert first.stderr.rstrip().endswith("notes: 1 read, 0 unchanged, 0 removed, 0 unreadable")
    assert second.stderr.rstrip().endswith("notes: 0 read, 1 unchanged, 0 removed, 0 unreadable")


def test_an_unknown_source_is_named_with_the_known_ones(project, database_url):
    done = app(project, database_url, "ingest", "wiki")

    assert done.returncode == 2
    assert "no data source 'wiki' in config/sources.toml; known: notes" in done.stderr


def test_check_explains_every_number_and_every_part(project):
    done = app(project, None, "check")

    assert done.returncode == 0, done.stderr
    squeezed = re.sub(r"\s+", " ", done.stdout)
    for expected in (
        "Alpha doors (alpha-doors, dev)",
        "deadline_ms 4,000 L = [latency] p95_ms",
        "model_ms 3,240 M = L - admit - retrieve - finish - reserve",
        "answer openai/model-1",
        "providers/openai.py left out: OPENAI_API_KEY is not set",
        "notes",
        "sources/notes.py ready counts as full",
        "OPENAI_API_KEY missing",
        "database: embedded",
    ):
        assert expected in squeezed


def test_check_says_where_a_secret_was_found_and_never_what_it_is(project, tmp_path):
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    (mounted / "OPENAI_API_KEY").write_text("sk-not-to-be-seen\n")

    done = app(project, None, "check", APP_SECRETS_DIR=str(mounted))

    assert re.search(rf"OPENAI_API_KEY\s+{mounted}/OPENAI_API_KEY", done.stdout)
    assert "not-to-be-seen" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "DATABASE_URL is not set; in production it must name a Postgres server"),
        ({"APP_PROT": "80"}, "APP_PROT names no setting; did you mean APP_PORT?"),
        ({"APP_PORT": "eighty"}, "APP_PORT: input should be a valid integer"),
        (
            {"APP_OBJECTIVES__LATENCY__P95_MS": "1"},
            "APP_OBJECTIVES__LATENCY__P95_MS: input should be greater than or equal to 500",
        ),
    ],
)
def test_production_refuses_to_start_on_a_bad_configuration(project, variables, message):
    done = app(project, None, "serve", APP_ENV="production", **variables)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_production_refuses_to_start_without_a_secret(project, database_url):
    done = app(project, database_url, "serve", APP_ENV="production")

    assert done.returncode == 2
    assert "secret OPENAI_API_KEY is not set" in done.stderr


def test_production_refuses_an_objective_that_cannot_be_met(project, database_url):
    tight = {"APP_OBJECTIVES__AVAILABILITY__TARGET": "0.9999", "OPENAI_API_KEY": "k"}
    refused = app(project, database_url, "ingest", APP_ENV="production", **tight)
    accepted = app(
        project,
        database_url,
        "ingest",
        APP_ENV="production",
        APP_OBJECTIVES__ACCEPTED__RULES='["A2", "A3"]',
        **tight,
    )

    assert refused.returncode == 2
    assert "the objectives cannot be met" in refused.stderr
    assert accepted.returncode == 0, accepted.stderr


def test_check_says_why_production_would_not_start(project):
    done = app(project, None, "check", APP_ENV="production")

    assert done.returncode == 2
    assert "database: missing" in done.stdout
    assert (
        "production refuses to start: secret OPENAI_API_KEY is not set; DATABASE_URL is not set"
        in done.stderr
    )


def test_a_secret_in_the_place_of_its_name_is_not_shown(project):
    own = {"APP_MODELS__PROVIDERS__OPENAI__API_KEY": "not-to-be-seen-123"}

    done = app(project, None, "check", **own)

    assert done.returncode == 2
    assert "hold the name of a secret" in done.stderr
    assert "not-to-be-seen" not in done.stdout + done.stderr


def test_settings_may_stand_in_a_file_during_development(project):
    (project / ".env").write_text("APP_PORT=8123\nAPP_DRAIN_S=\nDATABASE_URL=postgresql://h/d\n")

    assert "database: DATABASE_URL" in app(project, None, "check").stdout
    assert "database: missing" in app(project, None, "check", APP_ENV="production").stdout


@pytest.mark.parametrize("url", ["mysql://u:p4ss@h/d", "host=h password=p4ss", "postgres://h:p4ss"])
def test_what_is_no_postgres_url_is_refused_and_not_shown(project, url):
    done = app(project, url, "ask", "When?")

    assert done.returncode == 2
    assert "DATABASE_URL must look like postgresql://" in done.stderr
    assert "p4ss" not in done.stderr


def test_a_database_that_is_away_is_an_error_not_a_stack_trace(project):
    done = app(project, "postgresql://nobody@127.0.0.1:1/none", "ask", "When?")

    assert done.returncode == 2
    assert "error: the database could not be migrated" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_there_is_not_is_refused(project, database_url):
    done = app(project, database_url, "serve", "--port", "99999")

    assert done.returncode == 2
    assert "--port': Input should be less than or equal to 65535" in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_of_a_project_the_error_says_so(tmp_path):
    done = app(tmp_path, None, "check")

    assert done.returncode == 2
    assert "run this from the project's folder" in done.stderr
