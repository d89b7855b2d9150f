"""The `[swarm]` section of Airflow's configuration, or `AIRFLOW__SWARM__...` variables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[\w.:/@-]{1,200}")


class BadSettings(ValueError):
    """The section cannot be used; the message names the key and what to write there."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`url` and `token_file` have to be there, the rest is good as it is.

    `owner` is the name under which swarm keeps this Airflow's tasks: one for each Airflow.
    `orchestrator` is what swarm's settings call this Airflow among their sources.
    `python` is the interpreter of the tasks on the workers; empty for the scheduler's own.
    `pass_env` are variables that tasks get besides Airflow's own. `queue_pools` is the pool of
    swarm's workers for each of Airflow's queues that has one.
    """

    url: str
    token: str = field(repr=False)
    owner: str = "airflow"
    team: str = "airflow"
    python: str = ""
    pass_env: tuple[str, ...] = ()
    queue_pools: Mapping[str | None, str] = field(default_factory=dict)
    orchestrator: str = "airflow"


def read(conf: Any, team_name: str | None = None) -> Settings:
    """Take the settings from `conf`, Airflow's or that of one team. Raises `BadSettings`."""

    def get(key: str) -> str:
        return str(conf.get("swarm", key, fallback="") or "").strip()

    url = get("url")
    if not url.startswith(("http://", "https://")):
        raise BadSettings(
            f"[swarm] url is {url!r}: set AIRFLOW__SWARM__URL to where swarm's API listens, "
            "such as http://127.0.0.1:8642"
        )
    suffix = f":{team_name}" if team_name else ""
    return Settings(
        url=url,
        token=_token(get("token_file")),
        owner=_name("owner", get("owner") or f"airflow{suffix}"),
        team=_name("team", get("team") or f"airflow{suffix}"),
        python=get("python"),
        pass_env=tuple(_words(get("pass_env"))),
        queue_pools=_pools(get("queue_pools")),
        orchestrator=_name("orchestrator", get("orchestrator") or "airflow"),
    )


def _token(place: str) -> str:
    if not place:
        raise BadSettings(
            "[swarm] token_file is empty: set AIRFLOW__SWARM__TOKEN_FILE to the file that holds "
            "swarm's token"
        )
    try:
        return Path(place).expanduser().read_text().strip()
    except OSError as error:
        raise BadSettings(f"[swarm] token_file {place}: {error.strerror}") from None


def _name(key: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadSettings(f"[swarm] {key} is {name!r}: use letters, digits and any of . : / @ - _")
    return name


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _pools(text: str) -> dict[str | None, str]:
    found: dict[str | None, str] = {}
    for pair in _words(text):
        queue, sign, pool = (part.strip() for part in pair.partition("="))
        if not (queue and sign and pool):
            raise BadSettings(f"[swarm] queue_pools has {pair!r}: write QUEUE=POOL, QUEUE=POOL")
        found[queue] = pool
    return found
