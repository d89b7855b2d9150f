"""What `GET /profile` answers."""

from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.pipelines import Pipeline, Task
from swarm.model.runs import Run, RunState, TaskRun

KEY, TASK = PipelineKey("airflow", "a"), TaskKey("airflow", "a", "t")
GOOD, BAD = RunState.SUCCEEDED, RunState.FAILED
DAY_S = 86_400.0


async def test_a_pipeline_is_told_with_its_tasks(api):
    runs = [
        Run(KEY, str(n), BAD if n == 3 else GOOD, n * DAY_S, n * DAY_S + 60.0, n * DAY_S + 90.0)
        for n in range(1, 5)
    ]
    tries = [
        TaskRun(TASK, "1", 1, BAD, DAY_S + 65.0, DAY_S + 70.0),
        TaskRun(TASK, "1", 2, GOOD, DAY_S + 75.0, DAY_S + 85.0),
    ]
    await api.offer(Pipeline(KEY, (Task(TASK),)), *runs, *tries)
    for name in ("a", "airflow/a/t"):
        found = await api.get("profile", name=name)
        assert found["pipeline"] == "airflow/a"
        assert (found["runs"], found["failed"], found["failure_rate"]) == (4, 1, 0.25)
        assert found["took"] == {"p50_s": 30.0, "p90_s": 30.0}
        assert found["late"] == {"p50_s": 60.0, "p90_s": 60.0}
        [task] = found["tasks"]
        assert (task["task"], task["tries"], task["failure_rate"]) == ("t", 2, 0.5)
        assert (task["runs"], task["retried"]) == (1, 1)
        assert task["took"] == {"p50_s": 10.0, "p90_s": 10.0}
        assert task["after"] == {"p50_s": 5.0, "p90_s": 5.0}


async def test_without_runs_all_is_null_and_an_unknown_name_is_refused(api):
    await api.offer(Pipeline(KEY, (Task(TASK),)))
    found = await api.get("profile", name="a")
    assert (found["runs"], found["failure_rate"], found["took"], found["tasks"]) == (
        0,
        None,
        None,
        [],
    )
    await api.get("profile", 404, name="airflow/nobody")
