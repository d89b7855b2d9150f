"""Scripts of psql: its own commands between the statements, and the rows behind COPY FROM STDIN.

The text keeps its lines: a command becomes a statement, or nothing; rows become nothing.
"""

import re
from dataclasses import dataclass, field

from swarm.lineage.sql.effects import NotUnderstood
from swarm.model.lineage import UnresolvedReason

DIALECTS_OF_PSQL = frozenset({"", "postgres", "redshift"})

_COMMAND = re.compile(r"^[ \t]*\\(\w+|!|\.|\?)[ \t]*(.*)$")
_ENDING = re.compile(r"\\(gexec|gset|gx|gdesc|crosstabview|g)\b(.*)$")
_ROWS = re.compile(r"^\s*COPY\b.*\bFROM\s+STDIN\b", re.IGNORECASE | re.DOTALL)
_FILE = re.compile(r"(\b(?:from|to)\s+)(?!program\b|p?std(?:in|out)\b)([^\s'();]+)", re.IGNORECASE)
_VARIABLE = re.compile(r"""(?<![:\w\]"']):(['"]?)([A-Za-z_]\w*)\1(?![\w:])""")
_OF_PSQL = re.compile(r"""^\s*\\|\\g|:['"]""", re.MULTILINE)
_ELSEWHERE = frozenset({"i", "ir", "include", "include_relative"})


@dataclass(slots=True)
class _Reader:
    """Line by line; `statement` is the one at hand, `values` what `\\set` gave."""

    values: dict[str, str]
    problems: list[NotUnderstood] = field(default_factory=list)
    statement: str = ""
    in_rows: bool = False

    def line(self, number: int, line: str) -> str:
        """What the server gets to see of the line."""
        if self.in_rows:
            self.in_rows = line.strip() != "\\."
            return ""
        command = _COMMAND.match(line)
        if command is not None:
            return self._command(command.group(1), command.group(2), number)
        ending = _ENDING.search(line)
        if ending is not None:
            if ending.group(1) == "gexec":
                self._problem(number, "\\gexec runs what the query returns")
            line = line[: ending.start()] + ";"
        line = _VARIABLE.sub(self._value, line)
        self.statement += line + "\n"
        if line.rstrip().endswith(";"):
            last = self.statement.rstrip().rstrip(";").rpartition(";")[2]
            self.in_rows = _ROWS.match(last) is not None
            self.statement = ""
        return line

    def _value(self, match: re.Match[str]) -> str:
        quote, name = match.groups()
        if name in self.values:
            return f"{quote}{self.values[name]}{quote}"
        return f"'{name}'" if quote == "'" else f":{name}"

    def _command(self, name: str, rest: str, number: int) -> str:
        """The statement in the place of a command of psql, mostly none."""
        if name == "copy":
            return "COPY " + _FILE.sub(r"\1'\2'", rest).rstrip(";") + ";"
        if name == "set" and rest.strip():
            variable, *value = rest.split()
            self.values[variable] = "".join(part.strip("'") for part in value)
        elif name in _ELSEWHERE:
            self._problem(number, f"runs the file {rest}, whose statements are not in the text")
        elif name == "!":
            self._problem(number, f"runs a command of the shell: {rest[:80]}")
        return ""

    def _problem(self, line: int, detail: str) -> None:
        self.problems.append(NotUnderstood(UnresolvedReason.DYNAMIC, line, detail))


def server_text(text: str) -> tuple[str, list[NotUnderstood]]:
    """The text without psql's own commands, and those that do what the text does not say."""
    if not _OF_PSQL.search(text):
        return text, []
    reader = _Reader({})
    lines = [reader.line(number, line) for number, line in enumerate(text.split("\n"), start=1)]
    return "\n".join(lines), reader.problems
