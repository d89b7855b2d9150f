"""What the freshness policy of an asset promises, as SLAs. Pure.

A policy with a cron text wants the asset to be new by each of its ticks: that is an SLA of the
pipeline that makes it. One with a window wants it to be no older than so long, which moves with
each run: that is no time of day.
"""

from swarm.connectors.dagster.answers import Asset
from swarm.model.keys import PipelineKey
from swarm.model.sla import Sla
from swarm.sequencing.crons import times_of


def promised(key: PipelineKey, asset: Asset) -> tuple[tuple[Sla, ...], str]:
    """What an asset promises of a pipeline that makes it, or why it is none that swarm keeps."""
    policy = asset.freshness
    if policy is None:
        return (), ""
    scheduled = times_of(policy.cron)
    if scheduled is not None:
        times, days = scheduled
        return tuple(Sla(key, by_s, policy.timezone, days) for by_s in times), ""
    what = f"`{policy.cron}` is no few times of day on days of the week"
    if not policy.cron:
        what = f"no older than {policy.window_s / 3_600:g} h is no time of day"
    return (
        (),
        f"its freshness policy is no SLA here: {what}; a cron policy or a tag `sla` states one",
    )
