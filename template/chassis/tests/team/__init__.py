"""A small team's package, as `src/app` is in a project."""
