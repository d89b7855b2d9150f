"""The receipt beside a bill that is priced apart: from when AWS's own API (moto plays it) says that
each machine was launched and ended. The two share no code and no figure but the price lists."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from random import Random
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID

from swarm.dispatch.events import Acquire, Finish, Register, WorkerLost
from swarm.model.work import CapacityClass, LossCause, Offer, Outcome, Resources, TaskId, WorkerId
from swarm.model.work import Token as Grant
from swarm.placement.prices import PoolPrice, PriceBook
from swarm.placement.receipts import difference

HOUR_S = 3_600.0
BEGIN_S = 20_000 * 86_400.0
REGION, CLUSTER = "us-east-1", {"Key": "ray-cluster-name", "Value": "swarm"}
POOLS = {
    "cheap": PoolPrice("m5.large", REGION, spot_usd_per_h=0.024),
    "sure": PoolPrice("m5.large", REGION),
    "large": PoolPrice("m5.2xlarge", REGION),
}
# As AWS lists them: instance type and lifecycle -> USD an hour.
LISTED = {("m5.large", "spot"): 0.024, ("m5.large", ""): 0.096, ("m5.2xlarge", ""): 0.384}


@dataclass(frozen=True)
class Machine:
    """One of the account's; a worker joins some time after its launch."""

    pool: str
    launched_s: float
    joined_s: float
    ended_s: float

    @property
    def lifecycle(self) -> str:
        return "spot" if self.pool == "cheap" else ""


def machines() -> list[Machine]:
    random, found = Random(1), []
    for number in range(9):
        launched_s = BEGIN_S + random.uniform(0, 14) * HOUR_S
        lives_s = random.uniform(1.5, 9) * HOUR_S
        boots_s = random.uniform(40, 90)
        pool = list(POOLS)[number % len(POOLS)]
        found.append(Machine(pool, launched_s, launched_s + boots_s, launched_s + lives_s))
    return found


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


def rents(ec2: Any, one: Machine) -> None:
    """From its launch to its end. The account's own clock has no past, so its records get one."""
    spot = {"InstanceMarketOptions": {"MarketType": "spot"}} if one.lifecycle else {}
    launch = ec2.run_instances(
        ImageId="ami-12345678",
        InstanceType=POOLS[one.pool].kind,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [CLUSTER]}],
        **spot,
    )
    name = launch["Instances"][0]["InstanceId"]
    ec2.terminate_instances(InstanceIds=[name])
    record = get_backend("ec2")[DEFAULT_ACCOUNT_ID][REGION].get_instance(name)
    record.launch_time = datetime.fromtimestamp(one.launched_s, UTC)
    ended = datetime.fromtimestamp(one.ended_s, UTC)
    record._reason = f"User initiated ({ended:%Y-%m-%d %H:%M:%S} GMT)"


def bill_usd(ec2: Any) -> float:
    """By AWS's rules: each second from launch to end, a minute at least."""
    usd = 0.0
    wanted = [{"Name": f"tag:{CLUSTER['Key']}", "Values": [CLUSTER["Value"]]}]
    for reservation in ec2.describe_instances(Filters=wanted)["Reservations"]:
        for told in reservation["Instances"]:
            at = re.search(r"\((.*) GMT\)", told["StateTransitionReason"])
            assert at is not None
            ended = datetime.strptime(at[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            seconds = max(60, ceil((ended - told["LaunchTime"]).total_seconds()))
            listed = LISTED[told["InstanceType"], told.get("InstanceLifecycle", "")]
            usd += seconds / HOUR_S * listed
    return usd


async def works(api: Any, found: list[Machine]) -> None:
    """What swarm sees of them: a worker that joins, holds a slot for most of its life, and goes."""
    events: list[tuple[float, Callable[[], Awaitable[None]]]] = []
    for number, one in enumerate(found):
        worker, task = WorkerId(f"w{number}"), f"t{number}"
        capacity = CapacityClass.SPOT if one.lifecycle else CapacityClass.DEDICATED
        place = {"capacity": capacity, "pool": one.pool}
        offer = Offer(worker, f"i-{number}", 2, Resources(cpu=2.0), **place)

        async def joins(offer: Offer = offer, task: str = task) -> None:
            await api.happens(Register(offer))
            await api.post("tasks", {"tasks": [{"id": task, "argv": ["x"], "team": "data"}]})
            await api.happens(Acquire(offer.worker, 1))

        async def goes(worker: WorkerId = worker, task: str = task) -> None:
            await api.happens(Finish(Grant(TaskId(task), 1), Outcome.SUCCEEDED, ""))
            await api.happens(WorkerLost(worker, LossCause.NODE_GONE))

        events += [(one.joined_s, joins), (one.ended_s, goes)]
    for at_s, happens in sorted(events, key=lambda event: event[0]):
        api.clock.at_s = at_s
        await happens()


async def test_the_receipt_is_within_two_percent_of_what_the_account_was_billed(api, aws) -> None:
    api.deps.prices = lambda now_s, spot: (PriceBook(POOLS), ())
    found = machines()
    for one in found:
        rents(aws, one)
    await works(api, found)
    told = await api.get("cost", by="team", days=2)
    billed = bill_usd(aws)
    assert billed > 5
    assert 0 < difference(told["bill_usd"], billed) < 0.02, "the boots are on the bill alone"
    (team,) = told["rows"]
    assert team["usd"] + told["idle_usd"] == pytest.approx(told["bill_usd"], abs=1e-4)
    assert {(row["type"], row["capacity"]) for row in told["kinds"]} == {
        ("m5.large", "spot"),
        ("m5.large", "on-demand"),
        ("m5.2xlarge", "on-demand"),
    }
    rents(aws, Machine("sure", BEGIN_S, BEGIN_S, BEGIN_S + 3 * HOUR_S))
    missed = difference(told["bill_usd"], bill_usd(aws))
    assert missed > 0.02, "a machine that never joined is seen: it was paid for"
