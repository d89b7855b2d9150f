"""What a stream promises, on every database."""

import itertools
import signal
from collections import Counter

import pytest

from swarm.errors import Conflict, StoreError, Trimmed
from swarm.model.journal import Entry

_PROGRAM = """
import sys
from pathlib import Path
from swarm.model.graph import PipelineGone
from swarm.model.keys import PipelineKey
from swarm.store.journal import open_journal

url, folder, name, batch, count = sys.argv[1:]
stream = open_journal(url, Path(folder)).open(name)
for number in range(int(count)):
    batch_of = [PipelineGone(PipelineKey(name, f"{number}.{i}")) for i in range(int(batch))]
    print(stream.append(batch_of, float(number), f"cause-{number}"), flush=True)
"""


def test_every_record_type_comes_back_as_it_was(store, build):
    records = build.one_of_each()
    stream = store.journal().open("graph")
    assert stream.append(records, 12.5, "cause-1") == len(records)
    expected = [
        Entry("graph", seq, 12.5, "cause-1", record) for seq, record in enumerate(records, 1)
    ]
    assert store.journal().read("graph", 0, 10_000) == expected


def test_seq_counts_from_one_without_gaps_over_appends_and_writers(store, build):
    stream = store.journal().open("graph")
    assert stream.last() == 0
    lasts = [stream.append([build.evidence(n)] * size, 1.0, "") for n, size in enumerate((1, 3, 2))]
    assert lasts == [1, 4, 6]
    again = store.journal().open("graph")
    assert again.append([build.evidence(9)], 2.0, "") == 7
    assert [entry.seq for entry in store.journal().read("graph", 0, 100)] == [*range(1, 8)]


def test_an_empty_append_writes_nothing(store, build):
    stream = store.journal().open("graph")
    stream.append([build.evidence(1)], 1.0, "")
    assert stream.append([], 2.0, "") == 1
    assert stream.last() == 1


def test_reading_in_pages_gives_every_entry_once(store, build):
    journal = store.journal()
    journal.open("graph").append([build.evidence(n) for n in range(10)], 1.0, "")
    pages = []
    after = 0
    while page := journal.read("graph", after, 4):
        pages.append(page)
        after = page[-1].seq
    assert [len(page) for page in pages] == [4, 4, 2]
    assert [entry.seq for entry in itertools.chain(*pages)] == [*range(1, 11)]


def test_a_stream_nobody_opened_is_empty_and_is_not_made_by_reading(store):
    journal = store.journal()
    assert journal.read("graph", 0, 10) == []
    assert journal.snapshot("graph") is None
    assert journal.trimmed("graph") == 0
    assert journal.streams() == ()


@pytest.mark.parametrize(
    "name", ["connector:airflow-eu", "../up", ".", "Graph", "a b/ü%41", "x.db"]
)
def test_streams_keep_their_names_and_do_not_meet(store, build, name):
    journal = store.journal()
    journal.open("graph").append([build.evidence(1)], 1.0, "")
    journal.open(name).append([build.evidence(2), build.evidence(3)], 1.0, "")
    assert set(store.journal().streams()) == {"graph", name}
    assert [entry.record for entry in store.journal().read(name, 0, 10)] == [
        build.evidence(2),
        build.evidence(3),
    ]
    if store.folder.exists():
        assert {path.parent for path in store.folder.rglob("*.db")} == {store.folder / "streams"}


def test_an_overtaken_writer_is_refused_and_writes_nothing(store, build):
    first = store.journal().open("graph")
    first.append([build.evidence(1)], 1.0, "")
    second = store.journal().open("graph")
    assert second.epoch == first.epoch + 1
    with pytest.raises(Conflict, match="graph"):
        first.append([build.evidence(2)], 2.0, "")
    with pytest.raises(Conflict, match="graph"):
        first.save_snapshot(1, [])
    with pytest.raises(Conflict, match="graph"):
        first.trim(2)
    assert second.last() == 1
    assert store.journal().snapshot("graph") is None
    assert second.append([build.evidence(3)], 3.0, "") == 2
    records = [entry.record for entry in store.journal().read("graph", 0, 10)]
    assert records == [build.evidence(1), build.evidence(3)]


def test_opening_one_stream_leaves_the_writers_of_others_alone(store, build):
    journal = store.journal()
    graph = journal.open("graph")
    journal.open("connector:a")
    journal.open("connector:a")
    assert graph.append([build.evidence(1)], 1.0, "") == 1


