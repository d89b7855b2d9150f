"""`cluster/aws.yaml` by Ray's own preparation and AWS provider, against a server that answers as
AWS does: what is asked for, and what is paid for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer
from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig

FILE = Path(__file__).parents[3] / "cluster" / "aws.yaml"
WORKERS = {  # type: (instance type, what AWS calls its lifecycle)
    "spot-m5-xlarge": ("m5.xlarge", "spot"),
    "spot-m5a-xlarge": ("m5a.xlarge", "spot"),
    "spot-m6i-xlarge": ("m6i.xlarge", "spot"),
    "dedicated-m5-xlarge": ("m5.xlarge", None),
    "dedicated-m6i-xlarge": ("m6i.xlarge", None),
}


# Of its module only one test can be: Ray keeps its clients, and the server is gone after it.
@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account of our own, with the role that Ray makes on its first start and waits for."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    environ = {
        "HOME": str(tmp_path),  # Ray leaves a key there
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    try:
        iam = boto3.client("iam")
        iam.create_role(RoleName="ray-autoscaler-v1", AssumeRolePolicyDocument="{}")
        iam.create_instance_profile(InstanceProfileName="ray-autoscaler-v1")
        iam.add_role_to_instance_profile(
            InstanceProfileName="ray-autoscaler-v1", RoleName="ray-autoscaler-v1"
        )
        yield
    finally:
        server.stop()


def prepared() -> dict[str, Any]:
    """The file as `ray up` makes a cluster of it, but for the image: each account has others."""
    tree = yaml.safe_load(FILE.read_text())
    image = boto3.client("ec2").describe_images()["Images"][0]["ImageId"]
    for kind in tree["available_node_types"].values():
        kind["node_config"]["ImageId"] = image
    config = AWSNodeProvider.fillout_available_node_types_resources(prepare_config(tree))
    validate_config(config)
    made: dict[str, Any] = AWSNodeProvider.bootstrap_config(config)
    return made


def found_out() -> dict[str, dict[str, int]]:
    """What Ray takes the machines of the file for where it is not told their memory."""
    tree = yaml.safe_load(FILE.read_text())
    for name in WORKERS:
        del tree["available_node_types"][name]["resources"]["memory"]
    config = AWSNodeProvider.fillout_available_node_types_resources(prepare_config(tree))
    return {name: config["available_node_types"][name]["resources"] for name in WORKERS}


def instances() -> dict[str, dict[str, Any]]:
    """What the account has, by node type."""
    answer = boto3.client("ec2").describe_instances()["Reservations"]
    found = [instance for one in answer for instance in one["Instances"]]
    return {
        next(tag["Value"] for tag in one["Tags"] if tag["Key"] == "ray-user-node-type"): one
        for one in found
    }


def test_spot_and_dedicated_are_rented_as_they_are_labelled_and_returned(aws: None) -> None:
    config = prepared()
    types = config["available_node_types"]
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    for name, kind in types.items():
        tags = {
            "ray-node-kind": "head" if name == "head" else "worker",
            "ray-user-node-type": name,
            "ray-launch-config": name,
            "ray-node-name": name,
        }
        labels = kind.get("labels", {})
        resources = kind["resources"]
        provider.create_node_with_resources_and_labels(
            kind["node_config"], tags, 1, resources, labels
        )
    rented = instances()
    assert rented.keys() == types.keys()
    told = {
        name: (one["InstanceType"], one.get("InstanceLifecycle"))
        for name, one in rented.items()
        if name != "head"
    }
    assert told == WORKERS
    assert rented["head"].get("InstanceLifecycle") is None
    cluster = {key: config[key] for key in config if key != "head_node"}
    asks = AutoscalingConfig(cluster, skip_content_hash=True)
    said = {name: types[name]["resources"] for name in WORKERS}
    assert said == found_out(), "the file says of memory what Ray itself would"
    for name, (_, lifecycle) in WORKERS.items():
        market = asks.get_node_labels(name)["ray.io/market-type"]
        assert market == ("spot" if lifecycle else "on-demand")
        assert asks.get_node_resources(name)["CPU"] == 4
    assert asks.get_node_resources("head")["CPU"] == 0
    ec2 = boto3.resource("ec2")
    subnets = types["spot-m5-xlarge"]["node_config"]["SubnetIds"]
    zones = [ec2.Subnet(one).availability_zone for one in subnets]
    assert zones == ["us-east-1a", "us-east-1b", "us-east-1c"], "each is tried"
    provider.terminate_nodes([one["InstanceId"] for one in rented.values()])
    assert {one["State"]["Name"] for one in instances().values()} == {"terminated"}
    assert provider.non_terminated_nodes({}) == []
