"""The process of a hand. It starts no Ray and knows no journal: it has to outlive both."""

import asyncio
import contextlib
from pathlib import Path

import uvicorn

from swarm import secret
from swarm.clock import SystemClock
from swarm.config import Settings, Source
from swarm.connectors.registry import knobs_of
from swarm.errors import ConfigError
from swarm.hands.app import create_app
from swarm.hands.file import IntentFile
from swarm.hands.hand import Hand

_TOKEN_MIN = 20
_KEPT_S = 75  # longer than a client keeps a connection it does not use: it ends them, not the hand


def source_of(settings: Settings) -> Source:
    """The one source of a hand's settings. Raises `ConfigError`."""
    if len(settings.sources) != 1:
        raise ConfigError(
            f"a hand turns the knobs of one source, and `sources` has {len(settings.sources)}: "
            "give each its own settings file and its own credentials."
        )
    return settings.sources[0]


def file_of(settings: Settings) -> Path:
    """Where the hand of these settings remembers."""
    return settings.state_dir / f"hand-{source_of(settings).instance}.db"


def run(settings: Settings) -> None:
    """Be the hand of the settings' one source until SIGTERM. Nothing is turned back at the end:
    what stands runs out by the next process, or by the orchestrator itself."""
    source, token = source_of(settings), _Token(settings)
    knobs = knobs_of(source, settings)
    file = IntentFile(file_of(settings))
    hand = Hand(knobs, file, SystemClock())
    place = settings.hand
    config = uvicorn.Config(
        create_app(hand, token.now, source.instance),
        host=place.host,
        port=place.port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=_KEPT_S,
    )

    async def serve() -> None:
        server = uvicorn.Server(config)
        work = asyncio.create_task(hand.run())
        work.add_done_callback(lambda _: setattr(server, "should_exit", True))
        await server.serve()
        if work.done():
            work.result()  # raises what ended it
        work.cancel()
        await knobs.close()

    try:
        asyncio.run(serve())
    finally:
        file.close()


class _Token:
    """The hand's token: what its file holds now, or held last where it cannot be used now. Raises
    `ConfigError` where it could not at the start."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = _token(settings)

    def now(self) -> str:
        with contextlib.suppress(ConfigError):
            self._known = _token(self._settings)
        return self._known


def _token(settings: Settings) -> str:
    at = settings.hand.token_file
    if at is None:
        raise ConfigError("`hand.token_file` is not set: a file with `openssl rand -hex 32`.")
    token = secret.read(at, "hand.token_file")
    if len(token) < _TOKEN_MIN:
        raise ConfigError(f"hand.token_file: {at}: a token has {_TOKEN_MIN} characters at least.")
    return token
