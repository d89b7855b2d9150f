"""SQL texts for measuring, made from a seed: no two statements alike, or a log that repeats.

A statement is one of seven shapes a warehouse runs (INSERT .. WITH, CREATE TABLE AS, MERGE, a view
over unions, a report, DELETE by subquery, UPDATE from a join), in one of six dialects, about 28
lines long, with names of its own.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

DIALECTS = ("bigquery", "snowflake", "postgres", "redshift", "spark", "trino")
_SUBJECTS = ("orders", "visits", "refunds", "stock", "calls", "trips", "clicks", "bills", "seats")
_MEASURES = ("amount", "price", "tax", "length", "weight", "delay", "score", "volume", "cost")
_GROUPS = ("region", "channel", "brand", "plan", "device", "carrier", "segment", "store")


@dataclass(frozen=True, slots=True)
class Text:
    """A statement and its dialect."""

    sql: str
    dialect: str


def distinct(count: int, seed: int) -> list[Text]:
    """`count` statements, none of which is like another in more than its shape."""
    chance = random.Random(seed)
    return [_statement(chance, number) for number in range(count)]


def log(count: int, seed: int, templates: int = 40, repeated: float = 0.3) -> list[Text]:
    """`count` statements of a query log: `templates` statements with other literals each time.

    The use of templates falls off as 1/rank. The share `repeated` is an exact copy of one of the
    last 200 statements.
    """
    chance = random.Random(seed)
    forms = [_statement(chance, number, filled=False) for number in range(templates)]
    weights = [1 / (rank + 1) for rank in range(templates)]
    found: list[Text] = []
    for form in chance.choices(forms, weights, k=count):
        if found and chance.random() < repeated:
            found.append(chance.choice(found[-200:]))
        else:
            found.append(Text(_filled(form.sql, chance), form.dialect))
    return found


def _statement(chance: random.Random, number: int, *, filled: bool = True) -> Text:
    dialect = chance.choice(DIALECTS)
    sql = chance.choice(_SHAPES)(_Words(chance, number, dialect))
    return Text(_filled(sql, chance) if filled else sql, dialect)


def _filled(sql: str, chance: random.Random) -> str:
    """`sql` with a date for each `<d>`, a number for `<n>`, a word for `<w>`."""
    pieces = sql.split("<")
    found = [pieces[0]]
    for piece in pieces[1:]:
        kind, rest = piece[0], piece[2:]
        if piece[1:2] != ">":
            found.append("<" + piece)
        elif kind == "d":
            year, month, day = chance.randint(10, 29), chance.randint(1, 12), chance.randint(1, 28)
            found.append(f"'20{year}-{month:02}-{day:02}'{rest}")
        elif kind == "n":
            found.append(str(chance.randint(1, 99_999)) + rest)
        else:
            found.append(f"'{chance.choice(_GROUPS)} {chance.randint(1, 99_999)}'" + rest)
    return "".join(found)


class _Words:
    """Names for one statement."""

    def __init__(self, chance: random.Random, number: int, dialect: str) -> None:
        self.chance, self.number, self.dialect = chance, number, dialect
        self.subject = chance.choice(_SUBJECTS)
        self.measures = chance.sample(_MEASURES, 3)
        self.groups = chance.sample(_GROUPS, 2)

    def table(self, layer: str) -> str:
        """A table of `layer`, quoted the dialect's way now and then."""
        name = f"{self.chance.choice(_SUBJECTS)}_{self.number}_{self.chance.randint(1, 999)}"
        parts = [f"{layer}_{self.chance.randint(1, 9)}", name]
        if self.chance.random() < 0.5:
            parts.insert(0, self.chance.choice(("lake", "mart", "main")))
        if self.dialect == "bigquery" and self.chance.random() < 0.5:
            return "`" + ".".join(parts) + "`"
        if self.dialect in ("snowflake", "postgres", "redshift", "trino") and (
            self.chance.random() < 0.2
        ):
            return ".".join(f'"{part}"' for part in parts)
        return ".".join(parts)

    def totals(self, alias: str) -> str:
        one, two, three = self.measures
        return f"""       SUM({alias}.{one}) AS total_{one},
       AVG({alias}.{two}) AS mean_{two},
       COUNT(DISTINCT {alias}.customer_id) AS customers,
       MAX(CASE WHEN {alias}.{three} > <n> THEN {alias}.{three} ELSE 0 END) AS top_{three}"""


