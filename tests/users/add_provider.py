"""Add a provider of one's own: a module, its table, and a model that uses it."""

from pathlib import Path

from editing import replace

HOUSE = '''"""The models on our own machines."""

from chassis.ports import Provider
from chassis.providers import openai_compatible
from chassis.secrets import Secrets


def connect(secrets: Secrets, *, base_url: str) -> Provider:
    """Build the provider."""
    return openai_compatible.connect(secrets, base_url=base_url)
'''
TABLE = """[providers.house]
base_url = "http://models.internal/v1"
uptime = 0.98

"""
CANDIDATE = """[[routes.answer.candidates]]
provider = "house"
model = "llama-3.3-70b"
latency_p50_ms = 2000
latency_p95_ms = 4000
first_token_p95_ms = 1200
tokens_per_s_p5 = 40
input_usd_per_mtok = 0.0
output_usd_per_mtok = 0.0
checked_on = 2027-03-01

"""


def edit(project: Path) -> None:
    """One new file; its table goes after the others, its candidate last."""
    house = project / "src" / "app" / "providers" / "house.py"
    house.write_text(HOUSE, encoding="utf-8")
    models = project / "config" / "models.toml"
    replace(models, "# One candidate a table", TABLE + "# One candidate a table")
    replace(models, "# [embeddings] names", CANDIDATE + "# [embeddings] names")
