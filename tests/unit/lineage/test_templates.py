"""Templates left in SQL: what is filled in, what is a stand-in, and what becomes of names."""

import pytest

from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.templates.render import render
from swarm.lineage.templates.variants import MAX_VARIANTS
from swarm.lineage.text import SqlContext
from swarm.model.lineage import Access, UnresolvedReason

PARAMETERS = {"t": "orders", "params.env": "prod", "day": "2024-01-31"}

# text, what it becomes with PARAMETERS
FILLED = [
    ("{{ t }} ${t} {t} ${hiveconf:t} {{ params.t }} {{ var.value.t }}", " ".join(["orders"] * 6)),
    ("{{ params.env }}", "prod"),
    ("{{ t | upper }} {{ t.upper() }} {{ t ~ '_x' }} {{ 'a' + t }}",
     "ORDERS ORDERS orders_x aorders"),
    ("{{ missing | default('d') }} {{ t | replace('or', 'b') }}", "d bders"),
    ("{% set x = 'a' %}{{ x }} {% set y %}b{{ x }}{% endset %}{{ y }}", "a ba"),
    ("{% for x in ['a', 'b'] %}{{ x }}{% if not loop.last %},{% endif %}{% endfor %}", "a,b"),
    ("{% for x, y in [('a', 'b')] %}{{ y }}{{ x }}{% endfor %}", "ba"),
    ("{% for x in ['a', 'b'] + ['c'] %}{{ loop.index }}{{ x }}{% endfor %}", "1a2b3c"),
    ("{{ ['a', 'b'] | join(', ') }}", "a, b"),
    ("{# gone {{ t }} #}{{ config(materialized='table') }}x", "x"),
    ("{{ ref('m') }} {{ ref('pkg', 'm') }} {{ source('s', 'm') }}", "m m s.m"),
    ("{{ var('t') }} {{ var('other', 'd') }} {{ env_var('t') }}", "orders d orders"),
    ("{% raw %}{{ t }}{% endraw %}", "{{ t }}"),
    # dates of the run are one fixed date
    ("{{ ds }} {{ ds_nodash }} {{ next_ds }}", "2000-01-01 20000101 2000-01-01"),
    ("{{ macros.ds_add(ds, -1) }} {{ macros.ds_format(ds, '%Y-%m-%d', '%Y%m') }}",
     "2000-01-01 200001"),
    ("{{ data_interval_start | ds_nodash }} {{ logical_date.strftime('%Y/%m') }}",
     "20000101 2000/01"),
    ("{{ execution_date.subtract(days=1).format('YYYYMMDD') }}", "20000101"),
    # expressions of a scheduler's own language
    ("${concat('a', \"b\")} ${ trim(' x ') } ${replaceAll(t, '^or', 'b')} ${concat(t, day)}",
     "ab x bders orders2024-01-31"),
    ("${coord:formatTime(coord:current(0), \"yyyy-MM-dd'T'HH\")}", "2000-01-01T00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FILLED)
def test_known_values_are_filled_in(text: str, expected: str) -> None:
    rendering = render(text, PARAMETERS)
    assert [variant.text for variant in rendering.variants] == [expected]
    assert rendering.holes == ()
    assert rendering.problem is None


def test_parameters_come_before_the_fixed_date() -> None:
    assert render("{{ ds }}", {"ds": "2024-01-31"}).variants[0].text == "2024-01-31"


def test_unknown_values_are_stand_ins_that_can_be_named() -> None:
    rendering = render("SELECT {{ a }} FROM {{ params.b }}_x, ${c}, {{ a }}", {})
    (variant,) = rendering.variants
    assert rendering.holes == ("a", "params.b", "${c}")
    words = variant.text.replace(",", "").split()
    assert words[1] == words[5]
    assert rendering.holes_in(words[3]) == ("params.b",)
    assert rendering.restored(words[3]) == "{{ params.b }}_x"


def test_expressions_that_only_the_run_knows_are_stand_ins() -> None:
    text = "${wf:id()} ${concat(missing, 'x')} ${replaceAll(t, '(a+)+', '')} ${a gt\n'}'}"
    rendering = render(text, PARAMETERS)
    (variant,) = rendering.variants
    known_by_the_run = ["${wf:id()}", "${concat(missing, 'x')}", "${replaceAll(t, '(a+)+', '')}"]
    assert list(rendering.holes) == [*known_by_the_run, "${a gt\n'}'}"]
    assert variant.text.count("\n") == text.count("\n")


def test_every_branch_is_in_some_variant() -> None:
    text = "{% if a %}1{% if b %}2{% else %}3{% endif %}{% elif c %}4{% endif %}{{ '5' if d }}"
    shown = {variant.text for variant in render(text, {}).variants}
    assert {digit for one in shown for digit in one if digit.isdigit()} == set("12345")
    assert any(set(one) & set("1234") == set() for one in shown)  # no branch taken


def test_too_many_branches_are_a_problem() -> None:
    text = "".join(f"{{% if a{number} %}}{number}{{% endif %}}" for number in range(30))
    rendering = render(text, {})
    assert len(rendering.variants) == MAX_VARIANTS
    assert rendering.problem is not None
    assert str(MAX_VARIANTS) in rendering.problem[1]


def test_lines_are_those_of_the_original() -> None:
    text = "a\n{# x\ny #}b\n{% if z %}\nc\n{% endif %}\nd {{ t }}\ne"
    variant = render(text, PARAMETERS).variants[0]
    shown = dict(zip(variant.text.split("\n"), variant.lines, strict=True))
    assert {word: shown[word] for word in ("a", "b", "c", "d orders", "e")} == {
        "a": 1, "b": 3, "c": 5, "d orders": 7, "e": 8,
    }  # fmt: skip


def test_broken_template_is_a_problem_and_the_rest_is_kept() -> None:
    rendering = render("SELECT 1\n{% snapshot x %} FROM {{ y }} {% endsnapshot %}", {})
    assert rendering.problem is not None
    assert rendering.problem[0] == 2
    assert rendering.variants[0].text.startswith("SELECT 1\n FROM swarm_hole")


@pytest.mark.parametrize(
    "text",
    [
        "{% for b in [1,2,3,4,5,6,7,8,9] %}" * 12 + "y" + "{% endfor %}" * 12,
        "{% set x = 'aaaaaaaaaa' %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}" * 1000,
        "{% set x = 'a' %}" + "{% set x = x.replace('', 'aaaaaaaaaa') %}" * 60 + "{{ x }}",
        "{% set x = [1, 2] %}" + "{% set x = x + x %}" * 60 + "{% for a in x %}{{ a }}{% endfor %}",
        "{% set x = [1, 2] %}" + "{% set x = [x, x] %}" * 60 + "{{ x }}",
        "{{ ds.strftime('\0') }}{{ logical_date.strftime('\0') }}",
    ],
    ids=["loops", "doubling", "replacing", "lists", "trees", "zero bytes"],
)
def test_templates_made_to_hurt_end(text: str) -> None:
    rendering = render(text, {})
    assert sum(len(variant.text) for variant in rendering.variants) < 10_000_000


# dialect, SQL, tables read, tables written, number of names or clauses that a template hides
NAMES = [
    ("", "SELECT * FROM a WHERE d = {{ x }} AND e = '{{ y }}' LIMIT {{ n }}", "a", "", 0),
    ("", "SELECT {{ columns }} FROM a {{ where }}", "a", "", 1),
    ("", "SELECT * FROM a {{ join_clause }} WHERE 1 = 1", "a", "", 1),
    ("", "SELECT * FROM a {{ one }} {{ two }} WHERE z = 1", "a", "", 1),
    ("", "SELECT * FROM a {% if x %}WHERE y = 1{% endif %} AND z = 2", "a", "", 0),
    ("", "SELECT * FROM {{ x }}.a, b", "b", "", 1),
    ("", "INSERT INTO b SELECT * FROM a_{{ params.region }}", "", "b", 1),
    ("", "SELECT * FROM ${schema}.a JOIN {t} ON TRUE", "orders", "", 1),
    ("", "SELECT * FROM s.events_{{ ds_nodash }}", "s.events_*", "", 0),
    ("bigquery", "SELECT * FROM `p.d.t${{ ds_nodash }}`", "p.d.t", "", 0),
    ("bigquery", "SELECT * FROM `{{ params.project }}.d.t`", "", "", 1),
    ("", "INSERT INTO a {% if full %}SELECT * FROM b{% else %}SELECT * FROM c{% endif %}",
     "b c", "a", 0),
    ("", "SELECT * FROM a {% if is_incremental() %} WHERE x > 1 {% endif %}", "a", "", 0),
    ("", "{% for s in ['x', 'y'] %}SELECT * FROM {{ s }}.t"
     "{% if not loop.last %} UNION ALL {% endif %}{% endfor %}", "x.t y.t", "", 0),
    ("", "{{ config(materialized='table') }}\nSELECT * FROM {{ ref('m') }}, {{ source('s', 'r') }}",
     "m s.r", "", 0),
    ("postgres", "SELECT * FROM :t, %(t)s, :other WHERE x = :x AND y = %(y)s", "orders", "", 1),
    ("postgres", "SELECT * FROM a WHERE b = %s AND c = $1 AND d = ?", "a", "", 0),
    ("snowflake", "SELECT * FROM IDENTIFIER(:t), IDENTIFIER($other)", "orders", "", 1),
    ("bigquery", "SELECT * FROM d.a WHERE b = @x", "d.a", "", 0),
    ("clickhouse", "SELECT * FROM a WHERE b = {x:UInt32}", "a", "", 0),
    ("duckdb", "COPY a TO 's3://bkt/{{ params.k }}/x.csv'", "a", "", 1),
    ("", "{{ dbt_utils.union_relations(x) }}", "", "", 1),
    ("", "SELECT '{{' AS x FROM a", "a", "", 0),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "reads", "writes", "hidden"), NAMES)
def test_templates_in_sql(dialect: str, sql: str, reads: str, writes: str, hidden: int) -> None:
    found = extract_sql(sql, SqlContext(dialect, parameters=PARAMETERS), "q.sql")
    assert [str(t.dataset) for t in found.touches if t.access is Access.READ] == reads.split()
    assert [str(t.dataset) for t in found.touches if t.access is Access.WRITE] == writes.split()
    assert [u.reason for u in found.unresolved] == [UnresolvedReason.TEMPLATE] * hidden


def test_hidden_name_is_reported_as_written() -> None:
    sql = "SELECT 1;\nSELECT * FROM {{ params.region }}_orders"
    (problem,) = extract_sql(sql, SqlContext(), "q.sql").unresolved
    assert problem.place == "q.sql:2"
    assert "{{ params.region }}_orders" in problem.detail


def test_lines_of_touches_are_those_of_the_template() -> None:
    sql = "{% set x = 1 %}\n{# a\nb #}\nSELECT * FROM\n  a"
    (touch,) = extract_sql(sql, SqlContext(), "q.sql").touches
    assert (touch.place, touch.excerpt) == ("q.sql:5", "a")
