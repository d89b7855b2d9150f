"""Which word may follow where, for the plain shapes of statements: queries with WITH, joins and set
operators, INSERT, CREATE AS, MERGE, UPDATE, DELETE, TRUNCATE, DROP.

A `Place` is where a reader stands between two words. A word leads to the next place, or to a
`Rule` that says what to do first. A keyword that a place does not list is not understood there:
the grammar is small on purpose, and everything else is left to the syntax tree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Union


class Rule(Enum):
    """What a word does besides leading on."""

    OPEN = auto()  # a parenthesis or CASE: go in, and come back to `Step.after`
    CLOSE = auto()
    READ = auto()  # the name of a table that is read
    WRITE = auto()  # the name of a statement's target
    DROP = auto()
    ALIAS = auto()
    COMMON = auto()  # the name that a WITH defines
    KIND = auto()  # the word says what is created
    INSIDE = auto()  # the FROM of EXTRACT(day FROM x): no clause


@dataclass(eq=False, slots=True)
class Place:
    """`steps` by word; `operand` for anything that is no keyword (None: not understood);
    `final`: the statement may end here."""

    name: str
    final: bool = False
    steps: dict[str, Union["Place", "Step"]] = field(default_factory=dict)
    operand: Union["Place", "Step", None] = None


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """Do `rule`, go to `to`; a parenthesis that is opened returns to `after`."""

    rule: Rule
    to: Place
    after: Place | None = None


# fmt: off
_EXPRESSION = (  # words of expressions that lead nowhere else
    "AND", "OR", "NOT", "NULL", "NULLS", "IS", "IN", "LIKE", "ILIKE", "BETWEEN", "ESCAPE",
    "EXISTS", "ANY", "ALL", "AS", "ASC", "DESC", "FIRST", "LAST", "BY", "OVER", "IF", "AT",
    "PARTITION", "ROWS", "RANGE", "PRECEDING", "FOLLOWING", "UNBOUNDED", "CURRENT", "ROW",
    "INTERVAL", "DISTINCT", "FILTER", "WITHIN", "+", "-", "*", "/", "<", ">", "=", "<=", ">=",
    "<>", "!=", "||", "::", ".", "IGNORE", "UNNEST",
)
_IN_PARENTHESES = (
    "ORDER", "GROUP", "WHERE", "LEFT", "RIGHT", ",", "FROM",
)
_CLAUSES = (
    "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "QUALIFY",
)
_SIDES = (
    "LEFT", "RIGHT", "FULL", "INNER", "OUTER", "CROSS", "NATURAL",
)
_SETS = (
    "UNION", "INTERSECT", "EXCEPT", "MINUS",
)
_ELSEWHERE = (  # words that have a meaning of their own which is not understood here
    "LATERAL", "PIVOT", "UNPIVOT", "TABLESAMPLE", "FOR", "INTO", "TABLE", "TABLES",
    "VALUES", "SET", "UPDATE", "DELETE", "INSERT", "MERGE", "USING", "VIEW", "CREATE", "DROP",
    "OVERWRITE", "RETURNING", "CONFLICT", "DUPLICATE", "APPLY", "SEMI", "ANTI", "ASOF", "ONLY",
    "POSITIONAL", "MATCH_RECOGNIZE", "RECURSIVE", "STREAM", "IDENTIFIER", "WINDOW", "FETCH",
    "STRAIGHT_JOIN", "TRUNCATE", "WHEN", "THEN", "ELSE", "END", "LOW_PRIORITY",
    "QUICK", "//",
)
# fmt: on

STATEMENT = Place("statement")
BODY = Place("body")  # a query must begin
OPENED = Place("opened")  # inside of ( in an expression
SELECT = Place("select", final=True)
SOURCE = Place("source")  # a table must come
SOURCES = Place("sources")  # inside of ( where a table must come
AFTER = Place("after", final=True)  # a table was named
ALIASED = Place("aliased", final=True)
CONDITION = Place("condition", final=True)
CLAUSE = Place("clause", final=True)
BEGUN = Place("begun clause")  # behind WHERE and the like: something must come
ITEM = Place("item")  # one of a select list must come
STAR = Place("star", final=True)  # behind the * of a select list
EXPRESSION = Place("expression")
CASE = Place("case")
DONE = Place("done", final=True)
_DISTINCT, _ALIAS, _JOINING, _JOINED, _SET = map(
    Place, ("distinct", "alias", "joining", "joined", "set operator")
)
_COLUMNS, _BRACKETS, _UNNEST, _NUMBERED = map(
    Place, ("columns", "brackets", "unnest", "with offset")
)
_COMMON_NAME, _COMMON_AS, _COMMON_OPEN, _COMMON_DONE = map(
    Place, ("common name", "common as", "common open", "common done")
)


def _expressions(place: Place, *extra: str) -> None:
    """`place` is within an expression, and stays there."""
    place.operand = place
    for word in (*_EXPRESSION, *extra):
        place.steps[word] = place
    place.steps["("] = Step(Rule.OPEN, OPENED, place)
    place.steps["["] = Step(Rule.OPEN, _BRACKETS, place)
    place.steps["CASE"] = Step(Rule.OPEN, CASE, place)
    place.steps[")"] = Step(Rule.CLOSE, place)


def _begun(place: Place, goes_on: Place) -> None:
    """An expression begins at `place`, which goes on at `goes_on`."""
    _expressions(place)
    place.operand = goes_on
    for word, to in place.steps.items():
        if to is place:
            place.steps[word] = goes_on
        elif isinstance(to, Step) and to.after is place:
            place.steps[word] = Step(to.rule, to.to, goes_on)
    del place.steps[")"]


def _lead(place: Place, words: Sequence[str], to: Place | Step) -> None:
    for word in words:
        place.steps[word] = to


def _close(place: Place) -> None:
    place.steps[")"] = Step(Rule.CLOSE, place)


def _queries(place: Place, inside: Place, after: Place) -> None:
    """A query may begin at `place`."""
    place.steps["SELECT"] = ITEM
    place.steps["WITH"] = _COMMON_NAME
    place.steps["("] = Step(Rule.OPEN, inside, after)


def _select_lists() -> None:
    _queries(BODY, BODY, DONE)
    _expressions(SELECT, "LEFT", "RIGHT", ",")
    SELECT.steps["FROM"] = STAR.steps["FROM"] = SOURCE
    _begun(ITEM, SELECT)
    ITEM.steps |= {
        "*": STAR,
        "DISTINCT": _DISTINCT,
        "FROM": SOURCE,
        "LEFT": SELECT,
        "RIGHT": SELECT,
    }
    _lead(STAR, [","], ITEM)
    _lead(STAR, ["REPLACE", "EXCLUDE", "RENAME"], SELECT)
    SELECT.steps[","] = ITEM
    _expressions(_DISTINCT, "ON")
    _lead(_DISTINCT, ["("], Step(Rule.OPEN, OPENED, SELECT))
    _DISTINCT.operand = SELECT
    _DISTINCT.steps["CASE"] = Step(Rule.OPEN, CASE, SELECT)
    _DISTINCT.steps["["] = Step(Rule.OPEN, _BRACKETS, SELECT)
    _DISTINCT.steps["*"] = STAR
    del _DISTINCT.steps[")"]


def _sources() -> None:
    SOURCE.operand = Step(Rule.READ, AFTER)
    SOURCE.steps["("] = Step(Rule.OPEN, SOURCES, AFTER)
    SOURCE.steps["UNNEST"] = _UNNEST
    _UNNEST.steps["("] = Step(Rule.OPEN, OPENED, AFTER)
    _lead(_NUMBERED, ["OFFSET", "ORDINALITY"], AFTER)
    SOURCES.operand = SOURCE.operand
    _queries(SOURCES, SOURCES, AFTER)
    AFTER.operand = _ALIAS.operand = Step(Rule.ALIAS, ALIASED)
    AFTER.steps["AS"] = _ALIAS
    ALIASED.steps["("] = Step(Rule.OPEN, _COLUMNS, ALIASED)
    for place in (AFTER, ALIASED):
        _close(place)
        place.steps["WITH"] = _NUMBERED
    _expressions(CONDITION)
    _begun(_JOINED, CONDITION)
    for place in (AFTER, ALIASED, CONDITION):
        _lead(place, _SIDES, _JOINING)
        _lead(place, ["ON", "USING"], _JOINED)
        _lead(place, ["JOIN", ","], SOURCE)
    _lead(_JOINING, _SIDES, _JOINING)
    _JOINING.steps["JOIN"] = SOURCE


def _clauses() -> None:
    _expressions(CLAUSE, "LEFT", "RIGHT", ",")
    _close(DONE)
    _begun(BEGUN, CLAUSE)
    by = Place("by")
    by.steps["BY"] = BEGUN
    for place in (SELECT, STAR, AFTER, ALIASED, CONDITION, CLAUSE, DONE):
        _lead(place, _CLAUSES, BEGUN)
        _lead(place, ["GROUP", "ORDER"], by)
        _lead(place, _SETS, _SET)
    _close(STAR)
    # `SELECT * EXCEPT (a)` and `SELECT 1 EXCEPT (SELECT 2)` go on in the same way.
    except_ = Place("except")
    SELECT.steps["EXCEPT"] = STAR.steps["EXCEPT"] = except_
    except_.steps = {"(": Step(Rule.OPEN, OPENED, SELECT), "SELECT": ITEM, "ALL": _SET}
    except_.steps["DISTINCT"] = _SET
    _queries(_SET, BODY, DONE)
    _lead(_SET, ["ALL", "DISTINCT"], _SET)


def _parentheses() -> None:
    _expressions(OPENED, *_IN_PARENTHESES, "LIMIT")
    _expressions(EXPRESSION, *_IN_PARENTHESES, "LIMIT", "HAVING")
    for word, to in OPENED.steps.items():
        if to is OPENED:
            OPENED.steps[word] = EXPRESSION
    OPENED.operand = EXPRESSION
    del OPENED.steps["FROM"]
    EXPRESSION.steps["FROM"] = Step(Rule.INSIDE, EXPRESSION)
    _queries(OPENED, OPENED, EXPRESSION)
    OPENED.steps["CASE"] = Step(Rule.OPEN, CASE, EXPRESSION)
    OPENED.steps["["] = Step(Rule.OPEN, _BRACKETS, EXPRESSION)
    _lead(EXPRESSION, _SETS, _SET)
    _expressions(_BRACKETS, ",", "OFFSET")
    del _BRACKETS.steps[")"]
    _BRACKETS.steps["]"] = Step(Rule.CLOSE, _BRACKETS)
    _expressions(CASE, "WHEN", "THEN", "ELSE", "LEFT", "RIGHT")
    del CASE.steps[")"]
    CASE.steps["END"] = Step(Rule.CLOSE, CASE)

    _COMMON_NAME.operand = Step(Rule.COMMON, _COMMON_AS)
    _COMMON_AS.steps["AS"] = _COMMON_OPEN
    _COMMON_OPEN.steps["("] = Step(Rule.OPEN, BODY, _COMMON_DONE)
    _COMMON_DONE.steps = {",": _COMMON_NAME, "SELECT": ITEM}


def _changes() -> None:
    """INSERT, UPDATE, DELETE and TRUNCATE."""
    insert, target, body, columned = map(Place, ("insert", "insert into", "body", "columned"))
    values = Place("values", final=True)
    STATEMENT.steps["INSERT"] = insert
    insert.steps["INTO"] = target
    target.steps["TABLE"] = target
    target.operand = Step(Rule.WRITE, body)
    _COLUMNS.operand = _COLUMNS.steps[","] = _COLUMNS
    _close(_COLUMNS)
    for place in (body, columned):
        _queries(place, BODY, DONE)
        place.steps["VALUES"] = values
    body.steps["("] = Step(Rule.OPEN, _COLUMNS, columned)
    _expressions(values, ",")

    update, updated, update_as, set_to = map(Place, ("update", "updated", "update as", "set to"))
    set_to.final = True
    STATEMENT.steps["UPDATE"] = update
    update.operand = Step(Rule.WRITE, updated)
    updated.operand = update_as.operand = Step(Rule.ALIAS, updated)
    updated.steps = {"AS": update_as, "SET": set_to}
    _expressions(set_to, ",", "LEFT", "RIGHT")
    where, condition = Place("where", final=True), Place("condition of a change")
    _expressions(where, "LEFT", "RIGHT")
    _begun(condition, where)
    set_to.steps["WHERE"] = condition

    delete, from_, deleted = map(Place, ("delete", "delete from", "deleted"))
    deleted.final = True
    STATEMENT.steps["DELETE"] = delete
    delete.steps["FROM"] = from_
    from_.operand = Step(Rule.WRITE, deleted)
    delete_as = Place("delete as")
    deleted.operand = delete_as.operand = Step(Rule.ALIAS, deleted)
    deleted.steps = {"AS": delete_as, "WHERE": condition}

    truncate = Place("truncate")
    STATEMENT.steps["TRUNCATE"] = truncate
    truncate.steps["TABLE"] = truncate
    truncated = Place("truncated", final=True)
    truncate.operand = Step(Rule.WRITE, truncated)


def _merge() -> None:
    merge, merged, merge_as = map(Place, ("merge", "merged", "merge as"))
    STATEMENT.steps["MERGE"] = merge
    merge.steps["INTO"] = merge
    merge.operand = Step(Rule.WRITE, merged)
    merged.operand = merge_as.operand = Step(Rule.ALIAS, merged)
    source, sourced, source_as, on = map(Place, ("source", "sourced", "source as", "on"))
    merged.steps = {"AS": merge_as, "USING": source}
    source.operand = Step(Rule.READ, sourced)
    source.steps["("] = Step(Rule.OPEN, BODY, sourced)
    sourced.operand = source_as.operand = Step(Rule.ALIAS, sourced)
    sourced.steps = {"AS": source_as, "ON": on}
    when, then, update, assigned = map(Place, ("when", "then", "update", "assigned"))
    insert, inserted, values = map(Place, ("insert", "inserted", "values"))
    done = Place("merge done", final=True)
    _expressions(on)
    _expressions(when, "MATCHED", "SOURCE", "TARGET")
    when.steps["THEN"] = then
    then.steps = {"UPDATE": update, "INSERT": insert, "DELETE": done}
    update.steps["SET"] = assigned
    assigned.final = True
    _expressions(assigned, ",")
    insert.steps = {"(": Step(Rule.OPEN, _COLUMNS, inserted), "VALUES": values}
    inserted.steps["VALUES"] = values
    values.steps["("] = Step(Rule.OPEN, OPENED, done)
    for place in (on, assigned, done):
        place.steps["WHEN"] = when


def _definitions() -> None:
    create, or_, table, if_, not_ = map(Place, ("create", "or", "create table", "if", "not"))
    named = Place("created")
    STATEMENT.steps["CREATE"] = create
    create.steps["OR"] = or_
    or_.steps["REPLACE"] = create
    _lead(create, ["TEMP", "TEMPORARY"], Step(Rule.KIND, create))
    _lead(create, ["TABLE", "VIEW"], Step(Rule.KIND, table))
    table.steps["IF"] = if_
    if_.steps["NOT"] = not_
    not_.steps["EXISTS"] = Step(Rule.KIND, table)
    table.operand = Step(Rule.WRITE, named)
    named.steps["AS"] = BODY

    drop, dropped, drop_if = map(Place, ("drop", "drop table", "drop if"))
    gone = Place("gone", final=True)
    STATEMENT.steps["DROP"] = drop
    _lead(drop, ["TABLE", "VIEW"], dropped)
    dropped.steps["IF"] = drop_if
    drop_if.steps["EXISTS"] = dropped
    dropped.operand = Step(Rule.DROP, gone)


_queries(STATEMENT, BODY, DONE)
_select_lists()
_sources()
_clauses()
_parentheses()
_changes()
_merge()
_definitions()
KEYWORDS = frozenset(
    {*_EXPRESSION, *_IN_PARENTHESES, *_CLAUSES, *_SIDES, *_SETS, *_ELSEWHERE}
    | {"SELECT", "WITH", "JOIN", "ON", "CASE", "(", ")", "[", "]", ";"}
    | {"'", '"', "`"}  # a quote that nothing closes
)
