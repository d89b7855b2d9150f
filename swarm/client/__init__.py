"""The Python SDK: the HTTP API as functions. It needs nothing of swarm but a URL and a token.

`Client` waits for each answer, `AsyncClient` is the same for asyncio. What both do is told in
`calls/` (requests and the shapes of answers), `steps.py` (sending again, paging), `hearing.py`
(events) and `running.py` (submit, wait, follow), none of which does any I/O.
"""

from swarm.client.awaited import AsyncClient as AsyncClient
from swarm.client.calls.tasks import LIVE as LIVE
from swarm.client.calls.tasks import NewTask as NewTask
from swarm.client.connected import Client as Client
from swarm.client.errors import ApiError as ApiError
from swarm.client.errors import Busy as Busy
from swarm.client.errors import CallFailed as CallFailed
from swarm.client.errors import Conflict as Conflict
from swarm.client.errors import Forbidden as Forbidden
from swarm.client.errors import Gone as Gone
from swarm.client.errors import Invalid as Invalid
from swarm.client.errors import NotFound as NotFound
from swarm.client.errors import Unauthorized as Unauthorized
from swarm.client.errors import Unavailable as Unavailable
from swarm.client.errors import Unreachable as Unreachable
from swarm.client.place import local as local
