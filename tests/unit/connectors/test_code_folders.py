"""Which files of the team may be read, and which file an orchestrator means."""

from pathlib import Path

import pytest

from swarm.connectors.code_folders import CodeFolders
from swarm.errors import ConfigError


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def folders(*paths: Path) -> CodeFolders:
    found = CodeFolders(paths)
    found.texts()
    return found


def test_python_and_sql_below_the_folder_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "etl/flow.py", "x = 1")
    write(tmp_path / "etl/load.sql", "select 1")
    write(tmp_path / "etl/notes.txt")
    write(tmp_path / ".git/hook.py")
    write(tmp_path / "venv/pyvenv.cfg")
    write(tmp_path / "venv/lib/other.py")
    texts = CodeFolders([tmp_path]).texts()
    assert texts == {
        str(tmp_path / "etl/flow.py"): "x = 1",
        str(tmp_path / "etl/load.sql"): "select 1",
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
