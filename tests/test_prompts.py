"""The real prompts, answered key by key in process."""

import io
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier.errors import CopierAnswersInterrupt, UserMessageError
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

ENTER, DOWN, SPACE, CLEAR, CTRL_C = "\r", "\x1b[B", " ", "\x15", "\x03"
SMALL = Size(rows=60, columns=80)
PATIENCE_S = 20
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>78]|\x1b\][^\x07]*\x07|[\r\x07]")

Step = tuple[str, str]
"""What to wait for on the screen, and the keys to press then."""


class Screen(io.StringIO):
    """A terminal's output; what it said since the last look, without colours and line breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def fileno(self) -> int:
        return 1

    def isatty(self) -> bool:
        return True

    def said(self) -> str:
        """Everything so far."""
        return squeeze(ESCAPES.sub("", self.getvalue()))

    def wait_for(self, text: str) -> None:
        """Wait until `text` appears after what was waited for before."""
        wanted, deadline = squeeze(text), time.monotonic() + PATIENCE_S
        while (place := self.said().find(wanted, self.seen)) < 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} did not appear after {self.said()[self.seen :]!r}")
            time.sleep(0.005)
        self.seen = place + len(wanted)


def squeeze(text: str) -> str:
    """Without white space, since lines wrap where the screen ends."""
    return re.sub(r"\s+", "", text)


def interview(template: Path, project: Path, steps: list[Step]) -> Screen:
    """Make a project by answering its prompts: wait, press, wait, press."""
    screen, failed = Screen(), []
    with create_pipe_input() as pipe:

        def press_keys() -> None:
            try:
                for text, keys in steps:
                    screen.wait_for(text)
                    pipe.send_text(keys)
            except TimeoutError as error:
                failed.append(error)
                pipe.send_text(CTRL_C)

        output = Vt100_Output(screen, lambda: SMALL, term="xterm", enable_cpr=False)
        typist = threading.Thread(target=press_keys)
        typist.start()
        try:
            with create_app_session(input=pipe, output=output):
                copier.run_copy(str(template), project, quiet=True)
        finally:
            typist.join()
            if failed:
                raise failed[0]
    return screen


def stored(project: Path) -> dict[str, Any]:
    text = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    return {name: value for name, value in loaded.items() if not name.startswith("_")}


NAME = "What is the service called?"
PURPOSE = "What does it answer"
LATENCY = "Within how many milliseconds must 95"
STREAMED = "Will people watch"
FIRST = "must the first words show"
TOKENS = "How long is a usual answer"
AVAILABILITY = "how many must get an answer?"
DEGRADED = "when every model has failed"
COUNTS = "Does such an answer count"
LOAD = "How many requests a second"
PROVIDERS = "Which model providers?"
PRIMARY = "Which one first?"
URL = "Where is your OpenAI-compatible"
MODEL = "Which model does it serve"
SOURCES = "Where do the documents come from"
HARD = "must be current"
CI = "continuous integration run"
ACCEPT = "Go on anyway?"

DEFAULTS: list[Step] = [
    (question, ENTER)
    for question in (
        *(NAME, PURPOSE, LATENCY, STREAMED, FIRST, TOKENS, AVAILABILITY, DEGRADED, COUNTS),
        *(LOAD, PROVIDERS, PRIMARY, SOURCES, HARD, CI),
    )
]


def instead(*changes: Step) -> list[Step]:
    """The defaults, but for these answers."""
    keys = dict(changes)
    return [(question, keys.get(question, pressed)) for question, pressed in DEFAULTS]


def test_enter_at_every_question_is_a_working_service(
    template: Path, tmp_path: Path, project: Callable[..., Path]
) -> None:
    interview(template, tmp_path / "asked", DEFAULTS)

    assert stored(tmp_path / "asked") == stored(project("unasked"))
    assert stored(tmp_path / "asked")["providers"] == ["openai", "anthropic"]


def test_every_answer_can_be_another_one(template: Path, tmp_path: Path) -> None:
    interview(
        template,
        tmp_path / "project",
        [
            (NAME, CLEAR + "Kundenservice 2" + ENTER),
            (PURPOSE, CLEAR + "Beantwortet Fragen." + ENTER),
            (LATENCY, CLEAR + "9000" + ENTER),
            (STREAMED, "n"),
            (TOKENS, CLEAR + "100" + ENTER),
            (AVAILABILITY, DOWN + ENTER),
            (DEGRADED, DOWN + DOWN + ENTER),
            (LOAD, CLEAR + "0.5" + ENTER),
            # Off with the first, on with the last two.
            (PROVIDERS, SPACE + DOWN + SPACE + DOWN + SPACE + DOWN + SPACE + ENTER),
            (PRIMARY, DOWN + ENTER),
            (URL, CLEAR + "http://models.internal/v1" + ENTER),
            (MODEL, CLEAR + "qwen3:8b" + ENTER),
            (SOURCES, ENTER),
            (HARD, SPACE + ENTER),
            (CI, DOWN + ENTER),
            (ACCEPT, "y"),
        ],
    )

    assert stored(tmp_path / "project") == {
        "project_name": "Kundenservice 2",
        "purpose": "Beantwortet Fragen.",
        "latency_p95_ms": 9000,
        "streamed": False,
        "answer_tokens": 100,
        "availability": "99.9",
        "degraded_mode": "refuse",
        "peak_rps": 0.5,
        "providers": ["google", "openai_compatible"],
        "primary_provider": "openai_compatible",
        "compatible_base_url": "http://models.internal/v1",
        "compatible_model": "qwen3:8b",
        "data_sources": ["files"],
        "hard_sources": ["files"],
        "ci": "gitlab",
        "accept_infeasible": True,
    }


def test_nothing_chosen_asks_nothing_about_it(template: Path, tmp_path: Path) -> None:
    steps = instead((PROVIDERS, SPACE + DOWN + SPACE + ENTER), (SOURCES, SPACE + ENTER))

    interview(template, tmp_path / "project", [s for s in steps if s[0] not in (PRIMARY, HARD)])

    answers = stored(tmp_path / "project")
    assert (answers["providers"], answers["data_sources"]) == ([], [])
    assert not {"primary_provider", "hard_sources", "compatible_model"} & set(answers)


def test_only_chosen_providers_can_be_the_first(template: Path, tmp_path: Path) -> None:
    openai_and_google = DOWN + SPACE + DOWN + SPACE + ENTER

    interview(
        template,
        tmp_path / "project",
        instead((PROVIDERS, openai_and_google), (PRIMARY, DOWN + ENTER)),
    )

    assert stored(tmp_path / "project")["providers"] == ["openai", "google"]
    assert stored(tmp_path / "project")["primary_provider"] == "google"


WRONG = [
    (NAME, "2nd line", "start with a letter, a to z", "Second line", "project_name"),
    (NAME, "x" * 61, "use 1 to 60 characters", "x", "project_name"),
    (PURPOSE, " ", "write a sentence", "Answers.", "purpose"),
    (PURPOSE, "x" * 201, "use at most 200 characters", "Answers.", "purpose"),
    (LATENCY, "499", "give 500 to 120000 ms", "7000", "latency_p95_ms"),
    (LATENCY, "soon", "Invalid input", "7000", "latency_p95_ms"),
    (FIRST, "8000", "give less than 8000 ms", "2600", "first_token_ms"),
    (FIRST, "99", "give 100 to 60000 ms", "2600", "first_token_ms"),
    (TOKENS, "9", "give 10 to 8000 tokens", "50", "answer_tokens"),
    (LOAD, "0", "give more than 0, up to 10000", "1", "peak_rps"),
    (LOAD, "nan", "give more than 0, up to 10000", "1", "peak_rps"),
]


@pytest.mark.parametrize(("question", "wrong", "message", "right", "name"), WRONG)
def test_a_wrong_value_is_told_what_to_do(
    question: str,
    wrong: str,
    message: str,
    right: str,
    name: str,
    template: Path,
    tmp_path: Path,
) -> None:
    steps = instead((question, CLEAR + wrong + ENTER))
    place = steps.index((question, CLEAR + wrong + ENTER))
    steps.insert(place + 1, (message, CLEAR + right + ENTER))

    interview(template, tmp_path / "project", steps)

    assert str(stored(tmp_path / "project")[name]) in (right, f"{right}.0")


def test_a_wrong_address_is_told_what_to_do(template: Path, tmp_path: Path) -> None:
    steps = instead((PROVIDERS, SPACE + DOWN + SPACE + DOWN + DOWN + SPACE + ENTER))
    place = steps.index((PRIMARY, ENTER))
    steps[place : place + 1] = [
        (URL, CLEAR + "models.internal" + ENTER),
        ("use http://host/path", CLEAR + "http://models.internal" + ENTER),
        (MODEL, CLEAR + "two words" + ENTER),
        ("use a name without spaces", CLEAR + "one" + ENTER),
    ]

    interview(template, tmp_path / "project", steps)

    assert stored(tmp_path / "project")["compatible_base_url"] == "http://models.internal"
    assert stored(tmp_path / "project")["compatible_model"] == "one"


IMPOSSIBLE = [
    *instead((LATENCY, CLEAR + "2000" + ENTER), (STREAMED, "n"))[:4],
    *[step for step in DEFAULTS[5:] if step[0] != FIRST],
]
EXPLAINED = [
    "These answers do not work out",
    "L1: 250 answer tokens at 50 tokens/s need 5,700 ms and the model stage has 1,620 ms",
    "- raise [latency] p95_ms to at least 7,000",
    "- stream the answers: [latency] streamed = true",
    "- shorten [answer] typical_tokens to at most 46",
    "L2: [latency] p95_ms 2,000 leaves 1,620 ms for the model",
]


def test_answers_that_do_not_work_out_are_explained_and_stop(
    template: Path, tmp_path: Path
) -> None:
    shown: list[Step] = [(text, "") for text in EXPLAINED]

    with pytest.raises(UserMessageError, match="L1: 250 answer tokens"):
        interview(template, tmp_path / "project", [*IMPOSSIBLE, *shown, (ACCEPT, "n")])

    assert not (tmp_path / "project").exists()


def test_answers_that_do_not_work_out_can_be_accepted(template: Path, tmp_path: Path) -> None:
    interview(template, tmp_path / "project", [*IMPOSSIBLE, (ACCEPT, "y")])

    assert stored(tmp_path / "project")["accept_infeasible"] is True
    objectives = (tmp_path / "project" / "config" / "objectives.toml").read_text("utf-8")
    assert 'rules = ["L1", "L2"]' in objectives


@pytest.mark.parametrize("question", [NAME, AVAILABILITY, CI])
def test_ctrl_c_leaves_nothing(question: str, template: Path, tmp_path: Path) -> None:
    place = [name for name, _ in DEFAULTS].index(question)

    with pytest.raises(CopierAnswersInterrupt):
        interview(template, tmp_path / "project", [*DEFAULTS[:place], (question, CTRL_C)])

    assert not (tmp_path / "project").exists()
