"""The `app` command."""
