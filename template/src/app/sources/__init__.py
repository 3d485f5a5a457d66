"""One file per data source: what to read and how it maps to documents."""
