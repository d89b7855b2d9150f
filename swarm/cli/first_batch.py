"""Whether a source can be read: what its first batch holds."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swarm.config import Settings, Source


async def tried(source: "Source", settings: "Settings") -> dict[str, Any]:
    """What the first batch of a source holds, or why there is none."""
    import asyncio

    from swarm.connectors.registry import connect
    from swarm.errors import SwarmError

    row: dict[str, Any] = {"name": source.instance, "ok": False}
    try:
        connector = connect(source, settings)
        try:
            async with asyncio.timeout(2 * source.timeout_s):
                batch = await anext(connector.observe(None), None)
        finally:
            await connector.close()
    except SwarmError as error:
        return row | {"found": str(error)}
    except TimeoutError:
        return row | {"found": f"no answer within {2 * source.timeout_s:g} s"}
    items = 0 if batch is None else len(batch.items)
    return row | {"ok": True, "found": f"answers; {items} items in the first batch"}