def test_snapshot_and_tail_replay_to_the_state_of_a_full_replay(store, build):
    def replay(records):
        return Counter(record.pipeline.key for record in records)

    journal = store.journal()
    stream = journal.open("graph")
    history = [build.pipeline(n % 7) for n in range(60)]
    for start in range(0, 60, 20):
        stream.append(history[start : start + 20], 1.0, "")
        if start == 20:
            stream.save_snapshot(40, iter(history[:40]))
            stream.trim(41)
    seq, _, records = journal.snapshot("graph")
    tail = [entry.record for entry in store.journal().read("graph", seq, 100)]
    assert seq == 40
    assert replay(records + tail) == replay(history)


def test_every_record_type_survives_a_snapshot(store, build):
    stream = store.journal().open("graph")
    stream.append([build.evidence(1)], 8.0, "")
    stream.save_snapshot(1, build.one_of_each())
    snapshot = store.journal().snapshot("graph")
    assert (snapshot.seq, snapshot.at_s, snapshot.records) == (1, 8.0, build.one_of_each())


def test_a_snapshot_never_goes_back_or_ahead(store, build):
    stream = store.journal().open("graph")
    stream.append([build.evidence(n) for n in range(4)], 1.0, "")
    stream.save_snapshot(3, [build.evidence(3)])
    stream.save_snapshot(2, [build.evidence(2)])
    assert store.journal().snapshot("graph") == (3, 1.0, [build.evidence(3)])
    with pytest.raises(StoreError, match="ends at 4"):
        stream.save_snapshot(5, [])
    assert store.journal().snapshot("graph") == (3, 1.0, [build.evidence(3)])


def test_trim_drops_only_what_the_snapshot_covers(store, build):
    journal = store.journal()
    stream = journal.open("graph")
    stream.append([build.evidence(n) for n in range(10)], 1.0, "")
    stream.trim(8)
    assert len(journal.read("graph", 0, 100)) == 10
    stream.save_snapshot(6, [])
    stream.trim(4)
    assert journal.trimmed("graph") == 3
    assert [entry.seq for entry in journal.read("graph", 3, 100)] == [*range(4, 11)]
    stream.trim(100)
    assert journal.trimmed("graph") == 6
    stream.trim(2)
    assert journal.trimmed("graph") == 6
    assert [entry.seq for entry in journal.read("graph", 6, 100)] == [7, 8, 9, 10]
    assert stream.append([build.evidence(1)], 1.0, "") == 11


def test_a_reader_behind_the_trimmed_part_is_told(store, build):
    journal = store.journal()
    stream = journal.open("graph")
    stream.append([build.evidence(n) for n in range(5)], 1.0, "")
    stream.save_snapshot(5, [])
    stream.trim(6)
    for after in (0, 4):
        with pytest.raises(Trimmed, match="graph"):
            journal.read("graph", after, 10)
    assert journal.read("graph", 5, 10) == []


def test_two_processes_append_to_different_streams(store, start_python):
    names = ("connector:a", "graph")
    writers = [start_python(_PROGRAM, store.url, str(store.folder), n, "3", "60") for n in names]
    for writer in writers:
        writer.wait(timeout=300)
    for name in names:
        entries = store.journal().read(name, 0, 1_000)
        assert [entry.record.pipeline.name for entry in entries] == [
            f"{number}.{i}" for number in range(60) for i in range(3)
        ]
        assert {entry.record.pipeline.orchestrator for entry in entries} == {name}


@pytest.mark.parametrize("acknowledged", [1, 40])
def test_a_killed_writer_loses_nothing_acknowledged_and_leaves_nothing_half(
    store, start_python, acknowledged
):
    batch = 50
    writer = start_python(_PROGRAM, store.url, str(store.folder), "graph", str(batch), "1000000")
    promised = [int(writer.stdout.readline()) for _ in range(acknowledged)][-1]
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split()  # acknowledged before it died, read after
    promised = int(rest[-1]) if rest else promised

    journal = store.journal()
    stream = journal.open("graph")
    last = stream.last()
    assert last in (promised, promised + batch)  # the one in flight is there whole or not at all
    entries = journal.read("graph", 0, last + 1)
    assert [entry.seq for entry in entries] == [*range(1, last + 1)]
    assert [entry.record.pipeline.name for entry in entries] == [
        f"{n}.{i}" for n in range(last // batch) for i in range(batch)
    ]
    assert stream.append([entries[0].record], 0.0, "") == last + 1
