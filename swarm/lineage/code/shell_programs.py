"""What the programs that a shell command starts do with data: SQL clients, copies, scripts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from swarm.model.lineage import Access


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: SQL texts and files that run on `server`, a script, file accesses.

    `code` is Python and `text` a shell text that it runs. `folder` is where the `cd` commands
    before it lead, seen from where the text starts; `missing` says what of the command is not
    known.
    """

    server: str = ""
    sql: tuple[str, ...] = ()
    sql_files: tuple[str, ...] = ()
    script: str = ""
    arguments: tuple[str, ...] = ()
    paths: tuple[tuple[Access, str], ...] = ()
    missing: str = ""
    folder: str = ""
    code: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Streams:
    """What a command gets and where its output goes: files by name, texts as they are.

    `is_piped`: it gets the output of another command, of which more than the texts may be there.
    """

    files: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    is_piped: bool = False


_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*$")


def _options(words: Sequence[str], with_value: str) -> tuple[dict[str, list[str]], list[str]]:
    """Options that take a value (`-f x`, `-fx`, `--file=x`) and the words that are no options."""
    takes = set(with_value.split())
    found: dict[str, list[str]] = {}
    rest: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        name, equals, value = word.partition("=")
        short = word[:2]
        if word in takes and at + 1 < len(words):
            at += 1
            found.setdefault(word, []).append(words[at])
        elif equals and name in takes:
            found.setdefault(name, []).append(value)
        elif short in takes and not word.startswith("--") and len(word) > 2:
            found.setdefault(short, []).append(word[2:])
        elif not word.startswith("-") or word == "-":
            rest.append(word)
        at += 1
    return found, rest


def _first(found: Mapping[str, list[str]], *names: str) -> str:
    return next((found[name][0] for name in names if name in found), "")


def _all(found: Mapping[str, list[str]], *names: str) -> tuple[str, ...]:
    return tuple(value for name in names for value in found.get(name, []))


def _client(server: str, sql: tuple[str, ...], files: tuple[str, ...], streams: Streams) -> Command:
    """A SQL client: what it is told runs, else what it gets."""
    missing = ""
    if streams.is_piped and not (sql or files or streams.texts or streams.files):
        missing = "the SQL that is piped into a client is not known"
    return Command(
        server,
        (*sql, *streams.texts),
        (*files, *streams.files),
        paths=redirected((), streams.outputs),
        missing=missing,
    )


def _psql(words: list[str], streams: Streams) -> Command:
    found, rest = _options(
        words,
        "-c --command -f --file -d --dbname -h --host -p --port -U --username -v --set "
        "--variable -o --output -P -F -R -T",
    )
    server = _first(found, "-d", "--dbname") or (rest[0] if rest else "")
    files = _all(found, "-f", "--file")
    sql = _all(found, "-c", "--command")
    return _client(server, sql, files, streams)


def _sqlite(words: list[str], streams: Streams) -> Command:
    found, rest = _options(words, "-cmd -init -separator -nullvalue -newline")
    server = rest[0] if rest else ""
    dotted = [w.removeprefix(".read").strip() for w in rest[1:] if w.startswith(".read")]
    sql = tuple(w for w in rest[1:] if not w.startswith("."))
    files = (*_all(found, "-init"), *dotted)
    return _client(server, sql, files, streams)


def _duckdb(words: list[str], streams: Streams) -> Command:
    found, rest = _options(words, "-c -s -f -cmd -init")
    sql = (*_all(found, "-c", "-s"), *rest[1:])
    files = _all(found, "-f", "-init")
    return _client(rest[0] if rest else "", sql, files, streams)


def _mysql(words: list[str], streams: Streams) -> Command:
    found, rest = _options(words, "-e --execute -h --host -u --user -P --port -D --database")
    server = _first(found, "-D", "--database") or (rest[0] if rest else "")
    sql = _all(found, "-e", "--execute")
    return _client(server, sql, (), streams)


def _snowsql(words: list[str], streams: Streams) -> Command:
    found, _ = _options(words, "-q --query -f --filename -c --connection -d --dbname -a -u")
    server = _first(found, "-c", "--connection", "-d", "--dbname")
    files = _all(found, "-f", "--filename")
    return _client(server, _all(found, "-q", "--query"), files, streams)