def _insert(words: _Words) -> str:
    group, other = words.groups
    return f"""INSERT INTO {words.table("mart")} (day, {group}, {other}, a, b, c, d, place)
WITH recent AS (
  SELECT x.day, x.{group}, x.{other}, x.customer_id, {", ".join("x." + m for m in words.measures)}
  FROM {words.table("raw")} AS x
  WHERE x.day >= <d>
    AND x.day < <d>
    AND x.{group} <> <w> -- not what was moved
),
known AS (
  SELECT c.customer_id, MIN(c.since) AS since
  FROM {words.table("raw")} AS c
  LEFT JOIN {words.table("raw")} AS k ON c.customer_id = k.customer_id
  WHERE k.{other} IN (<w>, <w>, <w>)
  GROUP BY c.customer_id
),
joined AS (
  SELECT r.*, n.since, ROW_NUMBER() OVER (PARTITION BY r.{group} ORDER BY r.day DESC) AS place
  FROM recent AS r
  JOIN known AS n ON r.customer_id = n.customer_id
)
SELECT j.day, j.{group}, j.{other},
{words.totals("j")},
       MIN(j.place) AS place
FROM joined AS j
WHERE j.place <= <n> AND j.since < <d>
GROUP BY j.day, j.{group}, j.{other}
HAVING COUNT(*) > <n>"""


def _ctas(words: _Words) -> str:
    group, other = words.groups
    return f"""CREATE TABLE {words.table("stage")} AS
SELECT f.{group},
       f.{other},
       d.week,
       CASE
         WHEN f.{words.measures[0]} BETWEEN <n> AND <n> THEN <w>
         WHEN f.{words.measures[0]} IS NULL THEN <w>
         ELSE 'other'
       END AS kind,
{words.totals("f")}
FROM {words.table("raw")} AS f
INNER JOIN {words.table("raw")} AS d
  ON f.day = d.day
 AND d.week >= <n>
LEFT JOIN (
  SELECT s.customer_id, COALESCE(MAX(s.{words.measures[1]}), 0) AS best
  FROM {words.table("raw")} AS s
  WHERE s.day >= <d>
  GROUP BY s.customer_id
) AS b
  ON b.customer_id = f.customer_id
WHERE f.day BETWEEN <d> AND <d>
  AND f.{other} LIKE <w>
  AND NOT EXISTS (
    SELECT 1 FROM {words.table("raw")} AS gone
    WHERE gone.customer_id = f.customer_id AND gone.{group} = <w>
  )
GROUP BY f.{group}, f.{other}, d.week, kind"""


def _merge(words: _Words) -> str:
    group, other = words.groups
    one, two, _ = words.measures
    return f"""MERGE INTO {words.table("mart")} AS t
USING (
  SELECT u.customer_id,
         u.{group},
         u.{other},
         SUM(u.{one}) AS {one},
         MAX(u.{two}) AS {two},
         MAX(u.day) AS day
  FROM {words.table("stage")} AS u
  JOIN {words.table("raw")} AS v
    ON u.customer_id = v.customer_id
  WHERE u.day = <d>
    AND v.{other} = <w>
    AND u.{one} > <n>
  GROUP BY u.customer_id, u.{group}, u.{other}
) AS s
ON t.customer_id = s.customer_id
   AND t.{group} = s.{group}
WHEN MATCHED AND s.day > t.day THEN
  UPDATE SET
    {one} = t.{one} + s.{one},
    {two} = s.{two},
    day = s.day
WHEN NOT MATCHED THEN
  INSERT (customer_id, {group}, {other}, {one}, {two}, day)
  VALUES (s.customer_id, s.{group}, s.{other}, s.{one}, s.{two}, s.day)"""


