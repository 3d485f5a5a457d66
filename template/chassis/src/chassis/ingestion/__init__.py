"""From data sources to documents and chunks in the store."""
