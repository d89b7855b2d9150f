"""Settings name places of secrets; what is read there is shown by nothing."""

import json

import pytest

from swarm import secret
from swarm.actors.programs import Programs
from swarm.config import Settings, load
from swarm.connectors.credentials import headers_of
from swarm.errors import ConfigError, StoreError
from swarm.model.work import TaskId, Token
from swarm.store.database import open_url

CANARY = "canary-5f0c6d"


def settings(**more):
    sources = [{"kind": "airflow", "url": "http://a:1", "token_file": "secret://env/TOKEN_OF_A"}]
    return Settings.model_validate({"sources": sources, **more})


def test_a_secret_is_read_where_it_lies(tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text(f"{CANARY}\n")
    monkeypatch.setenv("TOKEN_OF_A", CANARY)
    for place in (str(file), f"secret://file{file}", "secret://env/TOKEN_OF_A"):
        assert secret.read(place, "k") == CANARY
    assert headers_of(settings().sources[0]) == {"Authorization": f"Bearer {CANARY}"}


def test_what_is_not_there_is_named_with_its_setting(tmp_path, monkeypatch):
    monkeypatch.delenv("TOKEN_OF_A", raising=False)
    with pytest.raises(ConfigError, match=r"source `airflow`: `token_file`: .* TOKEN_OF_A is not"):
        headers_of(settings().sources[0])
    with pytest.raises(ConfigError, match=r"k: .*/none cannot be read: No such file"):
        secret.read(str(tmp_path / "none"), "k")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is no text file"):
        secret.read(str(tmp_path / "binary"), "k")


def test_a_secret_is_one_line_and_the_refusal_does_not_show_it(tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text(f"# for airflow\n{CANARY}\n")
    monkeypatch.setenv("TOKEN_OF_A", f"{CANARY}\r{CANARY}")
    for place in (str(file), "secret://env/TOKEN_OF_A"):
        with pytest.raises(ConfigError, match=f"k: {place} holds more than one line") as refused:
            secret.read(place, "k")
        assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    "place", ["secret://vault/x", "secret://env/", "secret://env/A-B", "secret://file"]
)
def test_a_place_that_is_none_is_refused_at_start(tmp_path, place):
    file = tmp_path / "swarm.yaml"
    file.write_text(json.dumps({"api": {"tokens": [{"token_file": place}]}}))
    with pytest.raises(ConfigError, match=r"token_file`.*secret://env/NAME"):
        load(file, environ={})


def test_no_setting_shows_what_it_points_to(monkeypatch):
    monkeypatch.setenv("TOKEN_OF_A", CANARY)
    monkeypatch.setenv("STORE", f"postgresql://u:{CANARY}@h/d")
    tree = settings(store_url="secret://env/STORE")
    shown = tree.model_dump_json() + repr(tree)
    assert CANARY not in shown
    assert "secret://env/TOKEN_OF_A" in shown
    assert CANARY not in open_url(tree.store_url).place
    monkeypatch.setenv("STORE", f"mysql://u:{CANARY}@h/d")
    with pytest.raises(StoreError) as refused:
        open_url(tree.store_url)
    assert CANARY not in str(refused.value)


def test_programs_do_not_inherit_variables_that_hold_secrets():
    names = secret.variables(settings(store_url="secret://env/STORE").secrets())
    assert names == {"TOKEN_OF_A", "STORE"}
    around = {"TOKEN_OF_A": CANARY, "STORE": CANARY, "PATH": "/bin", secret.HIDDEN: ",".join(names)}
    assert secret.inherited(around) == {"PATH": "/bin"}
    assert secret.inherited({"PATH": "/bin"}) == {"PATH": "/bin"}


def test_a_worker_hides_them_also_where_it_was_not_swarm_that_started_ray(tmp_path, monkeypatch):
    """There the environment is that of whoever started Ray."""
    monkeypatch.setenv("TOKEN_OF_A", CANARY)
    monkeypatch.setenv("KEPT", "yes")
    monkeypatch.setenv(secret.HIDDEN, "")
    secret.hide(secret.variables(settings().secrets()))
    program = Programs(tmp_path).unpack(Token(TaskId("t"), 1), json.dumps({"argv": ["env"]}))
    assert (program.env.get("KEPT"), program.env.get("TOKEN_OF_A")) == ("yes", None)
