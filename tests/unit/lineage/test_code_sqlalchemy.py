"""What SQLAlchemy's statements and sessions touch."""

from textwrap import indent

import pytest

from swarm.lineage.code.entry import extract_code
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import UnresolvedReason

CONTEXT = CodeContext({}, SqlContext("", "w"), {})
HEAD = """
import pandas as pd
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, create_engine, func
from sqlalchemy import delete, insert, select, table, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, mapped_column, relationship

metadata = MetaData()
dwh = MetaData(schema="dwh")
orders = Table("orders", metadata, Column("id", Integer), schema="sales")
daily = Table("daily", dwh, Column("id", Integer))
plain = Table("plain", metadata, autoload_with=engine)


class Base(DeclarativeBase):
    pass


class Customers(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders = relationship("Orders")


class Visits(Base):
    __tablename__ = "visits"
    __table_args__ = (ForeignKey("x"), {"schema": "web"})
    id = Column(Integer)


class Reports(Base):
    __table__ = Table("reports", dwh)


class Guests(Customers):
    pass


class DwhBase(DeclarativeBase):
    metadata = dwh


class Stock(DwhBase):
    __tablename__ = "stock"


class Shaped(Base):
    __tablename__ = "shaped"
    __table_args__ = {"schema": "dwh"}
"""

CASES = [
    ("conn.execute(select(orders))", {"read sales.orders"}),
    ("conn.execute(select(orders.c.id, daily.c.id))", {"read sales.orders", "read dwh.daily"}),
    (
        "conn.execute(select(orders).join(plain, orders.c.id == 1))",
        {"read sales.orders", "read plain"},
    ),
    ("conn.execute(orders.select().where(orders.c.id == 1))", {"read sales.orders"}),
    ("conn.execute(insert(orders).values(id=1))", {"write sales.orders"}),
    ("conn.execute(insert(orders), [{'id': 1}])", {"write sales.orders"}),
    ("conn.execute(orders.insert().values(id=1))", {"write sales.orders"}),
    (
        "conn.execute(daily.insert().from_select(['id'], select(orders.c.id)))",
        {"write dwh.daily", "read sales.orders"},
    ),
    ("conn.execute(update(plain).values(id=2).where(plain.c.id == 1))", {"write plain"}),
    ("conn.execute(plain.update().values(id=2))", {"write plain"}),
    ("conn.execute(delete(plain).where(plain.c.id.in_([1])))", {"write plain"}),
    (
        "conn.execute(delete(plain).where(plain.c.id.in_(select(orders.c.id))))",
        {"write plain", "read sales.orders"},
    ),
    ("conn.execute(plain.delete())", {"write plain"}),
    (
        "stmt = upsert(daily).values(id=1)\nconn.execute(stmt.on_conflict_do_nothing())",
        {"write dwh.daily"},
    ),
    ("conn.execute(select(func.sum(orders.c.id)))", {"read sales.orders"}),
    ("inner = select(orders).subquery()\nconn.execute(select(inner))", {"read sales.orders"}),
    ("inner = select(orders).cte('x')\nconn.execute(select(inner.c.id))", {"read sales.orders"}),
    ("conn.execute(select(table('t', schema='s')))", {"read s.t"}),
    ("conn.scalar(select(orders.c.id))", {"read sales.orders"}),
    ("pd.read_sql(select(orders), conn)", {"read sales.orders"}),
    ("session.execute(select(Customers))", {"read customers"}),
    ("session.scalars(select(Customers.id)).all()", {"read customers"}),
    ("session.scalars(select(Customers.name)).all()", {"read customers"}),
    ("session.execute(select(aliased(Visits)))", {"read web.visits"}),
    ("session.execute(insert(Visits).values(id=1))", {"write web.visits"}),
    ("session.execute(select(Reports), {})", {"read dwh.reports"}),
    ("session.execute(select(Guests.id))", {"read customers"}),
    ("session.execute(select(Stock))", {"read dwh.stock"}),
    ("session.execute(select(Shaped))", {"read dwh.shaped"}),
    ("session.query(Customers).filter_by(id=1).all()", {"read customers"}),
    ("session.query(Customers.id, Visits.id).all()", {"read customers", "read web.visits"}),
    ("session.query(Customers).join(Visits).all()", {"read customers", "read web.visits"}),
    ("Session(engine).query(Customers).first()", {"read customers"}),
    ("session.query(Visits).delete()", {"write web.visits"}),
    ("session.query(Visits).filter_by(id=1).update({'id': 2})", {"write web.visits"}),
    (
        "session.query(Visits).join(Customers).delete()",
        {"write web.visits", "read customers"},
    ),
    (
        "session.query(Visits).all()\nsession.query(Visits).delete()",
        {"read web.visits", "write web.visits"},
    ),
    (
        "session.query(Visits).delete()\nsession.query(Visits).all()",
        {"read web.visits", "write web.visits"},
    ),
    ("session.get(Customers, 1)", {"read customers"}),
    ("session.add(Customers(id=1))", {"write customers"}),
    ("one = Customers(id=1)\none.name = 'x'\nsession.add(one)", {"write customers"}),
    ("session.add_all([Customers(id=i) for i in range(3)])", {"write customers"}),
    ("session.merge(Visits(id=1))", {"write web.visits"}),
    ("session.bulk_insert_mappings(Visits, [{'id': 1}])", {"write web.visits"}),
    ("session.delete(session.get(Visits, 1))", {"read web.visits"}),
    ("metadata.create_all(engine)", set()),
    ("select(orders)", set()),
    ("found = set()\nfound.add(Customers(id=1))", set()),
    ("print(Customers.id, orders.c.id)", set()),
]


