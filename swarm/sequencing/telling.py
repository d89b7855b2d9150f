"""What a hazard is, in a sentence, and the cheapest thing a person can do about it."""

import math

from swarm.model.findings import Finding, FindingKind, Hazard

_STEPS = ((86_400.0, "day"), (3_600.0, "hour"), (60.0, "minute"), (1.0, "second"))


def story(finding: Finding) -> str:
    """What was seen; empty for a finding that is no hazard."""
    hazard = finding.hazard
    if hazard is None:
        return ""
    writer, reader = finding.pipelines[:2]
    chance = f"; {_percent(hazard.chance)} of its runs are expected to"
    match finding.kind:
        case FindingKind.STALE_READ:
            return (
                f"{reader} read what was not new from {writer} on {hazard.seen} of {hazard.of} "
                f"runs{_slack(hazard)}{chance}"
            )
        case FindingKind.RACE:
            return f"only the clock keeps {reader} behind {writer}{_slack(hazard)}{chance} be stale"
        case FindingKind.CADENCE_MISMATCH if hazard.every_s is not None:
            every, other = map(_span, hazard.every_s)
            return f"{writer} runs every {every}, {reader} every {other}"
        case FindingKind.PAUSED_WRITER:
            return f"{writer} is paused, {reader} goes on without it"
        case FindingKind.GONE_WRITER:
            return f"{writer} is gone, and nobody else writes what {reader} reads"
        case _:
            return f"{writer} and {reader} wrote at once on {hazard.seen} of {hazard.of} runs"


def remedy(finding: Finding) -> str:
    """What to do about a hazard; empty for any other finding."""
    if finding.hazard is None:
        return ""
    writer, reader = finding.pipelines[:2]
    match finding.kind:
        case FindingKind.STALE_READ | FindingKind.RACE:
            return f"Start {reader} when {writer} is done: {_wait(finding)}."
        case FindingKind.CADENCE_MISMATCH:
            return f"If {reader} needs every run of {writer}, run both equally often."
        case FindingKind.PAUSED_WRITER:
            return f"Unpause {writer}, or pause {reader} too."
        case FindingKind.GONE_WRITER:
            return f"Look who writes it now, or retire {reader}."
        case _:
            return "If they write the same partitions, put one behind the other."


def _wait(finding: Finding) -> str:
    writer, reader = finding.pipelines[:2]
    if writer.orchestrator == reader.orchestrator:
        return "declare the order in their orchestrator (an asset, a dataset or a sensor)"
    return "trigger it from the writer's last task, or wait for the data in its first one"


def _slack(hazard: Hazard) -> str:
    if hazard.slack_s is None:
        return ""
    tight, usual = map(_span, hazard.slack_s)
    return f" (usually {usual} apart, {tight} in the tightest twentieth)"


def _span(seconds: float) -> str:
    for unit_s, name in _STEPS:
        if seconds >= 2 * unit_s:
            return f"{seconds / unit_s:.0f} {name}s"
    return f"{seconds:.0f} s"


def _percent(share: float) -> str:
    return "under 1 %" if share < 0.005 else f"{math.ceil(100 * share - 0.5)} %"
