"""The cluster files that ship are right; each fault in one is told on its line, with the fix."""

import contextlib
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from swarm.capacity.clusterfile.check import check
from swarm.capacity.clusterfile.located import texts
from swarm.capacity.clusterfile.started import assigned
from swarm.config import load
from swarm.errors import InputError

FOLDER = Path(__file__).parents[3] / "cluster"
AWS, ONPREM, KUBERAY = "aws.yaml", "onprem.yaml", "kuberay/rayservice.yaml"
SPOT = "spot-m5-xlarge, swarm/usd"
TOKEN = "RAY_AUTH_MODE=token RAY_REDIS_ADDRESS=127.0.0.1:6390 "
HEALTH = """RAY_health_check_period_ms=500 RAY_health_check_timeout_ms=2000
    RAY_health_check_failure_threshold=5"""
HEAD = ("ulimit -n 65536; RAY_", -1)  # a folded command begins on the line before


class Fault(NamedTuple):
    """`old` is `new` in the file. It is told on the line that holds `at`, or so many lines on."""

    file: str
    old: str
    new: str
    at: tuple[str, int]
    says: str
    fix: str


FAULTS = {
    "spot workers that ask nobody whether their machine goes away": Fault(
        AWS,
        "RAY_AUTH_MODE=token SWARM_WORKER__NOTICES=aws swarm up",
        "RAY_AUTH_MODE=token swarm up",
        ("token swarm up", 0),
        "is not noticed before it is gone",
        "`SWARM_WORKER__NOTICES=aws swarm up`",
    ),
    "spot workers that ask another cloud": Fault(
        AWS,
        "SWARM_WORKER__NOTICES=aws",
        "SWARM_WORKER__NOTICES=gcp",
        ("NOTICES=gcp", 0),
        "is not noticed before it is gone",
        "`SWARM_WORKER__NOTICES=aws swarm up`",
    ),
    "a key that Ray does not know": Fault(
        AWS,
        "upscaling_speed: 100",
        "upscaling_sped: 100",
        ("upscaling_sped", 0),
        "no such key",
        "`upscaling_speed`?",
    ),
    "a value of another type": Fault(
        AWS,
        "idle_timeout_minutes: 2 ",
        "idle_timeout_minutes: soon ",
        ("idle_timeout_minutes", 0),
        "not of type 'number'",
        "type number",
    ),
    "a head of no type": Fault(
        AWS,
        "head_node_type: head",
        "head_node_type: haed",
        ("head_node_type", 0),
        "must be one of",
        "",
    ),
    "work on the head": Fault(
        AWS,
        "resources: {CPU: 0}",
        "resources: {CPU: 4}",
        ("{CPU: 4} # no work", 0),
        "beside swarm's journal",
        "CPU: 0",
    ),
    "no market": Fault(
        AWS,
        "{ray.io/market-type: spot, swarm/offering: " + SPOT,
        "{swarm/offering: " + SPOT,
        ("{swarm/offering: spot-m5-xlarge,", 0),
        "no label `ray.io/market-type`",
        "ray.io/market-type: spot",
    ),
    "another market": Fault(
        AWS,
        "market-type: spot, swarm/offering: " + SPOT,
        "market-type: cheap, swarm/offering: " + SPOT,
        ("market-type: cheap", 0),
        "'cheap'",
        "ray.io/market-type: spot",
    ),
    "an offering of another name": Fault(
        AWS,
        "swarm/offering: " + SPOT,
        "swarm/offering: spot, swarm/usd",
        ("swarm/offering: spot,", 0),
        "could not ask for a node",
        "swarm/offering: spot-m5-xlarge",
    ),
    "a price that is none": Fault(
        AWS,
        'swarm/usd-per-hour: "0.192"',
        "swarm/usd-per-hour: cheap",
        ("cheap", 0),
        "no number",
        "swarm/usd-per-hour",
    ),
    "a price that nobody knows": Fault(
        AWS,
        '      swarm/usd-per-hour: "0.192"\n',
        "",
        ("swarm/offering: dedicated-m6i-xlarge", -2),
        "nobody knows what",
        'swarm/usd-per-hour: "0.10"',
    ),
    "a spot label on what is paid for in full": Fault(
        AWS,
        "      InstanceMarketOptions: {MarketType: spot}\n",
        "",
        ("node_config: &spot", 0),
        "label says spot",
        "InstanceMarketOptions: {MarketType: spot}",
    ),
    "a spot instance that is said to stay": Fault(
        AWS,
        "node_config: &dedicated\n",
        "node_config: &dedicated\n      InstanceMarketOptions: {MarketType: spot}\n",
        ("offering: dedicated-m5-xlarge}", 0),
        "is a spot instance",
        "ray.io/market-type: spot",
    ),
    "more nodes than Ray may start": Fault(
        AWS, "max_workers: 50", "max_workers: 49", ("max_workers: 49", 0), "50 nodes", "50"
    ),
    "no token asked for": Fault(
        AWS,
        TOKEN,
        TOKEN.replace("RAY_AUTH_MODE=token ", ""),
        HEAD,
        "may run programs",
        "RAY_AUTH_MODE=token",
    ),
    "workers without the token": Fault(
        AWS,
        "RAY_AUTH_MODE=token RAY_worker",
        "RAY_AUTH_MODE=disabled RAY_worker",
        ("RAY_AUTH_MODE=disabled", -1),
        "disabled",
        "RAY_AUTH_MODE=token",
    ),
    "no token given out": Fault(
        AWS,
        "/home/ubuntu/.ray/auth_token:",
        "/home/ubuntu/token:",
        ("file_mounts:", 0),
        "no token in common",
        ".ray/auth_token",
    ),
    "a dashboard for all": Fault(
        AWS,
        "--dashboard-host=127.0.0.1",
        "--dashboard-host=0.0.0.0",
        HEAD,
        "open to the network",
        "--dashboard-host=127.0.0.1",
    ),
    "an API for all": Fault(
        AWS,
        "SWARM_WORKER__NOTICES=aws swarm up",
        "SWARM_API__HOST=0.0.0.0 SWARM_WORKER__NOTICES=aws swarm up",
        ("SWARM_API__HOST", 0),
        "in the clear",
        "ray attach",
    ),
    "a port for all": Fault(
        AWS,
        "    GroupName: swarm ",
        "    IpPermissions:\n"
        "      - {FromPort: 8265, ToPort: 8265, IpRanges: [{CidrIp: 0.0.0.0/0}]}\n"
        "    GroupName: swarm ",
        ("FromPort: 8265", 0),
        "8265-8265 are open to anybody",
        "your own network",
    ),
    "a node that hangs": Fault(
        AWS, HEALTH, "", HEAD, "after 65 s", "RAY_health_check_period_ms=500"
    ),
    "a node that is busy": Fault(
        AWS, "threshold=5", "threshold=1", HEAD, "2.5 s is dead for good", "threshold=5"
    ),
    "actors that get no CPU": Fault(
        AWS,
        "threshold=5 RAY_worker_niceness=0",
        "threshold=5",
        HEAD,
        "taken for dead",
        "RAY_worker_niceness=0",
    ),
    "a machine that never joins": Fault(
        AWS,
        "    RAY_AUTOSCALER_PENDING_NODE_IDLE_TIMEOUT_S=60\n",
        "",
        HEAD,
        "never joins is paid for up to an hour",
        "RAY_AUTOSCALER_PENDING_NODE_IDLE_TIMEOUT_S=60",
    ),
    "a machine that never joins and may stay": Fault(
        ONPREM,
        "PENDING_NODE_IDLE_TIMEOUT_S=60",
        "PENDING_NODE_IDLE_TIMEOUT_S=-1",
        HEAD,
        "never joins is paid for up to an hour",
        "RAY_AUTOSCALER_PENDING_NODE_IDLE_TIMEOUT_S=60",
    ),
    "a pod that never joins": Fault(
        KUBERAY,
        "PENDING_NODE_IDLE_TIMEOUT_S, value",
        "PENDING_S, value",
        ("autoscalerOptions:", 0),
        "never joins is paid for up to an hour",
        "RAY_AUTOSCALER_PENDING_NODE_IDLE_TIMEOUT_S=60",
    ),
    "no autoscaler": Fault(
        AWS,
        "\n    --autoscaling-config=~/ray_bootstrap_config.yaml",
        "",
        HEAD,
        "no node would ever",
        "--autoscaling-config",
    ),
    "the first autoscaler": Fault(
        AWS,
        "RAY_enable_autoscaler_v2=1",
        "RAY_enable_autoscaler_v2=0",
        HEAD,
        "ignores labels",
        "RAY_enable_autoscaler_v2=1",
    ),
    "a head that forgets": Fault(
        AWS,
        " RAY_REDIS_ADDRESS=127.0.0.1:6390",
        "",
        HEAD,
        "end of all nodes",
        "RAY_REDIS_ADDRESS",
    ),
    "no guard": Fault(
        AWS,
        "python -m swarm.capacity.guard",
        "true",
        ("head_start_ray_commands:", 0),
        "nothing clears the fleet",
        "swarm.capacity.guard",
    ),
    "a journal that goes with the head": Fault(
        AWS,
        "DeleteOnTermination: false",
        "DeleteOnTermination: true",
        ("BlockDeviceMappings", 0),
        "the journal would be gone",
        "SWARM_STORE_URL",
    ),
    "Ray's own pool of hosts": Fault(
        ONPREM,
        "type: external # Ray's own `local` has one node type and does not scale\n"
        "  module: swarm.capacity.host_pool.HostPool",
        "type: local\n  head_ip: 10.0.0.10\n  worker_ips: []",
        ("type: local", 0),
        "does not scale",
        "swarm.capacity.host_pool.HostPool",
    ),
    "a host that is there twice": Fault(
        ONPREM,
        "[10.0.0.31,",
        "[10.0.0.22,",
        ("[10.0.0.22,", 0),
        "10.0.0.22 is in `spot` too",
        "leave one out",
    ),
    "more nodes than hosts": Fault(
        ONPREM,
        "hosts: [10.0.0.21, 10.0.0.22]",
        "hosts: [10.0.0.21]",
        ("swarm/offering: spot,", 2),
        "2 nodes of 1 hosts",
        "max_workers: 1",
    ),
    "no host": Fault(
        ONPREM,
        "hosts: [10.0.0.31, 10.0.0.32]",
        "hosts: []",
        ("hosts: []", -1),
        "no machines",
        "hosts: [ADDRESS",
    ),
    "a key that is there twice": Fault(
        ONPREM,
        "upscaling_speed: 100",
        "upscaling_speed: 100\ncluster_name: other",
        ("cluster_name: other", 0),
        "there twice",
        "keep one",
    ),
    "no token on Kubernetes": Fault(
        KUBERAY,
        "mode: token ",
        "mode: disabled ",
        ("authOptions:", 0),
        "may run programs",
        "mode: token",
    ),
    "no autoscaler on Kubernetes": Fault(
        KUBERAY,
        "enableInTreeAutoscaling: true",
        "enableInTreeAutoscaling: false",
        ("enableInTreeAutoscaling", 0),
        "no node would ever",
        "enableInTreeAutoscaling: true",
    ),
    "the first autoscaler on Kubernetes": Fault(
        KUBERAY,
        "version: v2",
        "version: v1",
        ("autoscalerOptions:", 0),
        "ignores labels",
        "version: v2",
    ),
    "a head that forgets on Kubernetes": Fault(
        KUBERAY,
        "gcsFaultToleranceOptions:",
        "metadata:",
        ("rayClusterConfig:", 0),
        "end of all nodes",
        "redisAddress",
    ),
    "work on the head on Kubernetes": Fault(
        KUBERAY,
        'resources: {CPU: "0"}',
        'resources: {CPU: "2"}',
        ("headGroupSpec:", 0),
        "beside swarm's journal",
        'CPU: "0"',
    ),
    "a journal that goes with the pod": Fault(
        KUBERAY,
        "persistentVolumeClaim: {claimName: swarm-state}",
        "emptyDir: {}",
        ("          volumes:", 0),
        "the journal would be gone",
        "persistentVolumeClaim",
    ),
    "no guard on Kubernetes": Fault(
        KUBERAY,
        "python -m swarm.capacity.guard &",
        "",
        ("- name: ray-head", 0),
        "nothing clears the fleet",
        "overwrite-container-cmd",
    ),
    "an offering of another name on Kubernetes": Fault(
        KUBERAY,
        "swarm/offering: dedicated",
        "swarm/offering: steady",
        ("swarm/offering: steady", 0),
        "could not ask for a node",
        "swarm/offering: dedicated",
    ),
    "a group without CPUs on Kubernetes": Fault(
        KUBERAY,
        "groupName: dedicated\n        replicas: 0\n        minReplicas: 0\n",
        "groupName: dedicated\n        replicas: 0\n",
        ("rayClusterConfig:", 0),
        "Ray needs `minReplicas`",
        "minReplicas",
    ),
    "a second swarm on the same journal": Fault(
        KUBERAY,
        "type: None ",
        "type: NewCluster ",
        ("upgradeStrategy:", 0),
        "a second swarm",
        "type: None",
    ),
    "another port": Fault(
        KUBERAY,
        "host: 0.0.0.0, port: 8642}",
        "host: 0.0.0.0, port: 8000}",
        ("serveConfigV2:", 0),
        "port 8000",
        "8642",
    ),
}


