"""Each change that was asked for has its row, in its transaction; what is meddled with shows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import text

from swarm.errors import Conflict
from swarm.model.access import Key, Role
from swarm.model.causes import asked_by, asked_cause, told_cause
from swarm.store import audit as module
from swarm.store.audit import _digest
from swarm.store.journal import Journal, Stream

HOLD = asked_cause("key:1", "POST /decisions/hold", "a1")
OTHER = asked_cause("o'neil: sub\n%", "POST /links", "a2")
TOLD = told_cause("key:2", "POST /push", "b1")


def rows(journal: Journal) -> list[tuple[str, int, str, int, int, str]]:
    return [
        (row.stream, row.no, row.asked_by, row.first_seq, row.last_seq, row.types)
        for row in reversed(journal.audit().rows(100))
    ]


def meddle(journal: Journal, statement: str, stream: str = "graph", **values: object) -> None:
    with journal._place.database(stream).writing() as connection:
        connection.execute(text(statement), values)


def wrong(journal: Journal, stream: str = "graph") -> str:
    return {verdict.stream: verdict.wrong for verdict in journal.audit().verify()}[stream]


@pytest.fixture
def journal(store) -> Journal:
    return store.journal()


@pytest.fixture
def stream(journal, build) -> Stream:
    """Five changes by one and two by another, between what swarm did by itself."""
    stream = journal.open("graph")
    for number in range(5):
        stream.append([build.evidence(number)] * 2, 10.0 + number, HOLD)
        stream.append([build.evidence(number)], 10.5 + number, "connector")
    stream.append([build.evidence(n) for n in range(4)], 20.0, [OTHER, TOLD, OTHER, OTHER])
    return stream


def test_who_asked_is_read_back_and_cannot_be_forged():
    asked = asked_by(OTHER)
    assert asked is not None
    assert asked.by == "o%27neil%3A sub%0A%25"
    assert asked_by(asked_cause("a:POST x:1", "y", "z")).by == "a%3APOST x%3A1"
    assert [asked_by(cause) for cause in (TOLD, "settings", "by:a", "of:a:b:c")] == [None] * 4


def test_what_was_asked_for_has_rows_and_nothing_else_has(journal, stream):
    told = rows(journal)
    assert told[0] == ("graph", 1, "key%3A1", 1, 2, "EvidenceSeen x2")
    assert told[4] == ("graph", 5, "key%3A1", 13, 14, "EvidenceSeen x2")
    assert told[5:] == [
        ("graph", 6, asked_by(OTHER).by, 16, 16, "EvidenceSeen"),
        ("graph", 7, asked_by(OTHER).by, 18, 19, "EvidenceSeen x2"),
    ]
    assert wrong(journal) == ""


def test_a_change_that_is_not_written_has_no_row(journal, stream, build):
    journal.open("graph")
    with pytest.raises(Conflict):
        stream.append([build.evidence(1)], 30.0, HOLD)
    second = journal.open("graph")

    def fails_behind_it() -> None:
        with second.together():
            second.append([build.evidence(1)], 30.0, HOLD)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_behind_it()
    assert len(rows(journal)) == 7
    assert wrong(journal) == ""


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE swarm_audit SET asked_by = 'ann' WHERE no = 3", "row 3 is not what was written"),
        ("UPDATE swarm_audit SET at_s = at_s + 1 WHERE no = 1", "row 1 is not what was written"),
        ("DELETE FROM swarm_audit WHERE no = 4", "row 4 is missing: row 5 follows"),
        ("DELETE FROM swarm_audit WHERE no = 1", "row 1 is missing: row 2 follows"),
        ("DELETE FROM swarm_audit WHERE no > 5", "record 16 has no row: rows behind row 5"),
        (
            "UPDATE swarm_audit SET digest = written WHERE no = 6",
            "row 6 is not what was written",
        ),
        (
            "UPDATE swarm_records SET body = replace(body, 'table_1', 'table_2') WHERE seq = 5",
            "row 2: records 4 to 5 are not what was written",
        ),
        ("DELETE FROM swarm_records WHERE seq = 14", "row 5: records 13 to 14 are not what"),
    ],
)
def test_what_is_meddled_with_is_named(journal, stream, statement, why):
    meddle(journal, statement)
    assert why in wrong(journal)


def test_a_row_that_is_forged_whole_breaks_the_next(journal, stream):
    second, third = journal.audit().rows(100)[-2:-4:-1]
    forged = replace(third, asked_by="ann")
    digest = _digest(second.digest, forged)
    change = "UPDATE swarm_audit SET asked_by = 'ann', digest = :digest WHERE no = 3"
    meddle(journal, change, digest=digest)
    assert wrong(journal).startswith("row 4 is not what was written, or the row before it is not")


def test_a_trimmed_journal_still_has_its_rows(journal, stream, build):
    stream.save_snapshot(8, [build.evidence(1)])
    stream.trim(8)
    assert wrong(journal) == ""
    assert len(rows(journal)) == 7
    meddle(journal, "UPDATE swarm_audit SET body = '{}' WHERE no = 1")
    assert "row 1 is not what was written" in wrong(journal)


def test_a_record_set_aside_is_a_change_and_no_meddling(journal, stream):
    by_ann = asked_cause("key:3", "POST /quarantine", "c")
    journal.quarantine("graph", 4, "ann", "a bug", 30.0, by_ann)
    assert rows(journal)[-1] == ("graph", 8, "key%3A3", 4, 4, "Quarantined")
    assert wrong(journal) == ""


def test_keys_have_a_chain_of_their_own(journal):
    keys = journal.keys()
    keys.add(Key("k1", "ann", frozenset({Role.VIEWER}), b"d", 1.0, "token", 9.0), HOLD)
    keys.add(
        Key("k2", "ann", frozenset({Role.VIEWER}), b"e", 2.0, "token", 9.0, replaces="k1"),
        OTHER,
        5.0,
    )
    for _ in range(2):  # the second changes nothing
        keys.revoke("k2", 3.0, HOLD)
    keys.used({"k1": 4.0})
    assert [row[1:] for row in rows(journal)] == [
        (1, "key%3A1", 0, 0, "KeyMade"),
        (2, asked_by(OTHER).by, 0, 0, "KeyMade"),
        (3, "key%3A1", 0, 0, "KeyRevoked"),
    ]
    assert wrong(journal, "keys") == ""
    assert [(key.id, key.expires_at_s, key.last_used_s) for key in keys.all()] == [
        ("k1", 5.0, 4.0),
        ("k2", 9.0, None),
    ]
    meddle(journal, "UPDATE swarm_audit SET body = 'x' WHERE no = 2", "keys")
    assert "row 2" in wrong(journal, "keys")


def test_pages_go_through_all_streams_once(journal, stream, build):
    other = journal.open("dispatch")
    for number in range(5):
        other.append([build.evidence(number)], 10.0 + number, OTHER)
    whole = journal.audit().rows(100)
    paged, before = [], None
    while found := journal.audit().rows(2, before):
        paged += found
        before = (found[-1].at_s, found[-1].stream, found[-1].no)
    assert paged == whole
    assert len(whole) == 12


def test_two_replicas_change_keys_at_the_same_time(store):
    together = Barrier(2)

    def change(replica: str) -> None:
        keys = store.journal().keys()
        together.wait(180)
        for number in range(40):
            id_ = f"{replica}{number}"
            keys.add(Key(id_, "ann", frozenset({Role.VIEWER}), b"d", 1.0, "token", 9.0), HOLD)

    with ThreadPoolExecutor() as replicas:
        list(replicas.map(change, "ab"))
    journal = store.journal()
    assert wrong(journal, "keys") == ""
    assert sorted(no for _, no, *_ in rows(journal)) == list(range(1, 81))


@pytest.fixture
def trimmed(journal, stream, build) -> Stream:
    """Of the five changes by one, the first three are gone: their records are, and they are old."""
    stream.save_snapshot(11, [build.evidence(1)])
    stream.trim(11)
    stream.trim_audit(100.0, 200.0)
    return stream


def verdict(journal: Journal, stream: str = "graph"):
    return {one.stream: one for one in journal.audit().verify()}[stream]


def test_old_rows_go_under_a_seal_and_the_rest_is_still_proven(journal, trimmed, build):
    assert [(row[1], row[2], row[5]) for row in rows(journal)] == [
        (4, "key%3A1", "EvidenceSeen x2"),
        (5, "key%3A1", "EvidenceSeen x2"),
        (6, asked_by(OTHER).by, "EvidenceSeen"),
        (7, asked_by(OTHER).by, "EvidenceSeen x2"),
        (8, "swarm", "AuditTrimmed"),
    ]
    found = verdict(journal)
    assert (found.wrong, found.rows, found.trimmed) == ("", 8, 3)
    trimmed.trim_audit(100.0, 201.0)  # no record of the others is trimmed: nothing changes
    assert verdict(journal) == found
    trimmed.append([build.evidence(9)], 300.0, HOLD)
    trimmed.save_snapshot(trimmed.last(), [build.evidence(1)])
    trimmed.trim(trimmed.last())
    trimmed.trim_audit(250.0, 400.0)
    assert [row[1] for row in rows(journal)] == [9, 10]
    found = verdict(journal)
    assert (found.wrong, found.rows, found.trimmed) == ("", 10, 8)


def test_what_is_not_old_stays(journal, stream, build):
    stream.save_snapshot(19, [build.evidence(1)])
    stream.trim(19)
    stream.trim_audit(12.0, 200.0)
    assert [row[1] for row in rows(journal)] == [3, 4, 5, 6, 7, 8]
    assert verdict(journal).wrong == ""


def test_no_more_rows_go_at_once_than_may(journal, stream, build, monkeypatch):
    monkeypatch.setattr(module, "_TRIMMED_MOST", 2)
    stream.save_snapshot(19, [build.evidence(1)])
    stream.trim(19)
    stream.trim_audit(100.0, 200.0)
    assert [row[1] for row in rows(journal)] == [3, 4, 5, 6, 7, 8]
    stream.trim_audit(100.0, 201.0)
    assert [row[1] for row in rows(journal)] == [5, 6, 7, 8, 9]
    assert (verdict(journal).wrong, verdict(journal).trimmed) == ("", 4)


def at(journal: Journal, stream: Stream, build, *times_s: float) -> list[int]:
    """Changes at these times, all of whose records but the last are trimmed."""
    for at_s in times_s:
        stream.append([build.evidence(1)], at_s, HOLD)
    stream.append([build.evidence(1)], times_s[-1], "connector")
    stream.save_snapshot(stream.last(), [build.evidence(1)])
    stream.trim(stream.last())
    return numbers(journal)


def numbers(journal: Journal) -> list[int]:
    return sorted(row[1] for row in rows(journal))


def test_what_a_clock_that_was_ahead_wrote_keeps_no_older_row_back(journal, build):
    stream = journal.open("graph")
    at(journal, stream, build, 10.0, 9_000.0, 11.0, 50.0, 9_001.0)
    stream.trim_audit(40.0, 100.0)
    assert numbers(journal) == [4, 5, 6]
    assert verdict(journal).wrong == ""


def test_what_a_clock_that_was_behind_wrote_takes_no_young_row_with_it(journal, build):
    stream = journal.open("graph")
    at(journal, stream, build, 10.0, 90.0, 1.0, 95.0)
    stream.trim_audit(40.0, 100.0)
    assert numbers(journal) == [2, 3, 4, 5]
    assert verdict(journal).wrong == ""


def test_a_clock_that_is_set_back_drops_nothing(journal, build):
    stream = journal.open("graph")
    before = at(journal, stream, build, 500.0, 600.0, 700.0)
    stream.trim_audit(-50.0, 10.0)
    assert numbers(journal) == before


def test_the_chain_of_the_keys_is_trimmed_too(journal):
    keys = journal.keys()
    keys.trim_audit(100.0, 200.0)  # there is none
    assert keys.last_change_s() is None
    for number in range(4):
        key = Key(f"k{number}", "ann", frozenset({Role.VIEWER}), b"d", 10.0 * number, "token", 90.0)
        keys.add(key, HOLD)
    assert keys.last_change_s() == 30.0
    keys.trim_audit(15.0, 200.0)
    assert [(row[1], row[5]) for row in rows(journal)] == [
        (3, "KeyMade"),
        (4, "KeyMade"),
        (5, "AuditTrimmed"),
    ]
    found = verdict(journal, "keys")
    assert (found.wrong, found.rows, found.trimmed) == ("", 5, 2)
    assert len(keys.all()) == 4
    meddle(journal, "DELETE FROM swarm_audit WHERE no = 3", "keys")
    assert wrong(journal, "keys").startswith("row 3 is missing")


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM swarm_audit WHERE no = 4", "row 4 is missing: row 5 follows"),
        ("DELETE FROM swarm_audit WHERE no = 8", "row 1 is missing: row 4 follows"),
        ("UPDATE swarm_audit SET no = 3 WHERE no = 4", "row 3 is there, but row 8 says"),
        ("UPDATE swarm_audit SET body = 'x' WHERE no = 8", "row 8 is not what was written"),
        (
            "UPDATE swarm_audit SET body = replace(body, '3', '4') WHERE no = 8",
            "row 4 is there, but row 8 says that it was trimmed",
        ),
        (
            "UPDATE swarm_audit SET body = replace(body, '\"up', '\"at_s\": 1, \"up') WHERE no = 8",
            "row 8 is not what was written",
        ),
        (
            "UPDATE swarm_audit SET body = replace(body, 'digest\": \"', 'digest\": \"0') "
            "WHERE no = 8",
            "row 4 is not what was written, or the row before it is not",
        ),
        ("UPDATE swarm_audit SET asked_by = 'ann' WHERE no = 5", "row 5 is not what was written"),
    ],
)
def test_behind_a_seal_what_is_meddled_with_is_named(journal, trimmed, statement, why):
    meddle(journal, statement.replace(":", "\\:"))
    assert why in wrong(journal)
