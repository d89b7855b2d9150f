"""Agents: which ones swarm keeps alive."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from swarm.api.deps import Cause, Given
from swarm.api.roles import ROOT
from swarm.api.task_schemas import ImportPath
from swarm.dispatch.events import WantAgents
from swarm.model.dispatch import AgentsWanted

router = APIRouter(prefix=ROOT, tags=["agents"])


class AgentsBody(BaseModel):
    """Agents of one class that are to live; the last word on a class counts."""

    model_config = ConfigDict(extra="forbid")

    path: ImportPath = Field(description="`package.module:Class`, as imported from `cwd`.")
    count: int = Field(1, ge=0, le=1_000, description="How many; 0 ends them.")
    memory_bytes: int = Field(0, ge=0, description="Memory of each; over it, it dies. 0: any.")
    cwd: str = Field("", description="Folder to start in.")


@router.post("/agents", status_code=201)
async def want(body: AgentsBody, deps: Given, cause: Cause) -> None:
    """Keep so many agents of a class alive. They are seen among the workers."""
    wanted = AgentsWanted(body.path, body.count, body.memory_bytes, body.cwd)
    await deps.dispatch.tell(WantAgents(wanted), cause)
