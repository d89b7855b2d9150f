"""Tasks over HTTP: handed in, followed, cancelled."""

import json
from dataclasses import replace

from swarm.api.task_schemas import TaskStory
from swarm.dispatch.events import (
    Acquire,
    Finish,
    Guide,
    Hold,
    Propose,
    Register,
    Renew,
    WorkerLost,
)
from swarm.model.dispatch import AgentsWanted, Granted, Started, Submitted
from swarm.model.keys import PipelineKey
from swarm.model.outputs import Output, Printed
from swarm.model.plans import Because, Refused
from swarm.model.sides import Side, Sided
from swarm.model.work import (
    CapacityClass,
    LossCause,
    Offer,
    Outcome,
    Resources,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from swarm.store.stories import TaskRow, Told
from tests.unit.api.test_scaling import MADE, write

W, V = WorkerId("w"), WorkerId("v")


def offer(worker: WorkerId, node: str = "node") -> Register:
    return Register(Offer(worker, node, 2, Resources(cpu=2.0)))


def test_a_task_that_runs_tells_where_before_the_floor_does() -> None:
    """The floor in memory may not have come to what the row was read from."""
    submission = Submission(TaskId("a"), "data", "digest", submitted_at_s=1.0)
    story = [
        Told(1.0, Submitted(submission)),
        Told(2.0, Granted(Token(TaskId("a"), 1), W, 1)),
        Told(3.0, Started(Token(TaskId("a"), 1))),
    ]
    told = TaskStory.told(TaskRow((1.0, "a"), submission, "running"), story, None)
    assert (told.worker, told.waiting) == ("w", None)


async def test_a_task_and_its_story(api) -> None:
    body = {"tasks": [{"id": "a", "argv": ["true"], "env": {"SECRET": "x"}, "team": "data"}]}
    assert await api.post("tasks", body) == {"tasks": ["a"]}
    assert json.loads(api.deps.dispatch.bodies["a"])["env"] == {"SECRET": "x"}
    waits = await api.get("tasks/a")
    assert (waits["state"], waits["waiting"], waits["waiting_text"]) == (
        "queued",
        "no_worker",
        "there is no worker yet",
    )
    first, second = Token(TaskId("a"), 1), Token(TaskId("a"), 2)
    for event in (offer(W), offer(V), Acquire(W, 1), Renew(W, 1, (first,), (first,))):
        await api.happens(event)
    runs = await api.get("tasks/a")
    assert (runs["state"], runs["worker"], runs["waiting"]) == ("running", "w", None)
    for event in (WorkerLost(W, LossCause.PROCESS_EXIT), Acquire(V, 1)):
        await api.happens(event)
    await api.happens(Finish(second, Outcome.SUCCEEDED, "exit code 0"))
    ended = await api.get("tasks/a")
    assert (ended["state"], ended["grant"], ended["worker"]) == ("succeeded", 2, None)
    assert [line["text"] for line in ended["story"]] == [
        "handed in by team data",
        "grant 1 to w",
        "grant 1 runs",
        "grant 1 lost: process_exit",
        "may run again",
        "grant 2 to v",
        "succeeded under grant 2: exit code 0",
    ]
    assert "SECRET" not in json.dumps(ended)


async def test_what_stands_before_a_task(api) -> None:
    await api.happens(offer(W))
    await api.post("tasks", {"tasks": [{"id": n, "argv": ["x"], "team": "data"} for n in "abcd"]})
    await api.happens(Acquire(W, 1))
    told = await api.get("tasks/d/explain")
    assert (told["before"], told["waiting"]) == (1, "all_busy")
    assert told["teams"] == [{"team": "data", "share": 0.5, "waiting": 2}]
    assert told["workers"] == [{"worker": "w", "lacks": "its 2 slots are taken"}]
    assert (await api.get("tasks/x/explain", 404))["code"] == "unknown-key"


async def test_a_task_that_waits_for_a_fleet_that_may_not_grow_says_so(api) -> None:
    """Until nothing is planned any more; and what waits for an agent has no part in it."""
    ones = [{"id": name, "argv": ["x"]} for name in "abcd"]
    await api.happens(offer(W))
    await api.happens(Register(Offer(V, "agents", 1, Resources(cpu=1.0), capabilities=("mail",))))
    items = [{"id": name, "item": 1, "capability": "mail"} for name in "mn"]
    await api.post("tasks", {"tasks": [*ones, *items]})
    for worker in (W, V):
        await api.happens(Acquire(worker, 1))
    record = replace(MADE, moves=(Refused(Because.MOST_USD, 3, 1.0),))
    write(api, record)
    text = (
        "every worker that could run it is busy, and the budget allows no more money an hour "
        "(raise `most_usd_per_h`)"
    )
    for told in (await api.get("tasks/d"), await api.get("tasks/d/explain")):
        assert (told["waiting"], told["waiting_text"]) == ("most_usd", text)
    assert (await api.get("tasks/n"))["waiting"] == "all_busy"
    api.deps.plans = False
    for told in (await api.get("tasks/d"), await api.get("tasks/d/explain")):
        assert told["waiting"] == "all_busy"


async def test_a_task_of_a_held_pipeline_says_what_it_waits_for(api) -> None:
    part = {"pipeline": "prefect/nightly/main", "run": "r1", "queue_wait_max_s": 60.0}
    await api.post("tasks", {"tasks": [{"id": "a", "argv": ["x"], **part}]})
    key, load = PipelineKey("prefect", "nightly/main"), PipelineKey("airflow", "load")
    await api.happens(Guide((Hold(key, 30.0, "it is late", (load,)),)))
    text = "held: waits for airflow/load: it is late; until 00:17:10 UTC, unless that is put off"
    story = await api.get("tasks/a")
    assert (story["waiting"], story["waiting_text"]) == ("held", text)
    assert (await api.get("tasks/a/explain"))["waiting_text"] == text
    await api.happens(Guide())
    assert (await api.get("tasks/a"))["waiting"] == "no_worker"


async def test_where_a_task_comes_from_is_no_other_work(api) -> None:
    await api.post("tasks", {"tasks": [{"id": "a", "argv": ["x"]}]})
    part = {"pipeline": "airflow/load", "run": "r1"}
    await api.post("tasks", {"tasks": [{"id": "a", "argv": ["x"], **part}]})
    refused = {"tasks": [{"id": "b", "argv": ["x"], "pipeline": "load"}]}
    assert "pipeline" in str(await api.post("tasks", refused, 422))


async def test_a_call_and_its_result(api) -> None:
    call = {"path": "jobs.daily:load", "args": {"day": "2026-11-22"}}
    await api.post("tasks", {"tasks": [{"id": "a", "call": call}]})
    assert json.loads(api.deps.dispatch.bodies["a"])["call"] == call
    api.deps.result = {Token(TaskId("a"), 1): '{"rows": 3}'}.get
    for event in (offer(W), Acquire(W, 1)):
        await api.happens(event)
    assert (await api.get("tasks/a"))["result"] is None, "it has not returned yet"
    await api.happens(Finish(Token(TaskId("a"), 1), Outcome.SUCCEEDED, "returned"))
    assert (await api.get("tasks/a"))["result"] == {"rows": 3}


async def test_the_end_of_what_was_never_printed_is_known_at_once(api) -> None:
    """The clock of the test stands: nothing that is waited for comes to its end."""
    await api.post("tasks", {"tasks": [{"id": "a", "call": {"path": "jobs:load"}}]})
    for event in (offer(W), Acquire(W, 1)):
        await api.happens(event)
    await api.happens(Finish(Token(TaskId("a"), 1), Outcome.SUCCEEDED, "returned", silent=True))
    api.deps.output = lambda *_: Printed(complete=False)
    answer = await api.http.get("tasks/a/output")
    assert (answer.status_code, answer.text) == (200, "")


async def test_the_end_of_a_grant_that_is_over_is_not_waited_for(api) -> None:
    """Its worker is gone: no last words come. The clock of the test stands, as above."""
    await api.post("tasks", {"tasks": [{"id": "a", "argv": ["true"], "effects": "fenced"}]})
    first, second = Token(TaskId("a"), 1), Token(TaskId("a"), 2)
    for event in (offer(W), offer(V), Acquire(W, 1), Renew(W, 1, (first,), (first,))):
        await api.happens(event)
    for event in (WorkerLost(W, LossCause.PROCESS_EXIT), Acquire(V, 1)):
        await api.happens(event)
    await api.happens(Finish(second, Outcome.SUCCEEDED, "exit code 0"))
    api.deps.output = lambda *_: Printed(complete=False)
    answer = await api.http.get("tasks/a/output", params={"grant": 1})
    assert (answer.status_code, answer.text) == (200, "")


async def test_each_copy_of_a_grant_has_an_output_and_the_one_that_leads_is_told(api) -> None:
    task = {"id": "a", "argv": ["true"], "effects": "fenced"}
    await api.post("tasks", {"tasks": [task]})
    token, copies = Token(TaskId("a"), 1), Sided(TaskId("a"), 1, Side(CapacityClass.DEDICATED), "")
    for event in (offer(W), Acquire(W, 1), offer(V, "other"), Propose(copies=(copies,))):
        await api.happens(event)
    await api.happens(Acquire(V, 1))
    asked: list[Output] = []

    def kept(output: Output, offset: int, most: int) -> Printed:
        asked.append(output)
        return Printed(b"copy" if output.copy else b"first", 5)

    api.deps.output = kept
    said = (await api.http.get("tasks/a/output")).text
    second = (await api.http.get("tasks/a/output", params={"copy": True})).text
    assert (said, second) == ("first", "copy")
    await api.happens(WorkerLost(W, LossCause.PROCESS_EXIT))
    assert (await api.http.get("tasks/a/output")).text == "copy"
    assert (await api.http.get("tasks/a/output", params={"copy": False})).text == "first"
    assert {one.token for one in asked} == {token}
    assert (await api.get("tasks/a"))["outputs"] == [
        {"grant": 1, "worker": "w", "is_copy": False, "leads": False},
        {"grant": 1, "worker": "v", "is_copy": True, "leads": True},
    ]


async def test_a_task_is_one_program_or_one_call(api) -> None:
    for task, words in (
        ({}, "exactly one"),
        ({"argv": ["true"], "call": {"path": "a:b"}}, "exactly one"),
        ({"call": {"path": "no_function"}}, "call.path"),
        ({"call": {"path": "a:b", "args": [1]}}, "call.args"),
    ):
        refused = await api.post("tasks", {"tasks": [task]}, 422)
        assert words in refused["detail"], refused


async def test_tasks_are_listed_newest_first_in_pages(api) -> None:
    for number in range(5):
        api.clock.at_s = 1_000.0 + number
        await api.post("tasks", {"tasks": [{"id": f"t{number}", "argv": ["true"]}]})
    await api.post("tasks/t1/cancel", None, 200)
    seen, cursor = [], {}
    while True:
        page = await api.get("tasks", limit=2, **cursor)
        seen += [row["id"] for row in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == ["t4", "t3", "t2", "t1", "t0"]
    (only,) = (await api.get("tasks", state="cancelled"))["items"]
    assert only["id"] == "t1"


async def test_refusals(api) -> None:
    await api.post("tasks", {"tasks": [{"id": "a", "argv": ["true"]}]})
    refused = await api.post("tasks", {"tasks": [{"id": "a", "argv": ["false"]}]}, 409)
    assert refused["code"] == "different-body"
    assert (await api.post("tasks/x/cancel", None, 404))["code"] == "unknown-key"
    assert (await api.get("tasks/x", 404))["code"] == "unknown-key"
    assert (await api.post("workers/x/drain", None, 404))["code"] == "unknown-key"
    assert (await api.get("tasks", 400, cursor="nonsense"))["code"] == "bad-input"
    too_many = [{"argv": ["true"]}] * 10_001
    assert (await api.post("tasks", {"tasks": too_many}, 422))["code"] == "invalid-request"


async def test_a_reader_that_starts_later_sees_the_same(api) -> None:
    await api.happens(offer(W))
    await api.post("tasks", {"tasks": [{"id": f"t{n}", "argv": ["true"]} for n in range(4)]})
    await api.happens(Acquire(W, 1))
    await api.post("workers/w/drain", None, 200)
    (worker,) = await api.get("workers")
    assert (worker["worker"], worker["draining"], worker["cpu_used"]) == ("w", True, 2.0)
    assert worker["holds"] == ["t0", "t1"]
    api.deps.model.floor.check()


async def test_an_item_is_for_an_agent(api) -> None:
    item = {"id": "a", "item": {"table": "dwh.orders"}, "capability": "quality-check"}
    await api.post("tasks", {"tasks": [item]})
    assert json.loads(api.deps.dispatch.bodies["a"])["item"] == {"table": "dwh.orders"}
    for task, words in (
        ({"item": 1}, "set `capability`"),
        ({"item": 1, "argv": ["x"], "capability": "c"}, "exactly one"),
        ({"item": 1, "capability": "c", "timeout_s": 3}, "leave `timeout_s` out"),
    ):
        refused = await api.post("tasks", {"tasks": [task]}, 422)
        assert words in refused["detail"], refused


async def test_agents_are_wanted(api) -> None:
    body = {"path": "checks:Checker", "count": 2, "memory_bytes": 10}
    for _ in range(2):
        await api.post("agents", body)
    floor = api.deps.dispatch._dispatcher.floor
    assert list(floor.agents.values()) == [AgentsWanted("checks:Checker", 2, 10)]
    assert [r for r in floor.records() if isinstance(r, AgentsWanted)] == [*floor.agents.values()]
    await api.post("agents", body | {"count": 0})
    assert floor.agents == {}
    assert "path" in (await api.post("agents", {"path": "checks"}, 422))["detail"]
