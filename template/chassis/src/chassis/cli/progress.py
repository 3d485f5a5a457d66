"""Reading the sources, with a progress bar."""

from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ..app import App
from ..ingestion.ingest import Outcome

console = Console(stderr=True, highlight=False, soft_wrap=True)


async def read_sources(app: App, only: Sequence[str] = (), *, quiet: bool = True) -> list[Outcome]:
    """Read the sources and say what changed; `quiet` says nothing when nothing did."""
    columns = (
        TextColumn("reading {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {name: bars.add_task(name, total=None, visible=False) for name in app.sources}

        def show(name: str, done: int, total: int) -> None:
            bars.update(tasks[name], completed=done, total=total, visible=True)

        outcomes = await app.ingest(only, show)
    for outcome in outcomes:
        report(outcome, quiet)
    return outcomes


def report(outcome: Outcome, quiet: bool) -> None:
    """Print what one reading did."""
    if outcome.error:
        console.print(f"{outcome.source}: [red]not read:[/] {outcome.error}")
        return
    for document, reason in outcome.unreadable.items():
        console.print(f"{document}: [yellow]left out:[/] {reason}")
    if not quiet or outcome.read or outcome.removed:
        console.print(
            f"{outcome.source}: {outcome.read} read, {outcome.unchanged} unchanged, "
            f"{outcome.removed} removed, {len(outcome.unreadable)} unreadable"
        )
