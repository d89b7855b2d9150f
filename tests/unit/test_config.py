"""Settings come from a file and the environment; what is wrong is named with its fix."""

import pytest

from swarm.config import Settings, load
from swarm.errors import ConfigError


@pytest.fixture
def read(tmp_path):
    def load_text(text, **environ):
        path = tmp_path / "swarm.yaml"
        path.write_text(text)
        return load(path, environ)

    return load_text


def message(read, text, **environ):
    with pytest.raises(ConfigError) as error:
        read(text, **environ)
    return str(error.value)


def test_nothing_given_means_the_defaults():
    assert load(None, {}) == Settings()


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_means_the_defaults(read, text):
    assert read(text) == Settings()


def test_a_file_sets_what_it_names(read):
    found = read("api: {port: 9000}\nsources:\n  - {kind: airflow, name: eu, url: 'http://a'}\n")
    assert (found.api.port, found.api.host) == (9000, "127.0.0.1")
    assert [source.instance for source in found.sources] == ["eu"]


def test_the_environment_is_laid_over_the_file(read):
    found = read("api: {port: 9000, host: h}", SWARM_API__PORT="9001", SWARM_MIN_CONFIDENCE="0.9")
    assert (found.api.port, found.api.host, found.min_confidence) == (9001, "h", 0.9)


def test_lists_come_from_the_environment_as_yaml(read):
    found = read("", SWARM_SOURCES="[{kind: manifest, path: /x}]")
    assert found.sources[0].instance == "manifest"


def test_an_empty_variable_counts_as_not_set(read):
    assert read("store_url: 'postgresql://h/d'", SWARM_STORE_URL="").store_url


def test_variables_of_the_command_line_are_no_settings(read):
    assert read("", SWARM_CONFIG="x", SWARM_URL="y", SWARM_TOKEN_FILE="z") == Settings()


def test_an_empty_section_may_be_filled_by_a_variable(read):
    assert read("api:\n", SWARM_API__PORT="9001").api.port == 9001


def test_a_tilde_is_the_home_folder(read, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    found = read("state_dir: ~/s\ncode: [~/c]\nsources: [{kind: manifest, path: ~/m}]\n")
    paths = [str(path) for path in (found.state_dir, found.code[0], found.sources[0].path)]
    assert paths == ["/home/ann/s", "/home/ann/c", "/home/ann/m"]


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("sorces: []", "`sorces`", "`sources`"),
        ("api: {prot: 1}", "`api.prot`", "`port`"),
        ("sources: [{kind: airflow, pol_s: 1}]", "`sources.0.pol_s`", "`poll_s`"),
        ("connections: {x: {dialekt: y}}", "`connections.x.dialekt`", "`dialect`"),
        ("naming: {dataset: {}}", "`naming.dataset`", "`datasets`"),
    ],
)
def test_an_unknown_key_names_file_key_and_what_was_meant(read, text, key, meant):
    said = message(read, text)
    assert "swarm.yaml" in said
    assert key in said
    assert f"Did you mean {meant}?" in said


def test_an_unknown_variable_is_named(read):
    said = message(read, "", SWARM_API__PROT="1")
    assert said.startswith("environment variable SWARM_API__PROT: ")
    assert "Did you mean `port`?" in said


def test_each_error_names_where_that_key_came_from(read):
    said = message(read, "api: {host: 5}", SWARM_API__PORT="99999").splitlines()
    assert len(said) == 2
    assert "swarm.yaml: `api.host`" in said[0]
    assert "SWARM_API__PORT: `api.port`" in said[1]


@pytest.mark.parametrize(
    "text",
    [
        "api: {port: 0}",
        "min_confidence: 2",
        "sources: [{kind: airflow, poll_s: 0}]",
        "sources: [{kind: airflow, poll_s: .nan}]",
        "sources: [{name: x}]",
        "sources: [{kind: airflow, name: a/b}]",
        "api: 5",
        "[1, 2]",
        "a: b: c",
        "sources: &a [*a]",
        "x: 2024-99-99",
        "[" * 5_000,
    ],
)
def test_values_out_of_bounds_and_rubbish_are_config_errors(read, text):
    assert "swarm.yaml" in message(read, text)


def test_a_variable_cannot_reach_into_a_list_or_a_value(read):
    said = message(read, "sources: [{kind: airflow}]", SWARM_SOURCES__0__URL="http://a")
    assert "SWARM_SOURCES__0__URL" in said
    assert "`sources`" in said


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        load(tmp_path / "nowhere.yaml", {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path, {})


def test_a_file_that_is_no_text_or_too_large_is_named(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="YAML"):
        load(path, {})
    path.write_bytes(b"#" * 2_000_000)
    with pytest.raises(ConfigError, match="settings file"):
        load(path, {})


def test_a_right_of_before_is_the_roles_that_may_do_the_same():
    tree = {"api": {"tokens": [{"token_file": "/t", "right": "tell"}, {"token_file": "/u"}]}}
    told, default = Settings.model_validate(tree).api.tokens
    assert (told.roles, default.roles) == (("viewer", "worker"), ("viewer",))


def test_two_offerings_of_one_name_are_refused(read):
    kinds = "{name: small, price_usd_per_h: 0.1}"
    said = message(read, f"placement: {{pool: static, offerings: [{kinds}, {kinds}]}}")
    assert "two offerings are called `small`" in said


def test_nodes_of_an_autoscaler_need_a_cluster_and_its_node_types(read):
    kinds = "offerings: [{name: small, price_usd_per_h: 0.1}]"
    assert "`offerings`" in message(read, "placement: {pool: ray}")
    assert "`ray_address`" in message(read, f"placement: {{pool: ray, {kinds}}}")
    assert read(f"ray_address: auto\nplacement: {{pool: ray, {kinds}}}").placement.pool == "ray"
