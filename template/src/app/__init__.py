"""The product: yours. What it stands on is in `chassis/`."""
