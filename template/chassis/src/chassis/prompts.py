"""Prompts are Markdown files, one each; their version is the hash of their content."""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from .errors import ConfigError
from .ports import Passage, Prompt
from .words import without_numbers

NOT_FOUND = "The documents do not contain an answer to this question."
"""What a model is asked to say then, word for word, so that the guard knows it in any stream."""


class Prompts:
    """Fills the prompt files of the team's package.

    Args:
        package: The team's package; the files are in its folder `prompts`.
        values: What `{name}` placeholders in a prompt stand for.
    """

    def __init__(self, package: str, values: dict[str, str]) -> None:
        self._package = package
        self._values = {**values, "not_found": NOT_FOUND}

    def render(self, name: str, question: str, passages: Sequence[Passage]) -> Prompt:
        """Build the prompt `name` for a question and its numbered passages.

        Raises:
            ConfigError: There is no such prompt, or it has a placeholder without a value.
        """
        text = f"{numbered(passages)}\n\nQuestion: {question}"
        template = read(self._package, name)
        version = hashlib.sha256(template.encode()).hexdigest()[:12]
        return Prompt(self.text(name), text, version, question, tuple(passages))

    def text(self, name: str) -> str:
        """The prompt file `name` with its placeholders filled.

        Raises:
            ConfigError: There is no such prompt, or it has a placeholder without a value.
        """
        template = read(self._package, name)
        try:
            return template.format_map(self._values).strip()
        except (KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
            raise ConfigError(
                f"prompts/{name}.md has braces that stand for nothing: {error}; "
                f"known: {', '.join(sorted(self._values))}; write {{{{ and }}}} for braces"
            ) from error


@cache
def read(package: str, name: str) -> str:
    """The content of a prompt file; read once."""
    try:
        return (files(package) / "prompts" / f"{name}.md").read_text(encoding="utf-8")
    except (FileNotFoundError, ModuleNotFoundError) as error:
        raise ConfigError(
            f"prompt {name!r} not found; expected {package}/prompts/{name}.md"
        ) from error


def numbered(passages: Sequence[Passage]) -> str:
    """The passages as the model sees them; a document's own `[7]` cannot pass for a number."""
    return "\n\n".join(
        f"[{number}] {without_numbers(passage.heading)}\n{without_numbers(passage.text).strip()}"
        for number, passage in enumerate(passages, start=1)
    )