def text_of(name: str) -> str:
    return (FOLDER / name).read_text()


@pytest.mark.parametrize("name", [AWS, ONPREM, KUBERAY])
def test_what_ships_is_right(name: str) -> None:
    assert check(text_of(name)) == []


THEIRS = """  theirs:
    labels: {swarm/keep-off: "true"}
    resources: {GPU: 1}
    max_workers: 2
    node_config: {InstanceType: g5.xlarge}
"""


def with_theirs(group: str = THEIRS) -> str:
    """A file with one more group of nodes, which is for other jobs."""
    text = text_of(AWS).replace("\nfile_mounts:", f"{group}\nfile_mounts:", 1)
    return text.replace("max_workers: 50", "max_workers: 52", 1)


def test_a_group_for_other_jobs_needs_nothing_of_swarms() -> None:
    """But counts among the nodes that Ray may start."""
    assert check(with_theirs()) == []
    (finding,) = check(with_theirs().replace("max_workers: 52", "max_workers: 50"))
    assert "52 nodes together" in finding.problem


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ('{swarm/keep-off: "true", swarm/offering: theirs}', "is offered to swarm"),
        ('{swarm/keep-off: "no"}', "stays off it also at 'no'"),
    ],
)
def test_a_group_that_is_half_for_other_jobs_is_told(labels: str, says: str) -> None:
    group = THEIRS.replace('{swarm/keep-off: "true"}', labels)
    (finding,) = check(with_theirs(group))
    assert says in finding.problem
    assert "keep-off" in finding.fix


