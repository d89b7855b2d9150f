--- SELECT
SELECT 1

--- SELECT
-- reads: a b s.c
SELECT * FROM a, b JOIN s.c ON TRUE

--- SELECT
-- reads: a b c
SELECT * FROM a WHERE x IN (SELECT x FROM b) AND EXISTS (SELECT 1 FROM c)

--- SELECT
-- reads: b a c
SELECT (SELECT max(x) FROM b) FROM a ORDER BY (SELECT y FROM c)

--- SELECT
-- reads: a b c
SELECT * FROM a UNION ALL SELECT * FROM b EXCEPT SELECT * FROM c

--- SELECT
-- reads: a
SELECT * FROM (SELECT * FROM (SELECT * FROM a) x) y

--- INSERT
-- writes: a
INSERT INTO a VALUES (1, 'from b')

--- INSERT
-- reads: b
-- writes: a
INSERT INTO a (x) SELECT x FROM b

--- INSERT
-- reads: a b
-- writes: a
INSERT INTO a SELECT x FROM a JOIN b USING (x)

--- CREATE
-- reads: b
-- writes: a
CREATE TABLE a AS SELECT * FROM b

--- CREATE
-- reads: b
-- writes: a
CREATE TABLE IF NOT EXISTS a AS SELECT * FROM b

--- CREATE
-- writes: a
CREATE TABLE a (x INT)

--- CREATE
CREATE TABLE IF NOT EXISTS a (x INT)

--- statements about a table
DROP TABLE a

--- statements about a table
-- writes: a
TRUNCATE TABLE a

--- ALTER
ALTER TABLE a ADD COLUMN x INT

--- UPDATE
-- reads: b
-- writes: a
UPDATE a SET x = (SELECT max(y) FROM b)

--- DELETE
-- reads: b
-- writes: a
DELETE FROM a WHERE x IN (SELECT x FROM b)

--- statements
-- reads: d
-- SELECT * FROM a
/* FROM b */ SELECT 'FROM c' FROM d -- FROM e

--- common table expressions
-- reads: b
WITH a AS (SELECT * FROM b) SELECT * FROM a

--- common table expressions
-- reads: b d
WITH a AS (SELECT * FROM b), c AS (SELECT * FROM a) SELECT * FROM c, d

--- common table expressions
-- reads: s.b
WITH b AS (SELECT * FROM s.b) SELECT * FROM b

--- common table expressions
-- reads: b
WITH b AS (SELECT * FROM b) SELECT * FROM b

--- common table expressions
-- reads: a
WITH b AS (SELECT * FROM a), a AS (SELECT 1 AS x) SELECT * FROM a, b

--- common table expressions
-- reads: a
SELECT * FROM (WITH a AS (SELECT 1 AS x) SELECT * FROM a) t JOIN a USING (x)

--- common table expressions
-- reads: s.a
WITH a AS (SELECT 1 AS x) SELECT * FROM (SELECT * FROM a) t, s.a

--- common table expressions
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n FROM t) SELECT * FROM t

--- common table expressions
WITH A AS (SELECT 1 AS x) SELECT * FROM a

--- common table expressions
-- reads: b
-- writes: t
INSERT INTO t WITH a AS (SELECT * FROM b) SELECT * FROM a

--- common table expressions
-- reads: b
-- writes: t
WITH a AS (SELECT * FROM b) INSERT INTO t SELECT * FROM a

--- views and external tables
-- writes: v
-- view: v <- a b
CREATE VIEW v AS SELECT * FROM a JOIN b USING (x)

--- views and external tables
-- writes: s.v
-- view: s.v <- c
CREATE OR REPLACE VIEW s.v (x) AS WITH a AS (SELECT 1) SELECT * FROM a, c

--- temporary tables
-- reads: a
-- writes: b
CREATE TEMP TABLE t AS SELECT * FROM a;
INSERT INTO b SELECT * FROM t

--- temporary tables
-- reads: a
-- writes: b
CREATE TABLE t AS SELECT * FROM a;
INSERT INTO b SELECT * FROM t;
DROP TABLE t

--- temporary tables
-- reads: t
CREATE TEMP TABLE t AS SELECT 1;
DROP TABLE t;
SELECT * FROM t

--- temporary tables
-- reads: t a
SELECT * FROM t;
CREATE TEMP TABLE t AS SELECT * FROM a;
SELECT * FROM t

--- temporary tables
-- reads: a
-- writes: b
INSERT INTO b SELECT * FROM a;
DROP TABLE a

--- temporary tables
-- reads: b
-- writes: a
DROP TABLE IF EXISTS a;
CREATE TABLE a AS SELECT * FROM b

--- temporary tables
-- reads: b
-- writes: a
CREATE TABLE IF NOT EXISTS a (x INT);
INSERT INTO a SELECT * FROM b

--- words of a statement that does not parse
-- reads: s.b d e.f
-- writes: a
-- unresolved: syntax 1 does not parse
INSERT INTO a (x) SELECT trim(BOTH FROM y), "FROM z" FROM s.b AS k, d k2, u(1) @@@
JOIN e.f ON k.x IS DISTINCT FROM k2.x WHERE 'FROM g' = h

--- words of statements that do not parse: what runs later does nothing now
-- unresolved: syntax 1 does not parse
-- unresolved: syntax 2 does not parse
CREATE VIEW v AS SELECT * FROM a ) ( b;
DELETE ) JOIN