def _view(words: _Words) -> str:
    group, other = words.groups
    part = """SELECT day, {group}, {other}, {one}, {two}, {word} AS origin
FROM {table}
WHERE day >= {day}
  AND {group} IS NOT NULL
  AND {one} > {number}"""
    parts = [
        part.format(
            group=group,
            other=other,
            one=words.measures[0],
            two=words.measures[1],
            word="<w>",
            day="<d>",
            number="<n>",
            table=words.table("raw"),
        )
        for _ in range(5)
    ]
    return f"CREATE OR REPLACE VIEW {words.table('mart')} AS\n" + "\nUNION ALL\n".join(parts)


def _report(words: _Words) -> str:
    group, other = words.groups
    return f"""/* the week of one {group} */
SELECT a.{group} AS {group},
       a.{other},
       b.name,
{words.totals("a")},
       SUM(SUM(a.{words.measures[0]})) OVER (
         PARTITION BY a.{group}
         ORDER BY a.{other}
         ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
       ) AS running,
       (SELECT MAX(m.day) FROM {words.table("raw")} AS m WHERE m.{group} = <w>) AS last_day
FROM {words.table("mart")} AS a
JOIN {words.table("raw")} AS b
  ON a.customer_id = b.customer_id
 AND b.valid_from <= a.day
CROSS JOIN {words.table("raw")} AS c
WHERE a.day >= <d>
  AND a.day < <d>
  AND a.{other} IN (
    SELECT e.{other}
    FROM {words.table("stage")} AS e
    WHERE e.{words.measures[2]} < <n>
  )
  AND COALESCE(b.name, <w>) <> <w>
  AND c.limit_{other} > <n>
GROUP BY a.{group}, a.{other}, b.name
ORDER BY running DESC
LIMIT <n>"""


def _delete(words: _Words) -> str:
    group, other = words.groups
    tests = "\n".join(f"  AND {name} <> <w>" for name in (group, other, *words.measures))
    return f"""DELETE FROM {words.table("mart")}
WHERE day >= <d>
  AND day < <d>
{tests}
  AND customer_id IN (
    SELECT g.customer_id
    FROM {words.table("raw")} AS g
    WHERE g.day = <d>
      AND g.{group} = <w>
      AND g.{words.measures[0]} BETWEEN <n> AND <n>
    UNION ALL
    SELECT h.customer_id
    FROM {words.table("raw")} AS h
    INNER JOIN {words.table("raw")} AS i
      ON h.customer_id = i.customer_id
    WHERE h.{other} LIKE <w>
      AND i.{words.measures[1]} IS NULL
      AND i.day < <d>
  )"""


def _update(words: _Words) -> str:
    one, two, three = words.measures
    group, other = words.groups
    return f"""UPDATE {words.table("mart")}
SET {one} = {one} * <n>,
    {two} = COALESCE({two}, <n>),
    {other} = <w>,
    {three} = CASE
      WHEN {three} > <n> THEN <n>
      WHEN {three} < <n> THEN 0
      ELSE {three}
    END
WHERE day = <d>
  AND {group} IN (
    WITH chosen AS (
      SELECT p.{group}, COUNT(*) AS many
      FROM {words.table("stage")} AS p
      WHERE p.day >= <d>
        AND p.{other} <> <w>
      GROUP BY p.{group}
    ),
    ranked AS (
      SELECT q.{group}, q.many
      FROM chosen AS q
      JOIN {words.table("raw")} AS z
        ON z.{group} = q.{group}
      WHERE q.many > <n>
    )
    SELECT {group} FROM ranked
  )"""


_SHAPES: Sequence[Callable[[_Words], str]] = (
    _insert,
    _ctas,
    _merge,
    _view,
    _report,
    _delete,
    _update,
)


def manifest(count: int, seed: int) -> Iterator[dict[str, object]]:
    """The lines of a manifest of `count` tasks, each with one statement."""
    for number, text in enumerate(distinct(count, seed)):
        yield {
            "pipeline": f"pipeline_{number // 5}",
            "task": f"task_{number}",
            "kind": "sql",
            "dialect": text.dialect,
            "files": {"query.sql": text.sql},
        }
