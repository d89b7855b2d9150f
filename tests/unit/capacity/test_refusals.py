"""What providers say of machines that they do not give, as a reason and in their own words."""

import pytest

from swarm.capacity.refusals import because_of, words_of
from swarm.model.plans import Because

LOG = """\
2026-11-23 23:17:59,298	INFO node_provider.py:455 -- Launching 1 nodes of type night.
2026-11-23 23:18:00,100	INFO node_provider.py:471 -- Failed to launch 1 nodes of type night: old
2026-11-23 23:18:01,100	INFO node_provider.py:471 -- Failed to launch 2 nodes of type night: no more
2026-11-23 23:18:02,100	INFO node_provider.py:471 -- Failed to launch 1 nodes of type night-b: other
"""


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("Node Launch Exception (VcpuLimitExceeded): You have requested more vCPU", Because.QUOTA),
        ("Node Launch Exception (MaxSpotInstanceCountExceeded): Max spot", Because.QUOTA),
        ("InstanceLimitExceeded", Because.QUOTA),
        ("Quota 'CPUS' exceeded.  Limit: 24.0 in region us-east1.", Because.QUOTA),
        ("OperationNotAllowed: Operation could not be completed as it exceeds", Because.QUOTA),
        ('pods "w" is forbidden: exceeded quota: compute', Because.QUOTA),
        ("Node Launch Exception (InsufficientInstanceCapacity): We have no", Because.SOLD_OUT),
        ("ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", Because.SOLD_OUT),
        ("SkuNotAvailable", Because.SOLD_OUT),
        ("RequestLimitExceeded: Request limit exceeded.", Because.LAUNCH_FAILED),
        ("InvalidAMIID.NotFound", Because.LAUNCH_FAILED),
        ("", Because.LAUNCH_FAILED),
    ],
)
def test_a_quota_is_told_from_an_offering_that_is_sold_out(said: str, because: Because) -> None:
    assert because_of(said) is because


def test_its_words_are_the_last_of_this_type_in_the_log() -> None:
    details = "launch failed with Failed to launch 1 nodes of type night with request id 4b-1: "
    assert words_of("night", details, LOG) == "no more"
    assert words_of("night-b", details, LOG) == "other"
    assert words_of("night", details, "") == ""
    assert words_of("night", details + "exceeded quota", "") == "exceeded quota"
    assert len(words_of("night", details + "x" * 1_000, "")) == 300
