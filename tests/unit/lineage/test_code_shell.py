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
        ("cd $ETL && sh a.sh", [("\x00ETL\x00", "a.sh")]),
        ("cd && sh a.sh", [("~", "a.sh")]),
        ("cd $(dirname $0) && sh a.sh", [(".", "a.sh")]),
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


def fed(text: str) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Server, SQL texts and SQL files of the clients that are started."""
    return [(one.server, one.sql, one.sql_files) for one in commands(text) if one.server]


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("psql lake <<SQL\nDELETE FROM a;\nSQL", "DELETE FROM a;"),
        ("psql lake <<'SQL'\nDELETE FROM a;\nSQL\necho done", "DELETE FROM a;"),
        ('psql lake << "END" > /dev/null\nDELETE\nFROM a\nEND\n', "DELETE\nFROM a"),
        ("if true; then\n\tpsql lake <<-SQL\n\tDELETE FROM a\n\tSQL\nfi", "DELETE FROM a"),
        (
            "psql -X lake <<SQL && sh a.sh\nSELECT 'it''s; (x' | y > z\nSQL",
            "SELECT 'it''s; (x' | y > z",
        ),
        ("mysql lake <<'SQL'\nDELETE FROM `a`\nSQL", "DELETE FROM `a`"),
        ("mysql lake <<SQL\nDELETE FROM \\`a\\`\nSQL", "DELETE FROM `a`"),
        ("psql lake <<SQL\nDELETE FROM a_$(date +%Y)\nSQL", "DELETE FROM a_2000"),
        ("psql lake <<< 'DELETE FROM a'", "DELETE FROM a"),
        ("echo 'DELETE FROM a' | psql lake", "DELETE FROM a"),
        ("cat <<SQL | sqlite3 lake\nDELETE FROM a\nSQL", "DELETE FROM a"),
        ("duckdb lake -c 'DELETE FROM a'", "DELETE FROM a"),
    ],
)
def test_a_client_runs_what_it_gets(text: str, sql: str) -> None:
    assert fed(text) == [("lake", (sql,), ())]
    assert [one.missing for one in commands(text) if one.missing] == []


def test_two_documents_and_what_follows_them() -> None:
    text = "psql a <<ONE\nDELETE FROM x\nONE\npsql b <<TWO\nDELETE FROM y\nTWO\nsh a.sh\n"
    assert fed(text) == [("a", ("DELETE FROM x",), ()), ("b", ("DELETE FROM y",), ())]
    assert started(text) == [("", "a.sh")]


def test_a_file_that_is_piped_into_a_client_is_its_sql() -> None:
    assert fed("cat sql/a.sql | psql lake") == [("lake", (), ("sql/a.sql",))]
    assert fed("echo x | psql lake < sql/a.sql") == [("lake", (), ("sql/a.sql",))]
    assert fed("psql lake < sql/a.sql") == [("lake", (), ("sql/a.sql",))]


@pytest.mark.parametrize(
    "text", ["sed s/x/y/ a.sql | psql lake", "date | sqlite3 lake", "date | sh"]
)
def test_what_is_piped_in_and_not_known_is_told(text: str) -> None:
    (missing,) = [one.missing for one in commands(text) if one.missing]
    assert "is not known" in missing


@pytest.mark.parametrize(
    "text", ["psql lake", "echo $((1 << x))", "cat <<A", "true | sort", "date | sort; psql lake"]
)
def test_what_is_no_document_and_no_pipe_into_a_client(text: str) -> None:
    assert [one for one in commands(text) if one.missing or one.sql] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("python3 -c 'import a; a.run()' --day 1", "import a; a.run()"),
        ("python - <<PY\nimport a\nPY", "import a"),
        ("python3 <<'PY'\nimport a\nPY", "import a"),
    ],
)
def test_python_in_a_command(text: str, code: str) -> None:
    assert [one.code for one in commands(text)] == [code]


@pytest.mark.parametrize(
    "text", ["bash -c 'sh a.sh'", "bash <<END\nsh a.sh\nEND", "echo sh a.sh | sh"]
)
def test_a_shell_in_a_command(text: str) -> None:
    assert [one.text for one in commands(text) if one.text] == ["sh a.sh"]


def test_what_a_pipe_brings_is_no_file_of_the_next_command() -> None:
    assert [one.paths for one in commands("cat notes | sort") if one.paths] == []


def test_a_client_that_is_told_what_to_run_needs_no_input() -> None:
    (one,) = [one for one in commands("date | psql lake -c 'DELETE FROM a'") if one.server]
    assert (one.sql, one.missing) == (("DELETE FROM a",), "")


@pytest.mark.parametrize(
    "text",
    [
        "for a in 1 2 3 4 5 6 7 8 9; do " * 6 + "echo" + "; done" * 6,
        "(" * 3_000,
        "f() { f; f; }; f",
        "X=a\n" + "X=$X$X\n" * 100 + "echo $X",
        "$(" * 2_000,
        "if a; then\n" * 500,
    ],
)
def test_a_text_that_is_made_to_hurt_ends(text: str) -> None:
    assert len(commands(text)) < 5_000
