"""What `swarm doctor` and the documents tell people to install is this swarm, not a namesake."""

import json
import re
import shlex

import pytest

from swarm.cli import installed
from swarm.cli.installed import of_note
from tests.unit.documents import ROOT, documents

# `pip install swarm`, `'swarm==1.0'`, `swarm[traces]`: what an index would be asked for by name.
BY_NAME = re.compile(r"pip install\b[^\n`#]*?(?<![\w./~-])swarm(?![\w./-])")


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ({"url": "file:///srv/my%20swarm", "dir_info": {"editable": True}}, "/srv/my swarm"),
        ({"url": "file:///srv/swarm-1.whl", "archive_info": {}}, "/srv/swarm-1.whl"),
        (
            {"url": "https://git.example/swarm", "vcs_info": {"vcs": "git", "commit_id": "a"}},
            "git+https://git.example/swarm",
        ),
        (
            {"url": "https://files.example/swarm-1.whl", "archive_info": {}},
            "https://files.example/swarm-1.whl",
        ),
    ],
)
def test_it_is_installed_again_from_where_it_came(note, said):
    assert shlex.split(of_note(json.dumps(note))) == [said]


def test_where_nobody_noted_it_a_checkout_is_named_and_no_index_is_asked(monkeypatch, tmp_path):
    (tmp_path / "swarm-1.dist-info").mkdir()
    (tmp_path / "swarm-1.dist-info" / "METADATA").write_text("Name: swarm\nVersion: 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed.source() == installed.UNKNOWN


@pytest.mark.parametrize(
    "text",
    ["pip install swarm", "pip install --upgrade swarm\n", "pip install 'swarm==1' ray"],
)
def test_the_rule_below_bites(text):
    assert BY_NAME.search(text)


def test_nothing_tells_anybody_to_install_it_by_its_name():
    places = [*documents(), *(ROOT / "swarm").rglob("*.py"), *(ROOT / "cluster").rglob("*.yaml")]
    told = [(str(at), found) for at in places for found in BY_NAME.findall(at.read_text())]
    assert told == []
