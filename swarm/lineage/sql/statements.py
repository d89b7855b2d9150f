"""From one statement to its effects: what sqlglot understands by its syntax tree, the rest by
its first words."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.tokens import Token, TokenType

from swarm.lineage.sql.commands import command_effects
from swarm.lineage.sql.create import cache, create, made
from swarm.lineage.sql.dynamic import assigned
from swarm.lineage.sql.effects import (
    Accessed,
    Altered,
    Dropped,
    Effect,
    Moved,
    Name,
    NotUnderstood,
    Swapped,
    UsedDefault,
)
from swarm.lineage.sql.familiar import familiar
from swarm.lineage.sql.names import name_of, table_of
from swarm.lineage.sql.scan import SURE, words_say
from swarm.lineage.sql.set import selected
from swarm.lineage.sql.stand_ins import readings, unseen
from swarm.lineage.sql.tables import accesses
from swarm.lineage.sql.tokens import Statement, find, is_deep
from swarm.lineage.sql.transfer import copy, export, load
from swarm.lineage.templates.holes import is_hole
from swarm.model.lineage import Access, UnresolvedReason

# sqlglot reports each statement it gives up on to its logger; here that is an `Unresolved`.
sqlglot.logger.setLevel("ERROR")

_MAX_EXCERPT = 80


def statement_effects(statement: Statement, sql: str, dialect: str) -> list[Effect]:
    """What `statement` of the script `sql` does; a syntax error is one `NotUnderstood`."""
    known = command_effects(statement, sql, dialect)
    if known is not None:
        return known
    given = assigned(statement, sql, dialect) if statement.variables else []
    return [*_parsed_effects(statement, sql, dialect), *given]


def _parsed_effects(statement: Statement, sql: str, dialect: str) -> list[Effect]:
    try:
        tokens, cut_out = familiar(statement, dialect)
        tree, is_cut = _parse(tokens, statement, sql, dialect)
        if tree is None:
            problem = _syntax(statement, sql, "does not parse")
            return [problem, *words_say(statement), *cut_out]
        found = _effects(tree, statement, sql, dialect)
        if _outputs(statement):
            found += [
                replace(one, access=Access.READ)
                for one in found
                if isinstance(one, Accessed) and one.access is Access.WRITE
            ]
        found += cut_out
        return _less_sure(found, statement) if is_cut else [*found, *_unseen(statement)]
    except RecursionError:
        return [_syntax(statement, sql, "nested too deeply")]


def _outputs(statement: Statement) -> bool:
    """T-SQL: `DELETE FROM a OUTPUT deleted.* INTO b`: `b` gets the rows of `a`."""
    if statement.word(0) not in ("DELETE", "UPDATE"):
        return False
    output = find(statement.tokens, ("OUTPUT",), 1)
    return find(statement.tokens, ("INTO",), output) < len(statement.tokens)


def _unseen(statement: Statement) -> list[Effect]:
    """What templates may add to a statement that parses as if they added nothing."""
    holes = " ".join(dict.fromkeys(unseen(statement.tokens)))[:_MAX_EXCERPT]
    detail = f"templates may name more tables: {holes}"
    problem = NotUnderstood(UnresolvedReason.TEMPLATE, statement.line, detail, of_clauses=True)
    return [problem] if holes else []


def _syntax(statement: Statement, sql: str, problem: str) -> NotUnderstood:
    start = " ".join(statement.text(sql)[: 4 * _MAX_EXCERPT].split())[:_MAX_EXCERPT]
    return NotUnderstood(UnresolvedReason.SYNTAX, statement.line, f"{problem}: {start}")


def _less_sure(found: list[Effect], statement: Statement) -> list[Effect]:
    """The effects of a statement without the clauses that templates would add to it."""
    holes = " ".join(t.text for t in statement.tokens if is_hole(t.text))[:_MAX_EXCERPT]
    detail = f"templates add clauses that are not known: {holes}"
    return [
        replace(effect, confidence=SURE)
        if isinstance(effect, Accessed) and len(effect.name.parts) == 1
        else effect
        for effect in (*found, NotUnderstood(UnresolvedReason.TEMPLATE, statement.line, detail))
    ]


def _parse(
    tokens: list[Token], statement: Statement, sql: str, dialect: str
) -> tuple[exp.Expression | None, bool]:
    """The tree of a statement: in its dialect, then generic, then without what stand-ins break.

    With it: whether clauses are missing.
    """
    if is_deep(tokens):
        raise RecursionError
    if statement.is_condition:
        line = statement.line
        tokens.insert(0, Token(TokenType.SELECT, "SELECT", line, 0, tokens[0].start, 0))
    own = _own_functions(tokens)
    last = [(own, False)] if own is not None else []
    for attempt, is_cut in chain(readings(tokens), last):
        for name in dict.fromkeys((dialect, "")):
            known = Dialect.get_or_raise(name)
            parser = known.parser(error_level=ErrorLevel.IMMEDIATE)
            try:
                trees = parser.parse(attempt, sql)
            except (SqlglotError, ValueError, TypeError, AttributeError, KeyError, IndexError):
                continue  # sqlglot's parser meets broken input with all of these
            if len(trees) == 1 and trees[0] is not None and not isinstance(trees[0], exp.Command):
                return trees[0], is_cut
    return None, False


def _own_functions(tokens: list[Token]) -> list[Token] | None:
    """`dbo.split(x)` is no built-in `split`, whose arguments the parser would count."""
    found = list(tokens)
    for index in range(1, len(tokens) - 1):
        token = tokens[index]
        is_qualified = tokens[index - 1].token_type == TokenType.DOT
        if is_qualified and tokens[index + 1].token_type == TokenType.L_PAREN:
            name = f"{token.text}_"
            found[index] = Token(TokenType.VAR, name, token.line, token.col, token.start, token.end)
    return found if found != tokens else None


def _effects(tree: exp.Expression, statement: Statement, sql: str, dialect: str) -> list[Effect]:
    rule = _RULES.get(type(tree))
    if rule is not None:
        return list(rule(tree, dialect))
    if isinstance(tree, exp.Column | exp.Alias) and is_hole(statement.tokens[0].text):
        detail = f"the statement comes from the template {statement.tokens[0].text}"
        return [NotUnderstood(UnresolvedReason.TEMPLATE, statement.line, detail)]
    if isinstance(tree, exp.Column | exp.Alias | exp.Identifier) and not statement.is_condition:
        return [_syntax(statement, sql, "is no statement")]  # `UDATE t`: a verb with a slip
    found = accesses(tree, dialect)
    if dialect in ("tsql", "fabric"):
        found += selected(tree, statement)
    into = tree.args.get("into")
    target = table_of(into.this) if isinstance(into, exp.Into) else None
    if statement.in_block and dialect not in ("tsql", "fabric"):
        target = None  # a variable
    if target is not None:
        found.extend(made(target, temporary=bool(tree.args["into"].args.get("temporary"))))
    return found


def _multi_insert(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    yield from accesses(tree, dialect)


def _alter(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    target = table_of(tree.this)
    name = name_of(target) if target is not None else None
    if name is None:
        return
    is_column = any(isinstance(o, exp.ToTableProperty) for o in tree.args.get("options") or [])
    if is_column:  # ALTER TABLE t RENAME x TO y
        yield Altered(name)
        return
    for action in tree.args.get("actions") or []:
        other = name_of(action.this) if isinstance(action.args.get("this"), exp.Table) else None
        if isinstance(action, exp.AlterRename) and other is not None:
            yield Moved(name, other if len(other.parts) > 1 else _beside(name, other))
        elif isinstance(action, exp.SwapTable) and other is not None:
            yield Swapped(name, other)
        elif isinstance(action, exp.AddPartition | exp.DropPartition):
            location = action.args.get("location")
            if isinstance(location, exp.LocationProperty):
                yield Accessed(Access.READ, Name(line=name.line, url=location.this.name))
            yield Accessed(Access.WRITE, name)
        else:
            yield Altered(name)


def _beside(name: Name, other: Name) -> Name:
    """A bare new name stays in the schema of the table it is given to."""
    return Name((*name.parts[:-1], *other.parts), other.line, local=name.local)


def _drop(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    if str(tree.args.get("kind") or "").upper() not in ("TABLE", "VIEW"):
        return
    for table in [*(tree.args.get("tables") or []), tree.this, *tree.expressions]:
        name = name_of(table) if isinstance(table, exp.Table) else None
        if name is not None:
            yield Dropped(name)


def _use(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    kind = tree.args.get("kind")
    word = kind.name.upper() if isinstance(kind, exp.Expression) else ""
    if not isinstance(tree.this, exp.Table) or word in ("WAREHOUSE", "ROLE", "SECONDARY ROLES"):
        return
    parts = [part.name for part in tree.this.parts]
    # DuckDB finds `USE a; FROM t` as `a.t`, be `a` a catalog or a schema.
    catalogs = ("tsql", "fabric") if not word else ()
    if len(parts) > 1:
        yield UsedDefault(parts[-2], parts[-1])
    elif word == "CATALOG" or dialect in catalogs or (dialect == "snowflake" and word != "SCHEMA"):
        yield UsedDefault(parts[0], "")
    else:
        yield UsedDefault("", parts[0])


def _nothing(tree: exp.Expression, dialect: str) -> Iterator[Effect]:
    yield from ()


_RULES: Mapping[type, Callable[[exp.Expression, str], Iterator[Effect]]] = {
    exp.Create: create,
    exp.Copy: copy,
    exp.MultitableInserts: _multi_insert,
    exp.Alter: _alter,
    exp.Drop: _drop,
    exp.Use: _use,
    exp.Export: export,
    exp.LoadData: load,
    exp.Cache: cache,
    exp.Grant: _nothing,
    exp.Revoke: _nothing,
    exp.Analyze: _nothing,
    exp.Comment: _nothing,
    exp.Describe: _nothing,
    exp.Refresh: _nothing,
    exp.Uncache: _nothing,
    exp.Undrop: _nothing,
    exp.Put: _nothing,
    exp.Attach: _nothing,
    exp.Detach: _nothing,
    exp.Pragma: _nothing,
    exp.Transaction: _nothing,
    exp.Commit: _nothing,
    exp.Rollback: _nothing,
    exp.Kill: _nothing,
    exp.Show: _nothing,
}
