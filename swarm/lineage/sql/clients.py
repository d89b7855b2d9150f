"""Scripts for command-line tools: their own commands, and values that they put into the text.

sqlplus (`DEFINE`, `&x`, `@file`), sqlcmd (`:setvar`, `$(x)`), mysql (`DELIMITER`, `/*! */`), Hive's
and Spark's (`SET x=y`, `${x}`), clickhouse-client (rows after `FORMAT`). The text keeps its lines.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial

from swarm.lineage.sql.effects import NotUnderstood
from swarm.model.lineage import UnresolvedReason

_EXECUTABLE = re.compile(r"/\*!(?:M?\d{5,6})?(.*?)\*/", re.DOTALL)
_DELIMITER = re.compile(r"\s*DELIMITER\s+(\S+)\s*$", re.IGNORECASE)
_ROWS = re.compile(
    r"(\bINSERT\s+INTO\s+(?:(?!\b(?:SELECT|WITH|VALUES|FROM)\b)[^;])*?)"
    r"\bFORMAT\s+(?!VALUES\b)\w+(\s+[^\s;].*?)(?=\n\s*\n|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_SQLPLUS = re.compile(
    r"\s*(?:SET\s+(?!TRANSACTION|ROLE|CONSTRAINT)|PROMPT\b|REM(?:ARK)?\b|SPOOL\b|COL(?:UMN)?\s"
    r"|SHOW\b|WHENEVER\b|EXIT\b|QUIT\b|ACCEPT\s|UNDEFINE\s|VAR(?:IABLE)?\s|PRINT\b|[TB]TITLE\b"
    r"|BREAK\b|CLEAR\s|CONN(?:ECT)?\s|DISC|HOST\s|!|PAUSE\b|TIMING\b).*",
    re.IGNORECASE,
)
_DEFINE = re.compile(r"\s*DEFINE\s+(\w+)\s*=\s*(.*?)\s*;?\s*$", re.IGNORECASE)
_FILE = re.compile(r"\s*(?:@@?|START\s+)\s*(\S+).*", re.IGNORECASE)
_EXEC = re.compile(r"\s*EXEC(?:UTE)?\s+(?!IMMEDIATE\b)\S.*[^;\s-]\s*$", re.IGNORECASE)
_AMPERSAND = re.compile(r"&&?([A-Za-z]\w*)\.?")
_SETVAR = re.compile(r'\s*:setvar\s+(\w+)\s+(?:"([^"]*)"|(\S+))\s*$', re.IGNORECASE)
_SQLCMD = re.compile(
    r"\s*(?::(?:r|connect|on|out|error|list|listvar|reset|serverlist|quit|exit|ed|help|xml"
    r"|perftrace)\b|!!).*",
    re.IGNORECASE,
)
_INCLUDE = re.compile(r"\s*:r\s+(\S+)", re.IGNORECASE)
_DOLLAR = re.compile(r"\$\((\w+)\)")
_SET = re.compile(
    r"^\s*SET\s+(?:(?:hivevar|hiveconf|system|env):)?([\w.]+)\s*=\s*([^;\n]*?)\s*;?\s*$",
    re.IGNORECASE,
)
_HOLE = re.compile(r"swarm_hole_\d+_")
_VARIABLE = re.compile(r"\$\{(?:(?:hivevar|hiveconf|system|env):)?([\w.]+)\}")


_RUNS_FILES = frozenset({"source", "load", "read"})
_RUNS_OTHERS = frozenset({"system", "shell", "import", "restore", "clone"})


class ClientText:
    """Takes one script through the tool that its dialect is run with.

    `stand_in` gives a word for a value that nobody gave, `source` says what such a word in the
    text stands for. `problems` are the scripts that are in other files.
    """

    def __init__(
        self,
        dialect: str,
        parameters: Mapping[str, str],
        stand_in: Callable[[str], str],
        source: Callable[[str], tuple[str, ...]],
    ) -> None:
        self.problems: list[NotUnderstood] = []
        self._values = {name.casefold(): value for name, value in parameters.items()}
        self._stand_in = stand_in
        self._source = source
        readers: dict[str, Callable[[str], str]] = {
            "mysql": _mysql,
            "clickhouse": _without_rows,
            "oracle": self._sqlplus,
            "tsql": self._sqlcmd,
            "fabric": self._sqlcmd,
            "hive": self._variables,
            "spark": self._variables,
            "spark2": self._variables,
            "databricks": self._variables,
            "snowflake": partial(self._line_commands, mark="!"),
            "duckdb": partial(self._line_commands, mark="."),
            "sqlite": partial(self._line_commands, mark="."),
        }
        self._read = readers.get(dialect)

    def of(self, text: str) -> str:
        """The text as the tool sends it, line by line."""
        return self._read(text) if self._read is not None else text

    def _sqlplus(self, text: str) -> str:
        lines: list[str] = []
        at_start, substitutes = True, "&" in text
        for number, line in enumerate(text.split("\n"), start=1):
            command = self._sqlplus_command(line, number) if at_start else None
            if command is not None:
                words = line.upper().split()
                if words[:2] in (["SET", "DEFINE"], ["SET", "DEF"]):
                    substitutes = words[2:3] != ["OFF"]
                lines.append(command)
                continue
            line = self._filled(_AMPERSAND, line) if substitutes else line
            bare = line.strip()
            at_start = bare.endswith(";") or bare == "/" or (at_start and not bare)
            lines.append(line)
        return "\n".join(lines)

    def _sqlplus_command(self, line: str, number: int) -> str | None:
        """What is sent for a command of the tool, None if the line is none."""
        define, file = _DEFINE.match(line), _FILE.match(line)
        if define is not None:
            self._values[define.group(1).casefold()] = define.group(2).strip("'\"")
            return ""
        if file is not None:
            self._other_file(file.group(1).rstrip(";"), number)
            return ""
        if _EXEC.match(line):
            return f"{self._filled(_AMPERSAND, line)};"
        return "" if _SQLPLUS.match(line) else None

    def _other_file(self, file: str, number: int) -> None:
        detail = f"runs the script {file[:80]}, which is another file"
        self.problems.append(NotUnderstood(UnresolvedReason.DYNAMIC, number, detail))

    def _line_commands(self, text: str, mark: str) -> str:
        """Commands of snowsql and of the shells of DuckDB and SQLite, each a line of its own."""
        if not any(line.startswith(mark) for line in text.split("\n")):
            return text
        lines: list[str] = []
        at_start = True
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.split()
            is_command = at_start and line.startswith(mark) and line[1:2].isalpha()
            if is_command and words[0][1:] in _RUNS_FILES and len(words) > 1:
                self._other_file(words[1].rstrip(";"), number)
            elif is_command and words[0][1:] in _RUNS_OTHERS:
                detail = f"the tool is told to {line[1:80]}"
                self.problems.append(NotUnderstood(UnresolvedReason.DYNAMIC, number, detail))
            lines.append("" if is_command else line)
            bare = line.strip()
            at_start = is_command or bare.endswith(";") or (at_start and not bare)
        return "\n".join(lines)

    def _sqlcmd(self, text: str) -> str:
        if ":" not in text and "$(" not in text and "!!" not in text:
            return text
        lines: list[str] = []
        for number, line in enumerate(text.split("\n"), start=1):
            setvar, include = _SETVAR.match(line), _INCLUDE.match(line)
            if setvar is not None:
                value = setvar.group(2) if setvar.group(2) is not None else setvar.group(3)
                self._values[setvar.group(1).casefold()] = value
            elif include is not None:
                self._other_file(include.group(1), number)
            is_command = setvar is not None or _SQLCMD.match(line) is not None
            lines.append("" if is_command else self._filled(_DOLLAR, line))
        return "\n".join(lines)

    def _filled(self, pattern: re.Pattern[str], line: str) -> str:
        """`line` with values; what has none is left alone within a string."""

        def value(match: re.Match[str]) -> str:
            known = self._values.get(match.group(1).casefold())
            if known is not None:
                return known
            in_string = line.count("'", 0, match.start()) % 2
            return match.group(0) if in_string else self._stand_in(match.group(0))

        return pattern.sub(value, line)

    def _variables(self, text: str) -> str:
        if "swarm_hole_" not in text:
            return text
        own: dict[str, str] = {}  # by SET; parameters were filled in before
        lines: list[str] = []
        for line in text.split("\n"):
            filled = _HOLE.sub(lambda match: self._variable(match.group(0), own), line)
            given = _SET.match(filled)
            if given is not None:
                own[given.group(1).casefold()] = given.group(2)
            lines.append(filled)
        return "\n".join(lines)

    def _variable(self, hole: str, own: Mapping[str, str]) -> str:
        sources = self._source(hole)
        name = _VARIABLE.fullmatch(sources[0]) if sources else None
        return own.get(name.group(1).casefold(), hole) if name is not None else hole


def _mysql(text: str) -> str:
    if "/*!" in text:
        text = _EXECUTABLE.sub(lambda match: f" {match.group(1)} ", text)
    if "DELIMITER" not in text.upper():
        return text
    delimiter = ";"
    lines: list[str] = []
    for line in text.split("\n"):
        command = _DELIMITER.match(line)
        if command is not None:
            delimiter = command.group(1)
        lines.append("" if command is not None else line.replace(delimiter, ";"))
    return "\n".join(lines)


def _without_rows(text: str) -> str:
    """ClickHouse: `INSERT INTO t FORMAT JSONEachRow {...}`: the rows are no SQL."""
    if "FORMAT" not in text.upper():
        return text
    return _ROWS.sub(
        lambda match: f"{match.group(1)} VALUES (0);" + "\n" * match.group(0).count("\n"), text
    )
