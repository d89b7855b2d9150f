"""What a shell command runs: SQL clients, Python programs, copies of files, redirections.

A simple reading of simple commands. A program that is not known is reported as missing source,
the words of the shell itself and programs that touch no data are left out.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import dropwhile
from pathlib import PurePosixPath

from swarm.model.lineage import Access

MAX_COMMAND = 100_000


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command: SQL texts and files that run on `server`, a script, file accesses.

    `folder` is where the `cd` commands before it lead, seen from where the text starts; `missing`
    says what of the command is not known.
    """

    server: str = ""
    sql: tuple[str, ...] = ()
    sql_files: tuple[str, ...] = ()
    script: str = ""
    arguments: tuple[str, ...] = ()
    paths: tuple[tuple[Access, str], ...] = ()
    missing: str = ""
    folder: str = ""


_HARMLESS_NAMES = """
    echo printf sleep date true false exit set export unset cd mkdir rm rmdir test [ [[ : pwd ls
    touch chmod chown whoami hostname which trap wait kill umask ulimit source . if then else
    elif fi for do done while until case esac return local read shift eval function { }
    break continue declare typeset readonly dirname basename uname id stat df du ps nproc
    pip uv git kubectl ssh ping nslookup
"""
_HARMLESS = frozenset(_HARMLESS_NAMES.split())
_FILTER_NAMES = "cat head tail sort uniq wc grep egrep sed awk cut tr jq tee gzip gunzip"
_FILTERS = frozenset(_FILTER_NAMES.split())
_RUNNER_NAMES = "nohup sudo time nice exec env timeout flock ionice stdbuf command"
_RUNNERS = frozenset(_RUNNER_NAMES.split())
_KEYWORDS = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{"})
_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*$")
_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
# What a command substitution prints is not known; its words are no commands of the line.
_SUBSTITUTION = re.compile(r"\$\([^()]*\)|`[^`]*`")
_PUNCTUATION = "();<>|&"
_OPERATORS = {"&&", "||", ";", "|", "&", ";;", "\n", "|&"}


def commands(command: str | Sequence[str]) -> tuple[Command, ...]:
    """The simple commands of a shell text, or the one a list of arguments is. Never raises."""
    if not isinstance(command, str):
        words = list(command)
        if PurePosixPath(words[0] if words else "").name in {"sh", "bash"} and "-c" in words[:-1]:
            return commands(words[words.index("-c") + 1])
        found = _simple(words)
        return (found,) if found is not None else ()
    if len(command) > MAX_COMMAND:
        return (Command(missing=f"a command of {len(command)} characters"),)
    return tuple(_simple_commands([words for line in _lines(command) for words in _split(line)]))


def _simple_commands(parts: Sequence[list[str]]) -> Iterator[Command]:
    """The commands of a text, each with the folder it runs in; parentheses keep a `cd` inside."""
    folder, around = "", [""]
    for part in parts:
        words = list(dropwhile(_KEYWORDS.__contains__, part))
        if not words:
            continue
        if words == ["("]:
            around.append(folder)
        elif words == [")"]:
            folder = around.pop() if len(around) > 1 else folder
        elif words[0] == "cd":
            folder = _moved(folder, words[1:])
        elif (found := _simple(words)) is not None:
            yield replace(found, folder=folder)


def _moved(folder: str, words: Sequence[str]) -> str:
    """Where `cd` leads. A folder that only the shell knows (`$X`, `~`) keeps that as its name:
    nothing is found right below it, but what is deeper can be told by the end of its path."""
    names = [word for word in words if word not in {"-P", "-L", "--"}]
    return posixpath.normpath(posixpath.join(folder, names[0] if names else "~"))


def _lines(text: str) -> list[str]:
    """Logical lines; a quoted text may span several, a here-document is the input of its line."""
    lines: list[str] = []
    pending = ""
    for line in text.replace("\\\n", " ").split("\n"):
        pending = f"{pending}\n{line}" if pending else line
        try:
            shlex.split(pending, comments=True)
        except ValueError:
            continue
        lines.append(pending)
        pending = ""
    return [*lines, pending] if pending else lines


def _split(line: str) -> list[list[str]]:
    plain = _SUBSTITUTION.sub("$substituted", line)
    lexer = shlex.shlex(plain, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    try:
        words = [part for word in lexer for part in _apart(word)]
    except ValueError:
        return []
    found: list[list[str]] = [[]]
    for word in words:
        if word in {"(", ")"}:
            found += [[word], []]
        elif word in _OPERATORS:
            found.append([])
        else:
            found[-1].append(word)
    return [words for words in found if words]


def _apart(word: str) -> list[str]:
    """`);` comes as one word."""
    return re.findall(r"[()]|[^()]+", word) if word and set(word) <= set(_PUNCTUATION) else [word]


def _simple(words: list[str]) -> Command | None:
    words, inputs, outputs = _redirections(words)
    words = _without_runners(words)
    if not words:
        return None
    name = PurePosixPath(words[0]).name
    program = _PROGRAMS.get(name) or (_python if _PYTHON.match(name) else None)
    if program is not None:
        return program(words[1:], inputs, outputs)
    paths = _redirected(inputs, outputs)
    if name in _HARMLESS:
        return Command(paths=paths) if paths else None
    if name in _FILTERS:
        return Command(paths=(*_read_by_filter(name, words[1:]), *paths))
    if name.endswith((".sh", ".py", ".bash")):
        return Command(script=words[0], arguments=tuple(words[1:]), paths=paths)
    return Command(paths=paths, missing=f"what the program `{name}` does is not known")


def _redirections(words: list[str]) -> tuple[list[str], list[str], list[str]]:
    plain: list[str] = []
    inputs: list[str] = []
    outputs: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        if word in {">", ">>", "<", ">&", "&>", "<<", "<<<"}:
            if word in {">", ">>"} and plain and plain[-1] in {"1", "2"}:
                is_error = plain.pop() == "2"
                outputs.extend([] if is_error else [following])
            elif word in {">", ">>"}:
                outputs.append(following)
            elif word == "<":
                inputs.append(following)
            at += 2
        else:
            plain.append(word)
            at += 1
    return plain, inputs, outputs


def _redirected(inputs: list[str], outputs: list[str]) -> tuple[tuple[Access, str], ...]:
    found = [(Access.READ, path) for path in inputs] + [(Access.WRITE, path) for path in outputs]
    return tuple((a, p) for a, p in found if p and not p.startswith(("/dev/", "&")))


def _without_runners(words: list[str]) -> list[str]:
    at = 0
    while at < len(words):
        name = PurePosixPath(words[at]).name
        is_option = at > 0 and re.fullmatch(r"-.*|\d+[smh]?", words[at]) is not None
        if not (_ASSIGNMENT.match(words[at]) or name in _RUNNERS or is_option):
            break
        at += 1
    return words[at:]


def _read_by_filter(name: str, words: list[str]) -> list[tuple[Access, str]]:
    """Only words that are surely files: with a slash and no option before them."""
    access = Access.WRITE if name == "tee" else Access.READ
    return [(access, w) for w in words if "/" in w and not w.startswith("-") and " " not in w]


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


def _psql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(
        words,
        "-c --command -f --file -d --dbname -h --host -p --port -U --username -v --set "
        "--variable -o --output -P -F -R -T",
    )
    server = _first(found, "-d", "--dbname") or (rest[0] if rest else "")
    files = (*_all(found, "-f", "--file"), *inputs)
    sql = _all(found, "-c", "--command")
    return Command(server, sql, files, paths=_redirected([], outputs))


def _sqlite(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(words, "-cmd -init -separator -nullvalue -newline")
    server = rest[0] if rest else ""
    dotted = [w.removeprefix(".read").strip() for w in rest[1:] if w.startswith(".read")]
    sql = tuple(w for w in rest[1:] if not w.startswith("."))
    files = (*_all(found, "-init"), *dotted, *inputs)
    return Command(server, sql, files, paths=_redirected([], outputs))


def _duckdb(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(words, "-c -s -f -cmd -init")
    sql = (*_all(found, "-c", "-s"), *rest[1:])
    files = (*_all(found, "-f", "-init"), *inputs)
    return Command(rest[0] if rest else "", sql, files, paths=_redirected([], outputs))


def _mysql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, rest = _options(words, "-e --execute -h --host -u --user -P --port -D --database")
    server = _first(found, "-D", "--database") or (rest[0] if rest else "")
    sql = _all(found, "-e", "--execute")
    return Command(server, sql, tuple(inputs), paths=_redirected([], outputs))


def _snowsql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, _ = _options(words, "-q --query -f --filename -c --connection -d --dbname -a -u")
    server = _first(found, "-c", "--connection", "-d", "--dbname")
    files = (*_all(found, "-f", "--filename"), *inputs)
    return Command(server, _all(found, "-q", "--query"), files, paths=_redirected([], outputs))


def _spark_sql(words: list[str], inputs: list[str], outputs: list[str]) -> Command:
    found, _ = _options(words, "-e -f --database --conf --hiveconf -i")
    server = _first(found, "--database")
    files = (*_all(found, "-f", "-i"), *inputs)
    return Command(server, _all(found, "-e"), files, paths=_redirected([], outputs))


def _bq(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    _, rest = _options(words, "--project_id --location --dataset_id")
    if rest[:1] != ["query"]:
        return Command(missing=f"`bq {' '.join(rest[:1])}` is not known") if rest else None
    return Command("", tuple(rest[1:]), tuple(inputs), paths=_redirected([], outputs))


def _python(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    paths = _redirected(inputs, outputs)
    if "-c" in words:
        return Command(missing="Python code in a command line is not read", paths=paths)
    if "-m" in words[:-1]:
        at = words.index("-m") + 1
        script = words[at].replace(".", "/") + ".py"
        return Command(script=script, arguments=tuple(words[at + 1 :]), paths=paths)
    _, rest = _options(words, "-W -X")
    if not rest:
        return None
    at = words.index(rest[0])
    return Command(script=rest[0], arguments=tuple(words[at + 1 :]), paths=paths)


def _shell(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    _, rest = _options(words, "-o")
    paths = _redirected([], outputs)
    script = rest[0] if rest else (inputs[0] if inputs else "")
    return Command(script=script, paths=paths) if script else None


def _copy(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    rest = [word for word in words if not word.startswith("-")]
    if len(rest) < 2:
        return None
    reads = [(Access.READ, path) for path in rest[:-1]]
    return Command(paths=(*reads, (Access.WRITE, rest[-1])))


def _aws(words: list[str], inputs: list[str], outputs: list[str]) -> Command | None:
    rest = [word for word in words if not word.startswith("-")]
    if rest[:1] in (["s3"], ["cp"], ["mv"], ["rsync"]):
        verb = rest[1:] if rest[0] == "s3" else rest
        if verb[:1] in (["cp"], ["mv"], ["sync"], ["rsync"]) and len(verb) >= 3:
            return Command(paths=((Access.READ, verb[1]), (Access.WRITE, verb[2])))
        return None
    return Command(missing=f"`aws {' '.join(rest[:1])}` is not known") if rest else None


_PROGRAMS: Mapping[str, Callable[[list[str], list[str], list[str]], Command | None]] = {
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
