"""What connectors write of themselves is read once, from the beginning or from a snapshot."""

from swarm.actors.connector_streams import ConnectorStreams
from swarm.model.connectors import ConnectorChanged, ConnectorState, CursorMoved
from swarm.store.journal import open_journal

DOWN = ConnectorChanged("air", "airflow", ConnectorState.UNAVAILABLE, "no answer")
UP = ConnectorChanged("air", "airflow", ConnectorState.OK, "")


def test_each_record_is_told_once_with_its_time(tmp_path):
    journal = open_journal("", tmp_path)
    streams = ConnectorStreams(journal, ["air", "dag"])
    assert list(streams.news()) == []
    writer = journal.open("connector:air")
    writer.append([DOWN], 5.0, "c")
    assert list(streams.news()) == [(5.0, DOWN)]
    writer.append([UP], 7.0, "c")
    assert list(streams.news()) == [(7.0, UP)]
    assert list(streams.news()) == []


def test_who_begins_late_or_falls_behind_begins_with_the_snapshot(tmp_path):
    journal = open_journal("", tmp_path)
    writer = journal.open("connector:air")
    behind = ConnectorStreams(journal, ["air"])
    writer.append([UP], 1.0, "c")
    assert list(behind.news()) == [(1.0, UP)]
    moved = [CursorMoved("air", str(number)) for number in range(5)]
    seq = writer.append([*moved, DOWN], 5.0, "c")
    writer.save_snapshot(seq, [DOWN])
    writer.trim(seq)
    late = ConnectorStreams(journal, ["air"])
    for streams in (late, behind):
        told = [*streams.news(), *streams.news()]
        assert [record for _, record in told] == [DOWN]