@pytest.mark.parametrize(("code", "expected"), CASES, ids=[code for code, _ in CASES])
def test_statement(code: str, expected: set[str]):
    source = f"{HEAD}\n\ndef main(conn, session, engine):\n{indent(code, '    ')}\n"
    found = extract_code({"job.py": source}, "job.py:main", CONTEXT)
    assert {f"{t.access} {t.dataset.name}" for t in found.touches} == expected
    assert found.unresolved == ()


def test_the_server_is_that_of_the_session():
    context = CodeContext({"LAKE": SqlContext("postgres", "postgres://lake:5432")}, SqlContext())
    source = HEAD + (
        "def main(LAKE):\n"
        "    with Session(create_engine(LAKE)) as session:\n"
        "        session.add(Customers())\n"
        "        session.execute(select(orders))\n"
    )
    found = extract_code({"job.py": source}, "job.py:main", context)
    assert [str(t.dataset) for t in found.touches] == [
        "postgres://lake:5432/customers",
        "postgres://lake:5432/sales.orders",
    ]


def test_a_mapped_class_with_a_base_that_is_not_given_says_enough():
    source = (
        "from company.db import Base\n"
        "from sqlalchemy import select\n"
        "class Orders(Base):\n"
        "    __tablename__ = 'orders'\n"
        "def main(session):\n"
        "    session.execute(select(Orders).where(Orders.id.in_([1])))\n"
    )
    found = extract_code({"job.py": source}, "job.py:main", CONTEXT)
    assert [t.dataset.name for t in found.touches] == ["orders"]
    assert found.unresolved == ()


def test_tables_of_another_module():
    models = "from sqlalchemy import Table, MetaData\norders = Table('orders', MetaData('x'))\n"
    job = "import models, sqlalchemy as s\ndef main(c):\n    c.execute(s.select(models.orders))\n"
    found = extract_code({"job.py": job, "models.py": models}, "job.py:main", CONTEXT)
    assert [t.dataset.name for t in found.touches] == ["orders"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("from models import Orders\ndef main(s):\n    s.query(Orders)", "missing_source"),
        ("from sqlalchemy import select\ndef main(s, x):\n    s.execute(select(x))", "dynamic"),
        (
            "from sqlalchemy import Table, insert\ndef main(s, x):\n"
            "    s.execute(insert(Table(x, None)))",
            "dynamic",
        ),
    ],
)
def test_a_table_that_is_not_known_is_reported(code: str, reason: str):
    found = extract_code({"job.py": code}, "job.py:main", CONTEXT)
    assert found.touches == ()
    assert [u.reason for u in found.unresolved] == [UnresolvedReason(reason)]
