"""One interview in a real terminal: the command people type, and what they read."""

import re
import sys
import time
from pathlib import Path

import pexpect
import pyte
import pytest
import yaml

COLUMNS, ROWS = 80, 40  # small; what does not fit is cut and not wrapped
ENTER, DOWN = "\r", "\x1b[B"
PATIENCE_S = 30
WHERE_IS_THE_CURSOR, AT_THE_TOP = "\x1b[6n", "\x1b[1;1R"


class Terminal:
    """A command in a pseudo terminal, with the screen that a person would see."""

    def __init__(self, command: list[str], home: Path) -> None:
        environment = {
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            env=environment,
            cwd=str(home),
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            timeout=PATIENCE_S,
        )
        self.screen = pyte.HistoryScreen(COLUMNS, ROWS, history=1000)
        self.stream = pyte.Stream(self.screen)

    def read(self) -> bool:
        """Take what the command wrote; False when it has ended."""
        try:
            text = self.child.read_nonblocking(65536, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        if WHERE_IS_THE_CURSOR in text:
            self.child.send(AT_THE_TOP)
        self.stream.feed(text)
        return True

    def text(self) -> str:
        """What is on the screen and above it, in single spaces."""
        above = ["".join(row[n].data for n in range(COLUMNS)) for row in self.screen.history.top]
        return re.sub(r"\s+", " ", " ".join([*above, *self.screen.display]))

    def wait_for(self, text: str) -> None:
        """Wait until the screen shows `text`."""
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.text():
            assert time.monotonic() < deadline, f"{text!r} is not in {self.text()!r}"
            if not self.read():
                assert text in self.text(), self.text()

    def answer(self, question: str, keys: str = ENTER) -> None:
        """Wait for a question, then press keys."""
        self.wait_for(question)
        self.child.send(keys)

    def exit_code(self) -> int:
        """Read to the end."""
        while self.read():
            pass
        self.child.close()
        return int(self.child.exitstatus)


@pytest.fixture
def copy(template: Path, tmp_path: Path) -> Terminal:
    """`copier copy <template> my-service`, as it is typed; no --trust."""
    command = [sys.executable, "-m", "copier", "copy", str(template), "my-service"]
    return Terminal(command, tmp_path)


def test_a_person_is_asked_is_warned_and_gets_a_service(copy: Terminal, tmp_path: Path) -> None:
    copy.wait_for("Every default works: press Enter to take it.")
    copy.wait_for("Nothing is executed on your machine")
    copy.answer('"Kundenservice 2" becomes kundenservice-2.', "\x15Claims desk" + ENTER)
    copy.answer("The model reads it in every prompt, callers in the API's description.")
    copy.answer("It becomes the deadline of every request", "\x152000" + ENTER)
    copy.answer("Will people watch the answer being written?", "n")
    copy.answer("A model may write twice as much and no more.")
    copy.wait_for("99.5 % (216 minutes)")
    copy.answer("99.99 % (4 minutes: more than one region, nobody can react in time)")
    copy.wait_for("A fixed text of yours")
    copy.answer("The best passages, quoted with their sources")
    copy.answer("callers get status 200 with it instead of 503.")
    copy.answer("callers beyond them are told to come back, at once.")
    copy.answer("OpenAI-compatible server (vLLM, Ollama, LM Studio, a gateway)")
    copy.answer("Which one first?")
    copy.answer("Files (a folder of Markdown, HTML, PDF, Word)")
    copy.answer("an old document beats no answer.")
    copy.answer("GitLab CI")
    copy.wait_for("L2: [latency] p95_ms 2,000 leaves 1,620 ms for the model")
    copy.wait_for("- raise [latency] p95_ms to at least")
    copy.answer("Go on anyway? Yes is recorded in config/objectives.toml.", "y")

    assert copy.exit_code() == 0
    copy.wait_for("Claims desk is in")
    copy.wait_for("A1: openai publishes no uptime commitment; planned with 99.50 %")
    copy.wait_for("uv run app ask")
    answers = (tmp_path / "my-service" / ".copier-answers.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(answers)["project_name"] == "Claims desk"


def test_ctrl_c_ends_it_and_leaves_nothing(copy: Terminal, tmp_path: Path) -> None:
    copy.answer("What is the service called?")
    copy.answer("What does it answer", "\x03")

    assert copy.exit_code() == 1
    copy.wait_for("Execution stopped by user")
    assert not (tmp_path / "my-service").exists()
