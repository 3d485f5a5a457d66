"""Makes projects from the template as it lies here, in process and quickly.

A copy by the command line costs about two seconds, half of it for starting Copier. In process, most
of the rest is cloning the template, one `git config` process for every rendered file, and rendering
every part of every path as a template of its own. `fast_copier` and `export` save those; nothing
that decides what is rendered is touched, and a test compares with a copy that saves nothing.
"""

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any
from unittest import mock

import copier
import copier._main
import copier._template
import jinja2.environment
import plumbum
import yaml
from copier._jinja_ext import get_yield_context

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("copier.yml", "hooks", "template")
PRESETS = sorted(path.stem for path in (ROOT / "tests" / "answers").glob("*.yml"))

Answers = Mapping[str, Any]
Code = frozenset[tuple[str, bytes]]

# Git that depends on nothing of this machine and does not wait for the disk.
GIT = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.fsync",
    "GIT_CONFIG_VALUE_0": "none",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git in `folder`, whatever the machine's own git is set to."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**os.environ, **GIT},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def commit(project: Path, message: str = "change") -> None:
    """Commit everything, in a repository that is made when there is none."""
    if not (project / ".git").exists():
        git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", f"--message={message}")


def export(destination: Path, root: Path = ROOT) -> Path:
    """Copy the template as it lies here, without its history.

    Uncommitted work counts, ignored files do not. A plain folder saves Copier a clone per copy.
    """
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PARTS)
    for name in filter(None, listed.split("\0")):
        source, target = root / name, destination / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return destination


def snapshot(project: Path) -> dict[str, bytes]:
    """Every file by its path, without git's."""
    files = (path for path in sorted(project.rglob("*")) if path.is_file())
    named = ((path.relative_to(project).as_posix(), path) for path in files)
    return {name: path.read_bytes() for name, path in named if not name.startswith(".git/")}


