"""The `[swarm]` section of Airflow's configuration."""

import pytest

from swarm.plugins.airflow.settings import BadSettings, Settings, read


class Conf(dict[str, str]):
    """As Airflow's configuration answers."""

    def get(self, section, key, fallback=None):
        assert section == "swarm"
        return super().get(key, fallback)


@pytest.fixture
def token_file(tmp_path):
    (tmp_path / "token").write_text("secret\n")
    return str(tmp_path / "token")


def test_two_keys_are_enough(token_file):
    found = read(Conf(url="http://swarm:8642", token_file=token_file))
    assert found == Settings("http://swarm:8642", "secret")
    assert "secret" not in repr(found)


def test_all_keys(token_file):
    found = read(
        Conf(
            url="https://swarm",
            token_file=token_file,
            owner="prod",
            team="finance",
            python="/opt/airflow/bin/python",
            pass_env="AWS_PROFILE, ODBCINI",
            queue_pools="big=large-machines, gpu = gpus",
        )
    )
    assert found == Settings(
        "https://swarm",
        "secret",
        "prod",
        "finance",
        "/opt/airflow/bin/python",
        ("AWS_PROFILE", "ODBCINI"),
        {"big": "large-machines", "gpu": "gpus"},
    )


def test_each_team_of_an_airflow_is_told_apart(token_file):
    found = read(Conf(url="http://swarm", token_file=token_file), "finance")
    assert (found.owner, found.team) == ("airflow:finance", "airflow:finance")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"url": ""}, "AIRFLOW__SWARM__URL"),
        ({"url": "swarm:8642"}, "'swarm:8642'.*AIRFLOW__SWARM__URL"),
        ({"token_file": ""}, "AIRFLOW__SWARM__TOKEN_FILE"),
        ({"token_file": "/no/such/file"}, "/no/such/file: No such file"),
        ({"owner": "our airflow"}, "owner is 'our airflow': use letters"),
        ({"queue_pools": "big"}, "queue_pools has 'big': write QUEUE=POOL"),
    ],
)
def test_what_cannot_be_used_names_the_key_and_the_way(token_file, keys, words):
    with pytest.raises(BadSettings, match=words):
        read(Conf({"url": "http://swarm", "token_file": token_file} | keys))