def test_where_all_groups_are_for_other_jobs_nobody_does_swarms_work() -> None:
    text = text_of(ONPREM)
    for name in ("spot", "dedicated"):
        text = text.replace(f"swarm/offering: {name}", 'swarm/keep-off: "true"')
    assert [one.problem for one in check(text)] == ["no node does work"]


def without_notices() -> str:
    return text_of(AWS).replace("SWARM_WORKER__NOTICES=aws ", "")


def test_the_swarm_of_the_file_for_aws_has_its_workers_ask() -> None:
    (command,) = (
        one
        for one in texts(yaml.safe_load(text_of(AWS)), "head_start_ray_commands")
        if "swarm up" in one
    )
    told = {name: one for name, one in assigned(command).items() if name.startswith("SWARM_")}
    assert load(FOLDER / "swarm.yaml", told).worker.notices == "aws"


def test_on_google_cloud_spot_workers_ask_it() -> None:
    on_aws = """  region: us-east-1
  availability_zone: us-east-1a,us-east-1b,us-east-1c # tried in this order
"""
    on_gcp = "  region: us-east1\n  availability_zone: us-east1-b\n  project_id: ours\n"
    for asks, told in (
        ("", 1),
        ("SWARM_WORKER__NOTICES=aws ", 1),
        ("SWARM_WORKER__NOTICES=gcp ", 0),
    ):
        text = text_of(AWS).replace("SWARM_WORKER__NOTICES=aws ", asks)
        found = check(text.replace("type: aws", "type: gcp").replace(on_aws, on_gcp))
        fixes = [one.fix for one in found if "before it is gone" in one.problem]
        assert fixes == ["`SWARM_WORKER__NOTICES=gcp swarm up`"] * told


