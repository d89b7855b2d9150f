"""The words of `swarm simulate` as the request of the API."""

import re
from collections.abc import Iterable
from typing import Any, NoReturn

import typer

_UNITS = {"s": 1.0, "m": 60.0, "h": 3_600.0}
_SPAN = r"(\d+(?:\.\d+)?)([smh])"
_TIME = r"((?:[01]\d|2[0-3]):[0-5]\d)"
_LATE = re.compile(rf"(.+)={_SPAN}")
_DOWN = re.compile(rf"(?:([^=]+)=)?(\d+(?:\.\d+)?)%@{_TIME}\+{_SPAN}")
_SLOTS = re.compile(r"(?:([^=]+)=)?([+-]\d+)")
_ROOM = re.compile(r"([^=]+)=(\d+)")
_BACKFILL = re.compile(rf"(.+)=(\d+)(?:x(\d+))?(?:@{_TIME})?")


def late(words: Iterable[str]) -> list[dict[str, Any]]:
    """`airflow/crm=45m`."""
    found = [_parts(_LATE, word, "--late", "airflow/crm_export=45m") for word in words]
    return [{"pipeline": name, "by_s": _span(count, unit)} for name, count, unit in found]


def down(words: Iterable[str]) -> list[dict[str, Any]]:
    """`33%@06:00+2h`, of one orchestrator `airflow=33%@06:00+2h`."""
    found = [_parts(_DOWN, word, "--down", "33%@06:00+2h") for word in words]
    return [
        {
            "orchestrator": orchestrator or "",
            "share": float(share) / 100.0,
            "at": at,
            "for_s": _span(count, unit),
        }
        for orchestrator, share, at, count, unit in found
    ]


def workers(words: Iterable[str]) -> dict[str, int]:
    """`+2`, of one orchestrator `airflow=+2`."""
    found = [_parts(_SLOTS, word, "--workers", "airflow=+2") for word in words]
    return {orchestrator or "": int(count) for orchestrator, count in found}


def room(words: Iterable[str]) -> dict[str, int]:
    """`airflow=16`."""
    found = [_parts(_ROOM, word, "--slots", "airflow=16") for word in words]
    return {orchestrator: int(count) for orchestrator, count in found}


def backfill(words: Iterable[str]) -> list[dict[str, Any]]:
    """`dagster/sums=30x4@22:00`: 30 runs, four at once, from then on."""
    found = [_parts(_BACKFILL, word, "--backfill", "dagster/sums=30x4@22:00") for word in words]
    return [
        {"pipeline": name, "runs": int(runs), "at_once": int(at_once or 1), "at": at}
        for name, runs, at_once, at in found
    ]


def _parts(pattern: re.Pattern[str], word: str, option: str, example: str) -> tuple[Any, ...]:
    matched = pattern.fullmatch(word)
    if matched is None:
        _wrong(word, option, example)
    return matched.groups()


def _wrong(word: str, option: str, example: str) -> NoReturn:
    raise typer.BadParameter(f"`{word}` is not understood; e.g. {option} {example}") from None


def _span(count: str, unit: str) -> float:
    return float(count) * _UNITS[unit]
