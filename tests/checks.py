"""What must hold for every project, whatever was answered."""

import json
import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from chassis.feasibility import findings
from chassis.settings import Settings, load

from harness import compiled

LEFTOVER = re.compile(r"(?<!\$)\{\{|\{%|^[ \t]*# %", re.MULTILINE)
PARSERS: dict[str, Any] = {
    ".py": lambda text: compiled(text.encode()),
    ".toml": tomllib.loads,
    ".yml": yaml.safe_load,
    ".yaml": yaml.safe_load,
    ".json": json.loads,
}
_known: set[tuple[str, bytes]] = set()


def parse(files: dict[str, bytes], template: Path, *answers: str) -> None:
    """Every file parses and none has a tag of ours left; each distinct content is looked at once.

    Args:
        template: Its plain copies may hold braces of their own.
        answers: Texts that may hold anything, and are taken out before tags are looked for.
    """
    for name, content in files.items():
        if (name, content) not in _known:
            _known.add((name, content))
            PARSERS.get(Path(name).suffix, str)(content.decode(errors="replace"))
            if name != ".copier-answers.yml" and not is_plain_copy(name, content, template):
                assert not LEFTOVER.search(without(answers, content.decode())), name


def is_plain_copy(name: str, content: bytes, template: Path) -> bool:
    """Whether the file lies in the template just so, which means that it was not rendered."""
    place = template / "template" / name
    return place.is_file() and place.read_bytes() == content


def without(answers: tuple[str, ...], text: str) -> str:
    """The text without the answers, as they are and as TOML writes them."""
    for answer in answers:
        text = text.replace(answer, "").replace(json.dumps(answer, ensure_ascii=False), "")
    return text


def configuration(project: Path) -> Settings:
    """Load the project's configuration as the service does, whatever is set on this machine."""
    with mock.patch.dict(os.environ, {}, clear=True):
        return load(project / "config")


def accepts_what_fails(settings: Settings, today: date) -> None:
    """The accepted rules are those that fail in the service, and no others."""
    failing = {f.rule for f in findings(settings, today=today) if f.severity == "error"}

    assert set(settings.objectives.accepted.rules) == failing
