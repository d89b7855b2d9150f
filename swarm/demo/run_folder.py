"""What one run of the lab has on disk: a warehouse, a lake of files, the pipelines' source, and the
audit of what they touch."""

import json
import shutil
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

from swarm.demo import cron, postgres_warehouse, sqlite_warehouse
from swarm.demo.processes import LabError, Processes, Site
from swarm.demo.warehouse import Database, Warehouse, fill_lake

_DEMO = Path(str(resources.files("swarm.demo")))
_PIPELINES = _DEMO / "pipelines"
AIRFLOW, DAGSTER, PREFECT, CRON = "airflow", "dagster", "prefect", "cron"
_SERVERS = (AIRFLOW, DAGSTER, PREFECT)


class RunFolder:
    """At `path`; there is nothing before `make`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._warehouse: Warehouse | None = None

    @property
    def warehouse(self) -> Warehouse:
        if self._warehouse is None:
            raise LabError("The lab is not running; use it inside `with Lab(...) as lab:`.")
        return self._warehouse

    @property
    def crontab(self) -> Path:
        return self.path / "crontab"

    @property
    def catalog(self) -> Path:
        return self.path / "catalog.jsonl"

    @property
    def audit(self) -> Path:
        return self.path / "audit.jsonl"

    @property
    def code(self) -> tuple[Path, ...]:
        """Checkouts of the pipelines' source; cron's scripts are found from the crontab."""
        return tuple(self._code(name) for name in _SERVERS)

    def make(self, database: Database, processes: Processes, edit: Callable[[str], str]) -> None:
        """Anew, whatever was there; `edit` is what becomes of the text of each pipeline's source.
        The warehouse may need a server, which is one of the `processes`."""
        shutil.rmtree(self.path, ignore_errors=True)
        (self.path / "logs").mkdir(parents=True)
        fill_lake(self._lake)
        tables = _PIPELINES / "warehouse"
        warehouse: Warehouse = (
            sqlite_warehouse.create(self.path, tables, self.catalog)
            if database == "sqlite"
            else postgres_warehouse.create(processes, self.path, tables, self.catalog)
        )
        self._warehouse = warehouse

        def write(source: str, target: str) -> None:
            text = edit(Path(source).read_text(encoding="utf-8"))
            Path(target).write_text(warehouse.translate(text), encoding="utf-8")

        for name in (*_SERVERS, CRON):
            shutil.copytree(
                _PIPELINES / name,
                self._code(name),
                ignore=shutil.ignore_patterns("__pycache__", "crontab"),
                copy_function=write,
            )
        crontab = (_PIPELINES / CRON / "crontab").read_text(encoding="utf-8")
        cron.install(self.path, warehouse.translate(crontab), warehouse.programs())

    def close(self) -> None:
        """Remove what may not stay; the files do."""
        if self._warehouse is not None:
            self._warehouse.close()

    def site(self, name: str, programs: Path) -> Site:
        """Where the orchestrator of this name lives, with the variables of the pipelines'
        processes: theirs, then the audit's."""
        env: Mapping[str, str] = {
            **self.warehouse.variables(),
            "PYTHONPATH": str(_DEMO / "audit"),
            "LAB_AUDIT": str(self.audit),
            "LAB_LAKE": str(self._lake),
        }
        return Site(programs, self.path / "home" / name, self._code(name), self.path, env)

    def touched(self) -> list[str]:
        """The audit of the runs so far: a JSON line per task, access and table or file. Raises
        `LabError` where it missed something."""
        errors = Path(f"{self.audit}.errors")
        if errors.exists():
            raise LabError(f"The audit missed something:\n{errors.read_text()[:2000]}")
        scripts = map(cron.script, cron.commands(self.crontab.read_text(encoding="utf-8")))
        tables = self.warehouse.touched(frozenset(scripts))
        return [*self.audit.read_text(encoding="utf-8").splitlines(), *tables]

    def _code(self, name: str) -> Path:
        return self.path / "code" / name

    @property
    def _lake(self) -> Path:
        return self.path / "lake"


def decoys() -> tuple[Mapping[str, str], ...]:
    """What looks like a dependency and is none: `name`, `place`, `why`."""
    return tuple(json.loads((_PIPELINES / "decoys.json").read_text(encoding="utf-8")))
