"""No setting, and no name that leads elsewhere, makes swarm ask a machine for its credentials."""

import pytest

from swarm.errors import ConfigError
from swarm.outbound import check_reached, check_url

LEADS_TO_METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "100.100.100.200",
    "[fd00:ec2::254]",
    "[fe80::1%25eth0]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "0.0.0.0",
    "[::]",
    "224.0.0.1",
]


def leading_to(*addresses: str):
    return lambda host, port: list(addresses)


@pytest.mark.parametrize("host", LEADS_TO_METADATA)
def test_metadata_and_link_local_are_refused_as_they_are_written(host):
    with pytest.raises(ConfigError, match=r"source `a`: .*never asked"):
        check_url(f"http://{host}:80/latest", "source `a`: `url`")


@pytest.mark.parametrize("host", LEADS_TO_METADATA)
def test_and_where_a_name_leads_there(host):
    there = leading_to("10.0.0.1", host.strip("[]").replace("%25", "%"))
    with pytest.raises(ConfigError, match="never asked"):
        check_reached("http://rebound.example:8080", "k", there)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_a_name_may_not_lead_to_this_machine(address):
    for host in ("rebound.example", "2130706433", "0x7f.1", "127.1"):
        with pytest.raises(ConfigError, match="leads to this machine"):
            check_reached(f"http://{host}:8080", "k", leading_to(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "api.localhost"])
def test_this_machine_is_reached_where_the_url_says_so(host):
    check_url(f"http://{host}:8080", "k")
    assert check_reached(f"http://{host}:8080", "k", leading_to("127.0.0.1")) == ["127.0.0.1"]


def test_private_networks_are_where_orchestrators_are():
    for url in ("http://10.1.2.3:8080/api", "https://[fd12::1]", "http://airflow:8080"):
        check_url(url, "k")
        check_reached(url, "k", leading_to("10.1.2.3", "fd12::1"))


def test_a_name_that_does_not_resolve_leads_nowhere():
    assert check_reached("http://gone.example", "k", leading_to()) == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://a", "http://", "//a", "http://a:x"]
)
def test_what_is_no_url_of_a_server_is_refused(url):
    with pytest.raises(ConfigError, match="has to be like"):
        check_url(url, "k")