def test_where_no_worker_of_swarm_is_on_spot_nobody_needs_to_ask() -> None:
    tree = yaml.safe_load(without_notices())
    kinds = tree["available_node_types"]
    (finding,) = check(yaml.safe_dump(tree))
    assert "before it is gone" in finding.problem
    for name in [name for name in kinds if name.startswith("spot")]:
        kinds[name]["labels"] = {"ray.io/market-type": "spot", "swarm/keep-off": "true"}
    assert check(yaml.safe_dump(tree)) == []


def test_where_the_file_does_not_start_swarm_whoever_does_tells_it() -> None:
    tree = yaml.safe_load(without_notices())
    tree["head_start_ray_commands"].pop()
    assert check(yaml.safe_dump(tree)) == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_on_its_line_with_the_fix(fault: Fault) -> None:
    text = text_of(fault.file)
    assert text.count(fault.old) == 1, "the test has to name one place"
    text = text.replace(fault.old, fault.new)
    marker, further = fault.at
    lines = [number for number, line in enumerate(text.splitlines(), 1) if marker in line]
    finding, *others = check(text)
    assert {one.problem for one in others} <= {finding.problem}, "an alias repeats it"
    assert fault.says in finding.problem
    assert fault.fix in finding.fix
    assert finding.line in [number + further for number in lines], finding


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1\nb: 2\n", "line 2: not valid YAML"),
        ("just words\n", "no cluster"),
        ("kind: Pod\n", "no cluster"),
        ("", "no cluster"),
        ("a: &a [*a]\n", "no cluster"),
    ],
)
def test_what_is_no_cluster_is_named(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        check(text)


@pytest.mark.parametrize("name", [AWS, ONPREM, KUBERAY])
@pytest.mark.parametrize("value", ["5", "[]", "{}", "text", "null"])
def test_no_value_of_a_wrong_kind_breaks_it(name: str, value: str) -> None:
    """Each key of the file, one after the other, has something else below it."""
    lines = text_of(name).splitlines()
    keys = [n for n, line in enumerate(lines) if line.rstrip().endswith(":")]
    for number in keys:
        depth = len(lines[number]) - len(lines[number].lstrip(" -"))
        rest = number + 1
        while rest < len(lines) and (
            not lines[rest].strip() or len(lines[rest]) - len(lines[rest].lstrip(" ")) > depth
        ):
            rest += 1
        changed = [*lines[:number], f"{lines[number]} {value}", *lines[rest:]]
        with contextlib.suppress(InputError):
            check("\n".join(changed))