--- words of statements that do not parse: changes
-- reads: b
-- writes: a c d e
-- unresolved: syntax 1 does not parse
-- unresolved: syntax 2 does not parse
-- unresolved: syntax 3 does not parse
-- unresolved: syntax 4 does not parse
MERGE INTO a USING b ON @@@ (;
UPDATE c SET @@@ = ) 1;
DELETE FROM d WHERE @@@ );
CREATE TABLE IF NOT EXISTS e AS ( @@@ SELECT

--- templates for members of a WITH
-- reads: b
-- unresolved: template 1 my_ctes
{{ my_ctes(['x']) }}, y AS (SELECT * FROM b) SELECT * FROM y

--- templates for members of a WITH
-- reads: b c
-- unresolved: template 1 more
WITH a AS (SELECT * FROM b), {{ more() }}, y AS (SELECT * FROM c {{ group_by(2) }}), {{ last() }}
SELECT * FROM y JOIN a

--- templates for whole queries and last clauses
-- reads: b c
-- unresolved: template 1 pivot
WITH a AS ({{ pivot('x') }}), d AS (SELECT {{ star() }} AS x, {{ key() }} AS k FROM b
WHERE (1 = 1) {{ group_by(2) }}), e AS (SELECT * FROM c {{ sorted() }} ORDER BY 1) {{ audit() }}

--- what dbt's macros are given
-- reads: m s.t n k
SELECT {{ star(from=ref('m'), except=['x']) }} AS x, {{ f([source('s', 't'), ref('p', 'n')]) }} AS y
{% set q = dbt_utils.get_column_values(table=ref('k'), column='c') %}

--- marks of Python's database drivers
-- reads: a x.y
-- writes: t
-- parameter: table = x.y
INSERT INTO t SELECT k % s, '50%s' FROM a JOIN %(table)s ON d = '%(day)s' AND e IN %(list)s
WHERE f > %(since)s AND g < %s AND h IN (%s, %s) LIMIT %s

--- marks of Python's database drivers
-- writes: t
-- unresolved: template 1 %(table)s
DELETE FROM %(table)s;
INSERT INTO t VALUES (%s, %(b)s)

--- templates: what a macro of the text leaves where it is called
-- reads: a t u
{% macro f(c, s='u') %}{{ c }} IN (SELECT id FROM t) AND y IN (SELECT y FROM {{ s }}){% endmacro %}
SELECT * FROM a WHERE {{ f('x') }}

--- templates: macros that call macros, and one that calls itself
-- reads: a t
-- unresolved: template 2 the name {{ g() }}
{% macro g() %}SELECT * FROM {{ g() }}{% endmacro %}{% macro f(x) %}JOIN t ON {{ x }}{% endmacro %}
{% macro h() %}{{ f(x='b = c') }}{% endmacro %}SELECT * FROM a {{ h() }}; {{ g() }}

--- templates: another file that stands here
-- reads: a
-- unresolved: template 2 include 'other.sql'
SELECT * FROM a;
{% include 'other.sql' %}

--- templates: a file around this one
-- reads: a
-- unresolved: template 1 extends 'base.sql'
{% extends 'base.sql' %}{% block q %}SELECT * FROM a{% endblock %}

--- templates: queries that a template runs itself
-- reads: a b c
-- writes: d
{% set n = run_query('SELECT max(x) FROM b') %}
{% call statement('m', fetch_result=True) %}SELECT max(x) FROM c{% endcall %}
{% do run_query('DELETE FROM d') %}
SELECT * FROM a WHERE x > {{ n }}

--- templates: both ways of a loop
-- reads: a b
{% for x in names %}SELECT * FROM a{% else %}SELECT * FROM b{% endfor %}

--- templates: what is between other tags
-- reads: a
{% autoescape false %}SELECT * FROM a{% endautoescape %}

--- templates: what may be a clause or a condition may name tables
-- reads: a b
-- unresolved: template 1 templates may name more tables: {{ joins }} {{ more }}
-- unresolved: template 2 templates may name more tables: {{ m.f() }}
SELECT {{ x }} FROM a {{ joins }} {{ more }} WHERE c = {{ y }} LIMIT {{ z }};
SELECT * FROM b WHERE {{ m.f() }} AND d IN ({{ ids }})

--- jinja with a loop over tables and a macro
-- reads: raw.a raw.b raw.c
-- writes: mart.all_rows
{% set parts = ['a', 'b', 'c'] %}
{% macro src(n) %}raw.{{ n }}{% endmacro %}
INSERT INTO mart.all_rows
{% for p in parts %}
SELECT * FROM {{ src(p) }}{% if not loop.last %} UNION ALL{% endif %}
{% endfor %}

--- a condition that cannot be known and a table by parameter
-- parameter: env = prod
-- reads: prod_raw.full prod_raw.delta
-- writes: mart.t
INSERT INTO mart.t
{% if params.full_refresh %}SELECT * FROM {{ params.env }}_raw.full{% else %}SELECT * FROM {{ env }}_raw.delta WHERE d = '{{ ds }}'{% endif %}

--- placeholders of three kinds
-- parameter: schema = raw
-- reads: raw.o
-- unresolved: template 2
SELECT * FROM ${schema}.o WHERE d = :day AND k = %(k)s AND z = ?;
SELECT * FROM ${other}.o
