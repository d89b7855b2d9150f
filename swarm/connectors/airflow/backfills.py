"""The backfills of a DAG, paused and unpaused; a paused one keeps its runs queued."""

import json
from collections.abc import Iterator

from swarm.connectors.airflow.http import AirflowHttp
from swarm.connectors.http_answers import Contradicts, NotFound
from swarm.connectors.knobs import Look
from swarm.connectors.payloads import Payload
from swarm.model.intents import Carried


class Backfills:
    """Yields; the calls are those of the port in `swarm.connectors.knobs`. They block."""

    def __init__(self, http: AirflowHttp) -> None:
        self._http = http

    def look(self, dag_id: str, mark: str, turned: bool) -> Look:
        if self._http.major < 3:
            return Look("", Carried.REFUSED, "Airflow 2 has no backfills to pause")
        rows = list(self._open(dag_id))
        kept = _read(mark)
        if turned and (freed := [r for r in rows if r["id"] in kept and not r["is_paused"]]):
            return Look(mark, Carried.OVERRULED, f"a person unpaused backfill {freed[0]['id']}")
        kept += [int(row["id"]) for row in rows if row["id"] not in kept and not row["is_paused"]]
        if not kept:
            return Look("", Carried.NOT_NEEDED, "no backfill of it is under way")
        return Look(json.dumps(kept))

    def turn(self, mark: str) -> tuple[Carried, str]:
        for id_ in _read(mark):
            self._put(id_, "pause")
        return Carried.DONE, f"paused backfills: {mark}"

    def undo(self, mark: str, turned: bool) -> tuple[Carried, str]:
        freed = []
        for id_ in _read(mark):
            try:
                row = self._http.get(f"/backfills/{id_}")
            except NotFound:
                continue
            if row["is_paused"]:
                self._put(id_, "unpause")
            elif turned and not row.get("completed_at"):
                freed.append(id_)
        if freed:
            return Carried.OVERRULED, f"a person unpaused backfills {freed}"
        return Carried.DONE, f"unpaused backfills: {mark}"

    def _open(self, dag_id: str) -> Iterator[Payload]:
        for page in self._http.pages("/backfills", "backfills", {"dag_id": dag_id}):
            yield from (row for row in page["backfills"] if not row.get("completed_at"))

    def _put(self, id_: int, what: str) -> None:
        try:
            self._http.write("PUT", f"/backfills/{id_}/{what}", {})
        except (Contradicts, NotFound):
            return  # it has ended


def _read(mark: str) -> list[int]:
    return [int(id_) for id_ in json.loads(mark)] if mark else []