def config() -> dict[str, Any]:
    """`copier.yml`, parsed."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return loaded


def questions() -> dict[str, Any]:
    """The questions of `copier.yml`, computed ones included."""
    return {name: value for name, value in config().items() if not name.startswith("_")}


@cache
def asked() -> frozenset[str]:
    """Names of the questions that a person can be asked."""
    return frozenset(name for name, row in questions().items() if row.get("when") is not False)


def checked(answers: Answers) -> dict[str, Any]:
    """The answers, unless one has no question: Copier takes any name and ignores it.

    Raises:
        KeyError: There is no such question.
    """
    unknown = set(answers) - asked()
    if unknown:
        raise KeyError(f"no such question: {', '.join(sorted(unknown))}")
    return dict(answers)


def preset(name: str) -> dict[str, Any]:
    """The answers in `tests/answers/<name>.yml`."""
    text = (ROOT / "tests" / "answers" / f"{name}.yml").read_text(encoding="utf-8")
    return checked(yaml.safe_load(text) or {})


def render(template: Path, project: Path, **answers: Any) -> Path:
    """Make a project from an exported template, without any prompt and without trust."""
    copier.run_copy(str(template), project, data=checked(answers), defaults=True, quiet=True)
    return project


def update(project: Path, **options: Any) -> None:
    """Update a project as `copier update --defaults` does."""
    copier.run_update(project, defaults=True, overwrite=True, quiet=True, **options)


@contextmanager
def fast_copier() -> Iterator[None]:
    """Save what costs most in a process that renders hundreds of projects.

    - No git process per rendered file: it copies the executable bit, which no file here has.
    - Each distinct template text is compiled once; Copier makes a new environment for every copy.
    - A text without a brace or a hash is what it renders to. Most parts of paths are.
    - The answers file's name is not rendered; it has no tags, and Copier asks for it at each file.
    - `copier.yml` is parsed once for each content.
    """
    worker = copier._main.Worker
    with (
        mock.patch.dict(os.environ, {**GIT, "COPIER_SETTINGS_PATH": os.devnull}),
        plumbum.local.env(**GIT),  # Copier's git; it took its environment when it was imported
        mock.patch.object(worker, "_sync_git_index_executable_bit"),
        mock.patch.object(worker, "_render_string", render_tags_only(worker._render_string)),
        mock.patch.object(worker, "answers_relpath", property(answers_relpath)),
        mock.patch.object(jinja2.environment.Environment, "compile", compile_once()),
        mock.patch.object(copier._template, "load_template_config", parse_once()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # a template that is dirty or not in git, on purpose here
        yield


def render_tags_only(real: Any) -> Any:
    """`Worker._render_string` that leaves plain texts alone."""

    def render_string(self: Any, string: str, extra_context: Any = None) -> str:
        if "{" in string or "#" in string:
            return str(real(self, string, extra_context))
        forget_yield(self.jinja_env)
        return string

    return render_string


def answers_relpath(self: Any) -> Path:
    """`Worker.answers_relpath`, as it is."""
    return Path(self.answers_file or self.template.answers_relpath)


def compile_once() -> Any:
    """`Environment.compile` with a memory."""
    real: Any = jinja2.environment.Environment.compile
    known: dict[tuple[str, str | None], Any] = {}

    def compile_(
        self: Any, source: Any, name: str | None = None, filename: str | None = None, *more: Any
    ) -> Any:
        # A yield tag leaves its mark on the environment while it is parsed; others never differ.
        if more or not isinstance(source, str) or "{% yield" in source:
            return real(self, source, name, filename, *more)
        if (source, name) not in known:
            known[source, name] = real(self, source, name, filename)
        forget_yield(self)
        return known[source, name]

    return compile_


def forget_yield(environment: Any) -> None:
    """What a real compilation begins with."""
    context = get_yield_context(environment)
    context.yield_name = context.yield_iterable = None


def parse_once() -> Any:
    """`load_template_config` with a memory."""
    real = copier._template.load_template_config
    known: dict[bytes, Any] = {}

    def load(path: Path, quiet: bool = False) -> Any:
        content = path.read_bytes()
        if content not in known:
            known[content] = real(path, quiet)
        return deepcopy(known[content])

    return load


def compiled(source: bytes) -> CodeType:
    """Parse and compile Python, each distinct content once.

    Raises:
        SyntaxError: It is not Python.
    """
    if source not in CODE:
        CODE[source] = compile(source, "<project>", "exec", dont_inherit=True)
    return CODE[source]


CODE: dict[bytes, CodeType] = {}


def imports(project: Path) -> str:
    """Import every module of the project's app; empty when that works, else what happened.

    In a child of this process, which has imported the libraries and compiled the code already: that
    costs tens of milliseconds where a new interpreter takes seconds. Projects with the very same
    Python, which is most of them, are imported once.
    """
    import chassis.cli.main  # noqa: F401  so that its libraries are there before the fork

    code = python(project)
    if code not in IMPORTED:
        for _, source in code:
            compiled(source)
        IMPORTED[code] = in_child(lambda: import_there(project))
    return IMPORTED[code]


def python(project: Path) -> Code:
    """The project's Python by its path; two projects with the same are one to the tools."""
    paths = project.rglob("*.py")
    return frozenset((str(path.relative_to(project)), path.read_bytes()) for path in paths)


IMPORTED: dict[Code, str] = {}


def in_child(work: Callable[[], str]) -> str:
    """What `work` returns in a fork of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, work().encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        return pipe.read()


def import_there(project: Path) -> str:
    """Forget this process's app and chassis, import those of the project."""
    sys.dont_write_bytecode = True
    for name in [name for name in sys.modules if name.partition(".")[0] in {"app", "chassis"}]:
        del sys.modules[name]
    sys.path[:0] = [str(project / "src"), str(project / "chassis" / "src")]
    source_to_code = lambda self, data, path, **_: compiled(bytes(data))  # noqa: E731
    with mock.patch.object(SourceFileLoader, "source_to_code", source_to_code):
        try:
            for path in sorted((project / "src" / "app").rglob("*.py")):
                parts = path.relative_to(project / "src").with_suffix("").parts
                import_module(".".join(parts).removesuffix(".__init__"))
            where = Path(str(sys.modules["chassis"].__file__))
        except BaseException as error:  # noqa: BLE001  whatever it is, the parent must hear of it
            return f"{type(error).__name__}: {error}"
    return "" if where.is_relative_to(project) else f"imported {where}"
