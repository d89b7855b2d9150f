"""What plain statements read and write, told by their words alone, without a syntax tree.

The result is what the syntax tree would give, at a sixth of its time, or `Abstained`: for other
dialects, for templates, for words the grammar does not list where they stand. On text that is no
SQL in a detail that says nothing of tables (`SELECT a + , b`) it may answer where a parser
would refuse.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from swarm.lineage.sql.dictionary import SPECIAL_SCHEMAS
from swarm.lineage.sql.effects import Accessed, Created, Defined, Dropped, Effect, Name
from swarm.lineage.sql.grammar import KEYWORDS, STATEMENT, Place, Rule, Step
from swarm.lineage.sql.statistics import STATISTICS
from swarm.lineage.sql.words import DIALECTS, name_quotes, words_of
from swarm.model.lineage import Access

_MAX_OPERANDS = 3  # in a row: `TIME ZONE 'UTC'`, `DATE '2030-01-01' alias`
_OPERANDS = frozenset({")", "]", "END", "NULL"})  # an expression may end with these words too
# fmt: off
_UNFINISHED = frozenset({  # no statement ends with these
    "AND", "OR", "NOT", "IS", "IN", "LIKE", "ILIKE", "BETWEEN", "ESCAPE", "EXISTS", "ANY", "AS",
    "BY", "OVER", "FILTER", "WITHIN", "INTERVAL", "DISTINCT", "+", "-", "/", "<", ">", "=", "<=",
    ">=", "<>", "!=", "||", "::", ".", ",",
})
# fmt: on
_MAX_DEPTH = 100
# Functions, under whatever schema: one sets the search path, the others ask another server.
_TELLING = ("set_config", "dblink")
_BEGINS_OPERAND = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789'\"`@")
# A name with one of these parts may be no dataset, or ask for another one by a string.
_SPECIAL = {"dual"} | SPECIAL_SCHEMAS | {name.rpartition(".")[2] for name in STATISTICS}

# Views in which PostgreSQL and Redshift tell about themselves.
_OF_SERVERS = ("pg_", "stl_", "svl_", "stv_", "svv_", "svcs_", "sys_")


class Abstained(Exception):
    """The words alone do not tell."""


def shape_effects(text: str, dialect: str) -> list[list[Effect]]:
    """The effects of each statement of `text` in order; raises `Abstained` with the reason."""
    if dialect not in DIALECTS:
        raise Abstained(f"dialect {dialect}")
    folded = text.casefold()
    if _TELLING[0] in folded or _TELLING[1] in folded:
        raise Abstained("function that tells of names")
    reader = _Reader(dialect)
    reader.read(words_of(text, dialect))
    return reader.statements


def _check(run: list[str], before: str) -> None:
    """Refuse a row of operands that is no expression with an alias: a word of it may be a keyword
    that is misspelled."""
    word = run[-1]
    is_name = word[0] not in "'0123456789"
    if len(run) > _MAX_OPERANDS or run[-2][-2:] == ".*" or (is_name and "." in word):
        raise Abstained("operands in a row")
    if len(run) > 2 and before not in ("INTERVAL", "AT") and "'" not in (run[1][0], run[2][0]):
        raise Abstained("operands in a row")


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where to go on when a parenthesis is closed, and the names of WITH that are seen there."""

    after: Place
    visible: frozenset[str]
    common: str


