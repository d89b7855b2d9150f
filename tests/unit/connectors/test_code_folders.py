"""Which files of the team may be read, and which file an orchestrator means."""

from pathlib import Path

import pytest

from swarm.connectors.code_folders import CodeFolders, Limits
from swarm.errors import ConfigError
from swarm.model.lineage import UnresolvedReason


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def folders(*paths: Path) -> CodeFolders:
    found = CodeFolders(paths)
    found.texts()
    return found


def left_out(code: CodeFolders) -> list[tuple[UnresolvedReason, str]]:
    return [(found.reason, found.place) for found in code.left_out("cron")]


def test_programs_below_the_folder_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "etl/flow.py", "x = 1")
    write(tmp_path / "etl/load.sql", "select 1")
    write(tmp_path / "etl/run.sh", "psql -f load.sql")
    write(tmp_path / "etl/notes.txt")
    write(tmp_path / ".git/hook.py")
    write(tmp_path / "venv/pyvenv.cfg")
    write(tmp_path / "venv/lib/other.py")
    texts = CodeFolders([tmp_path]).texts()
    assert texts == {
        str(tmp_path / "etl/flow.py"): "x = 1",
        str(tmp_path / "etl/load.sql"): "select 1",
        str(tmp_path / "etl/run.sh"): "psql -f load.sql",
    }


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret/key.py", "TOKEN = 1")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/key.py").symlink_to(tmp_path / "secret/key.py")
    (tmp_path / "code/more").symlink_to(tmp_path / "secret")
    assert CodeFolders([tmp_path / "code"]).texts() == {}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        CodeFolders([tmp_path / "nowhere"])


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.py", "1")
    code = CodeFolders([tmp_path])
    before, state = code.texts(), code.state()
    assert code.texts() is before
    path.write_text("22")
    assert code.state() != state
    assert code.texts() == {str(path): "22"}


def test_the_file_an_orchestrator_on_another_machine_means(tmp_path: Path) -> None:
    flow = write(tmp_path / "etl/flow.py")
    code = folders(tmp_path)
    assert code.locate(str(flow)) == str(flow)
    assert code.locate("/opt/app/etl/flow.py") == str(flow)
    assert code.locate("etl/flow.py") == str(flow)
    assert code.locate("/opt/app/etl/other.py") is None


def test_no_path_leads_out_of_the_folders(tmp_path: Path) -> None:
    write(tmp_path / "secret.py")
    write(tmp_path / "code/a.py")
    code = folders(tmp_path / "code")
    assert code.locate(str(tmp_path / "secret.py")) is None
    assert code.locate("../secret.py") is None
    assert code.locate(str(tmp_path / "code/../secret.py")) is None


def test_a_file_that_two_folders_have_is_not_guessed(tmp_path: Path) -> None:
    write(tmp_path / "one/flow.py")
    write(tmp_path / "two/flow.py")
    code = folders(tmp_path / "one", tmp_path / "two")
    assert code.locate("/opt/flow.py") is None


def test_a_program_is_its_file_and_what_that_imports(tmp_path: Path) -> None:
    entry = write(tmp_path / "flow.py", "from lib import tables\nfrom . import near\nimport os\n")
    tables = write(tmp_path / "lib/tables.py", "import deep\n")
    deep = write(tmp_path / "deep.py", "import flow\n")
    near = write(tmp_path / "near.py")
    query = write(tmp_path / "sql/q.sql", "select 1")
    write(tmp_path / "unrelated.py")
    program = folders(tmp_path).program(str(entry))
    assert next(iter(program)) == str(entry)
    assert set(program) == {str(path) for path in (entry, tables, deep, near, query)}


def test_a_file_below_two_of_the_folders_is_one_file(tmp_path: Path) -> None:
    path = write(tmp_path / "etl/a.py", "x = 1")
    code = CodeFolders([tmp_path, tmp_path / "etl"], beside=tmp_path, limits=Limits(files=1))
    assert code.texts() == {str(path): "x = 1"}
    assert left_out(code) == []


def test_a_folder_beside_need_not_be_there(tmp_path: Path) -> None:
    code = CodeFolders([], beside=tmp_path / "later")
    assert code.texts() == {}
    path = write(tmp_path / "later/a.py", "1")
    assert code.texts() == {str(path): "1"}


def test_the_files_near_the_top_are_read_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    near = [write(tmp_path / name) for name in ("a.py", "b.sql")]
    write(tmp_path / "a/deep.py")
    write(tmp_path / "a/deeper/still.py")
    code = CodeFolders([tmp_path], limits=Limits(files=2))
    assert set(code.texts()) == {str(path) for path in near}
    assert left_out(code) == [(UnresolvedReason.TOO_LARGE, str(tmp_path / "a"))]
    assert code.left_out("cron")[0].subject == "cron"


def test_no_more_characters_are_read_than_the_limit(tmp_path: Path) -> None:
    first = write(tmp_path / "a.py", "x" * 60)
    write(tmp_path / "b.py", "x" * 60)
    code = CodeFolders([tmp_path], limits=Limits(total_size=100))
    assert set(code.texts()) == {str(first)}
    assert left_out(code) == [(UnresolvedReason.TOO_LARGE, str(tmp_path))]


def test_a_file_that_is_too_long_is_told_and_cut_where_no_parser_takes_it(tmp_path: Path) -> None:
    path = write(tmp_path / "dump.sql", "x" * 500)
    code = CodeFolders([tmp_path], limits=Limits(file_size=100))
    assert code.texts() == {str(path): "x" * 101}
    assert left_out(code) == [(UnresolvedReason.TOO_LARGE, str(path))]


def test_a_folder_of_very_many_files_is_not_looked_at_to_the_end(tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / f"data/{number}.csv")
    write(tmp_path / "data/more/late.py")
    near = write(tmp_path / "near.py")
    code = CodeFolders([tmp_path], limits=Limits(entries=20))
    assert set(code.texts()) == {str(near)}
    assert left_out(code) == [(UnresolvedReason.TOO_LARGE, str(tmp_path / "data"))]


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    kept, changed = write(tmp_path / "a.py", "1"), write(tmp_path / "b.py", "1")
    code = CodeFolders([tmp_path])
    before = code.texts()[str(kept)] + code.texts()[str(changed)]
    changed.write_text("22")
    write(tmp_path / "c.py", "3")
    changed.with_name("c.py").unlink()
    after = code.texts()
    assert (before, after[str(kept)], after[str(changed)]) == ("11", "1", "22")
    assert set(after) == {str(kept), str(changed)}