def _spark_sql(words: list[str], streams: Streams) -> Command:
    found, _ = _options(words, "-e -f --database --conf --hiveconf -i")
    server = _first(found, "--database")
    files = _all(found, "-f", "-i")
    return _client(server, _all(found, "-e"), files, streams)


def _bq(words: list[str], streams: Streams) -> Command | None:
    _, rest = _options(words, "--project_id --location --dataset_id")
    if rest[:1] != ["query"]:
        return Command(missing=f"`bq {' '.join(rest[:1])}` is not known") if rest else None
    return _client("", tuple(rest[1:]), (), streams)


def _python(words: list[str], streams: Streams) -> Command | None:
    paths = redirected(streams.files, streams.outputs)
    if "-c" in words[:-1]:
        at = words.index("-c") + 1
        return Command(code=words[at], arguments=tuple(words[at + 1 :]), paths=paths)
    if "-m" in words[:-1]:
        at = words.index("-m") + 1
        script = words[at].replace(".", "/") + ".py"
        return Command(script=script, arguments=tuple(words[at + 1 :]), paths=paths)
    _, rest = _options(words, "-W -X")
    if rest and rest[0] != "-":
        at = words.index(rest[0])
        return Command(script=rest[0], arguments=tuple(words[at + 1 :]), paths=paths)
    if streams.texts:
        return Command(code=streams.texts[0], paths=redirected((), streams.outputs))
    return _fed(streams)


def _shell(words: list[str], streams: Streams) -> Command | None:
    found, rest = _options(words, "-o -c")
    paths = redirected((), streams.outputs)
    if "-c" in found:
        return Command(text=found["-c"][0], paths=paths)
    if rest:
        return Command(script=rest[0], arguments=tuple(rest[1:]), paths=paths)
    if streams.texts:
        return Command(text=streams.texts[0], paths=paths)
    return _fed(streams)


def _fed(streams: Streams) -> Command | None:
    """An interpreter that gets its program as input."""
    paths = redirected((), streams.outputs)
    if streams.files:
        return Command(script=streams.files[0], paths=paths)
    if streams.is_piped:
        return Command(missing="the program that is piped into a shell is not known", paths=paths)
    return None


def _copy(words: list[str], streams: Streams) -> Command | None:
    rest = [word for word in words if not word.startswith("-")]
    if len(rest) < 2:
        return None
    reads = [(Access.READ, path) for path in rest[:-1]]
    return Command(paths=(*reads, (Access.WRITE, rest[-1])))


def _aws(words: list[str], streams: Streams) -> Command | None:
    rest = [word for word in words if not word.startswith("-")]
    if rest[:1] in (["s3"], ["cp"], ["mv"], ["rsync"]):
        verb = rest[1:] if rest[0] == "s3" else rest
        if verb[:1] in (["cp"], ["mv"], ["sync"], ["rsync"]) and len(verb) >= 3:
            return Command(paths=((Access.READ, verb[1]), (Access.WRITE, verb[2])))
        return None
    return Command(missing=f"`aws {' '.join(rest[:1])}` is not known") if rest else None


def redirected(inputs: Sequence[str], outputs: Sequence[str]) -> tuple[tuple[Access, str], ...]:
    found = [(Access.READ, path) for path in inputs] + [(Access.WRITE, path) for path in outputs]
    return tuple((a, p) for a, p in found if p and not p.startswith(("/dev/", "&")))


Program = Callable[[list[str], Streams], Command | None]
_PROGRAMS: Mapping[str, Program] = {
    "psql": _psql,
    "sqlite3": _sqlite,
    "duckdb": _duckdb,
    "mysql": _mysql,
    "mariadb": _mysql,
    "snowsql": _snowsql,
    "spark-sql": _spark_sql,
    "beeline": _spark_sql,
    "hive": _spark_sql,
    "bq": _bq,
    "spark-submit": _python,
    "sh": _shell,
    "bash": _shell,
    "cp": _copy,
    "mv": _copy,
    "rsync": _copy,
    "aws": _aws,
    "gsutil": _aws,
}


def program_of(name: str) -> Program | None:
    """How the words after a program's name are read; `None` for a program that is not known."""
    return _PROGRAMS.get(name) or (_python if _PYTHON.match(name) else None)
