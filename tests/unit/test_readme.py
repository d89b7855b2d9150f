"""What configs/README.md says of settings is what the settings say of themselves."""

import re
from pathlib import Path

from pydantic import BaseModel

from swarm.config import (
    Agents,
    AlertTarget,
    ApiToken,
    LinkRule,
    OfferingRule,
    Oidc,
    PipelineRule,
    PoolPrices,
    Promise,
    QuietHours,
    Settings,
    Source,
    SqlConnection,
    Team,
)

README = Path(__file__).parents[2] / "configs" / "README.md"
BLOCK = re.compile(r"(?<=<!-- settings -->\n).*(?=<!-- /settings -->)", re.DOTALL)


def rows(section: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += rows(kind, f"{prefix}{name}.")
        else:
            found.append(f"| `{prefix}{name}` | {field.description} |")
    return found


def table() -> str:
    lines = ["| key | means |", "|---|---|", *rows(Settings)]
    lines += rows(ApiToken, "api.tokens[].")
    lines += rows(Oidc, "api.oidc.")
    lines += rows(Agents, "agents[].") + rows(OfferingRule, "placement.offerings[].")
    lines += rows(Source, "sources[].") + rows(SqlConnection, "connections.NAME.")
    lines += rows(Team, "teams.NAME.") + rows(PoolPrices, "prices.POOL.")
    lines += rows(Promise, "slas[].") + rows(PipelineRule, "pipelines[].")
    lines += rows(LinkRule, "links[].")
    lines += rows(AlertTarget, "alerts.targets[].")
    lines += rows(QuietHours, "alerts.targets[].quiet[].")
    return "\n".join(lines) + "\n"


def test_every_setting_is_in_the_readme_with_its_sentence():
    written = BLOCK.search(README.read_text())
    assert written is not None
    assert written.group() == table(), "paste the table of this test into configs/README.md"
