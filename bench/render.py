"""What 200 answer sets cost: rendered, parsed, their configuration loaded, linted, imported.

    python bench/render.py [--sets 200] [--naive 5]

Every project is rendered, and every file of it read. What is the same in two projects, as Python
nearly always is, is parsed, imported and linted once. Prints processor seconds, which a busy
machine does not change much, beside those of plain copies by the command line with a new
interpreter for the imports: a few of them, extrapolated.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import yaml

from checks import accepts_what_fails, configuration, parse
from harness import Answers, Code, export, fast_copier, imports, python, render, snapshot
from space import answers, sample

WORKERS = 2
MEMORY = Path("/dev/shm")
TODAY = date(2026, 11, 24)


def quick(template: Path, folder: Path, sets: Sequence[Answers]) -> dict[Code, Path]:
    """Make and check projects as the tests do; returns one project for each distinct Python."""
    found: dict[Code, Path] = {}
    with fast_copier():
        for number, given in enumerate(sets):
            project = render(template, folder / f"quick-{os.getpid()}-{number}", **given)
            parse(snapshot(project), template, given["purpose"])
            accepts_what_fails(configuration(project), TODAY)
            problem = imports(project)
            if problem:
                raise SystemExit(f"{given}: {problem}")
            found.setdefault(python(project), project)
    return found


def lint(*projects: Path) -> None:
    """One run of the linter and one of the formatter over all of them."""
    for command in (["check"], ["format", "--check"]):
        ruff = [
            sys.executable,
            "-m",
            "ruff",
            *command,
            "--no-cache",
            "--quiet",
            *map(str, projects),
        ]
        subprocess.run(ruff, check=True)


def naive(template: Path, folder: Path, sets: Sequence[Answers]) -> None:
    """Make and check projects one by one, a process a step."""
    for number, given in enumerate(sets):
        project = folder / f"naive-{number}"
        data = folder / f"naive-{number}.yml"
        data.write_text(yaml.safe_dump(given), encoding="utf-8")
        copy = ["copier", "copy", "--quiet", "--defaults", "--data-file", str(data)]
        subprocess.run([sys.executable, "-m", *copy, str(template), str(project)], check=True)
        paths = os.pathsep.join([str(project / "src"), str(project / "chassis" / "src")])
        code = "import ast, pathlib, app.__main__\n"
        code += "[ast.parse(p.read_text()) for p in pathlib.Path('.').rglob('*.py')]"
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([sys.executable, "-c", code], cwd=project, env=environment, check=True)
        lint(project)


def processor_seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Processor and wall seconds of some work, with all its child processes."""
    started, before = time.monotonic(), sum(os.times()[:4])
    work()
    return sum(os.times()[:4]) - before, time.monotonic() - started


def main() -> None:
    """Measure, print, and fail when a project does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--naive", type=int, default=5)
    arguments = parser.parse_args()
    sets = [answers(row) for row in sample(arguments.sets)]
    place = str(MEMORY) if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        template = export(folder / "template")

        def in_process() -> None:
            parts = [sets[part::WORKERS] for part in range(WORKERS)]
            with ProcessPoolExecutor(WORKERS) as pool:
                found = pool.map(quick, [template] * WORKERS, [folder] * WORKERS, parts)
                lint(*{code: project for part in found for code, project in part.items()}.values())

        processor, wall = processor_seconds(in_process)
        took = f"{processor:.1f} s of processor, {wall:.1f} s on {WORKERS} cores"
        print(f"{len(sets)} answer sets: {took}")
        few = sets[: arguments.naive]
        slow, _ = processor_seconds(lambda: naive(template, folder, few))
        whole = slow / len(few) * len(sets)
        print(f"plain copies: {whole:.0f} s of processor, extrapolated from {len(few)}")


if __name__ == "__main__":
    main()
