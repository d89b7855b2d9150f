"""The simple commands of a shell text, and the folder each runs in."""

import pytest

from swarm.lineage.code.shell import commands


def started(text: str) -> list[tuple[str, str]]:
    return [(one.folder, one.script) for one in commands(text) if one.script]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sh a.sh", [("", "a.sh")]),
        ("cd /opt/etl && sh a.sh", [("/opt/etl", "a.sh")]),
        ("cd -P /opt && cd etl && sh a.sh", [("/opt/etl", "a.sh")]),
        ("cd /opt/etl; cd ..; sh a.sh", [("/opt", "a.sh")]),
        ("cd etl\nsh a.sh", [("etl", "a.sh")]),
        ("sh a.sh; cd etl", [("", "a.sh")]),
        ("(cd etl && sh a.sh); sh b.sh", [("etl", "a.sh"), ("", "b.sh")]),
        ("cd /a; (cd b; sh a.sh) && sh b.sh", [("/a/b", "a.sh"), ("/a", "b.sh")]),
        ("cd $ETL && sh a.sh", [("$ETL", "a.sh")]),
        ("cd && sh a.sh", [("~", "a.sh")]),
        ("cd $(dirname $0) && sh a.sh", [("$substituted", "a.sh")]),
    ],
)
def test_cd_sets_the_folder_of_what_follows(text: str, expected: list[tuple[str, str]]) -> None:
    assert started(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "if [ -f x ]; then sh a.sh; fi",
        "if ! sh a.sh; then true; fi",
        "for day in 1 2; do sh a.sh; done",
        "while sh a.sh; do sleep 1; done",
        "if true; then true; else sh a.sh; fi",
        "{ sh a.sh; }",
        "(true); sh a.sh",
        "true &&(sh a.sh)",
    ],
)
def test_words_of_the_shell_hide_no_command(text: str) -> None:
    assert started(text) == [("", "a.sh")]
