"""Sources of the team."""
