"""`uv run app`."""

from chassis.cli.main import main as run

from . import flow


def main() -> None:
    """Run the command line with this service's flow."""
    run("app", flow.answer)


if __name__ == "__main__":
    main()
