"""Model providers; a module's name is its name in config/models.toml."""