class _Reader:
    """Walks over the words of a script from place to place."""

    def __init__(self, dialect: str) -> None:
        self.statements: list[list[Effect]] = []
        self._quotes = name_quotes(dialect)
        self._splits = dialect == "bigquery"  # one pair of backticks may hold all parts
        self._line = 1
        self._run: list[str] = []  # operands in a row
        self._before = ""  # the last word that was none
        self._begin()

    def _begin(self) -> None:
        self._accesses: list[Effect] = []
        self._target: Effect | None = None
        self._kinds: list[str] = []
        self._frames: list[_Frame] = []
        self._visible: frozenset[str] = frozenset()
        self._common = ""
        self._aliases: set[str] = set()
        self._outermost: set[str] = set()

    def read(self, words: Sequence[str]) -> None:
        place, run = STATEMENT, self._run
        for word in words:
            if word == "\n":
                self._line += 1
                continue
            step = place.steps.get(word)
            if step is None:
                if word == ";":
                    self._finish(place)
                    place, run = STATEMENT, self._run
                    continue
                if word in KEYWORDS:
                    raise Abstained(f"word {word} in {place.name}")
                if word[0] not in _BEGINS_OPERAND:
                    self._comment(word)
                    continue
                step = place.operand
                if step is None:
                    raise Abstained(f"word in {place.name}")
                run.append(word)
                if len(run) > 1:
                    _check(run, self._before)
            else:
                if word == "FROM":
                    self._check_from(step)
                self._before = word
                run[:] = (word,) if word in _OPERANDS else ()
            place = step if isinstance(step, Place) else self._rule(step, word)
        self._finish(place)

    def _check_from(self, step: Place | Step) -> None:
        """EXTRACT(day FROM x), TRIM(BOTH 'x' FROM y), IS DISTINCT FROM; `SLECT y FROM z` is none
        of these."""
        if isinstance(step, Step) and step.rule is Rule.INSIDE:
            strange = len(self._run) > 1 and self._run[1][0] != "'"
            if strange or (not self._run and self._before not in ("DISTINCT", "(")):
                raise Abstained("FROM in an expression")

    def _comment(self, word: str) -> None:
        if word[:2] not in ("--", "/*") or "/*" in word[2:]:
            raise Abstained(f"character {word[:1]}")
        self._line += word.count("\n")

    def _rule(self, step: Step, word: str) -> Place:
        match step.rule:
            case Rule.OPEN:
                return self._open(step)
            case Rule.CLOSE:
                return self._close()
            case Rule.READ:
                self._read(word)
            case Rule.WRITE:
                self._target = Accessed(Access.WRITE, self._name(word))
            case Rule.DROP:
                self._target = Dropped(self._name(word))
            case Rule.ALIAS:
                self._aliases.add(self._plain(word))
            case Rule.COMMON:
                self._common = self._plain(word)
            case Rule.KIND:
                self._kinds.append(word)
        return step.to

    def _open(self, step: Step) -> Place:
        if step.after is None or len(self._frames) == _MAX_DEPTH:
            raise Abstained("nested deeply")
        self._frames.append(_Frame(step.after, self._visible, self._common))
        self._common = ""
        return step.to

    def _close(self) -> Place:
        if not self._frames:
            raise Abstained("parenthesis")
        frame = self._frames.pop()
        self._visible = frame.visible
        if frame.common:
            self._visible |= {frame.common}
        return frame.after

    def _read(self, word: str) -> None:
        name = self._name(word)
        parts = name.parts
        self._aliases.add(parts[-1])
        if len(parts) == 1 and parts[0] in self._visible:
            return
        if len(parts) > 1:
            self._outermost.add(parts[0])
        self._accesses.append(Accessed(Access.READ, name))

    def _plain(self, word: str) -> str:
        """A name of one part."""
        parts = self._name(word).parts
        if len(parts) > 1:
            raise Abstained("alias with a dot")
        return parts[0]

    def _name(self, word: str) -> Name:
        if word[0] in "'@0123456789" or word[-1] == "*":
            raise Abstained("no plain name")
        word = word.lower()
        quoted = '"' in word or "`" in word
        parts = self._unquoted(word) if quoted else tuple(word.split("."))
        if parts[-1].startswith(_OF_SERVERS):
            raise Abstained("view of a server")
        if len(parts) > 3 or not _SPECIAL.isdisjoint(parts) or "" in parts:
            raise Abstained("unusual name")
        return Name(parts, self._line)

    def _unquoted(self, word: str) -> tuple[str, ...]:
        """The parts of a name with quotes; only letters, digits, `_` and `-` in them
        (and `*` in BigQuery)."""
        pieces = word.split(".")
        parts = [piece.strip(self._quotes) for piece in pieces]
        plain = "".join(parts).replace("_", "").replace("-", "")
        whole = all(piece[0] == piece[-1] or piece[0] not in '"`' for piece in pieces if piece)
        if self._splits and word[0] == "`" and word.count("`") == 2 and word[-1] == "`":
            whole, plain = True, plain.replace("*", "")
        if not (whole and plain.isascii() and plain.isalnum()):
            raise Abstained("unusual name")
        return tuple(parts)

    def _finish(self, place: Place) -> None:
        """The statement ends here."""
        if place is STATEMENT:
            return
        if not self._run and self._before in _UNFINISHED:
            raise Abstained(f"ends with {self._before}")
        self._run.clear()
        if not place.final or self._frames:
            raise Abstained(f"ends in {place.name}")
        if not self._outermost.isdisjoint(self._aliases):
            raise Abstained("a path of a column")
        self.statements.append(self._effects())
        self._begin()

    def _effects(self) -> list[Effect]:
        if not self._kinds:
            return self._accesses if self._target is None else [self._target, *self._accesses]
        target = self._target
        if not isinstance(target, Accessed):
            raise Abstained("nothing is created")
        temporary = not {"TEMP", "TEMPORARY"}.isdisjoint(self._kinds)
        created = Created(target.name, temporary)
        if "VIEW" in self._kinds and not temporary:
            reads = tuple(e.name for e in self._accesses if isinstance(e, Accessed))
            return [created, target, Defined(target.name, reads)]
        if "EXISTS" in self._kinds and not temporary and not self._accesses:
            return []
        return [*self._accesses, created, target]
