"""Who tells the hand of a module what to do."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.hands.beside import HandProcess, Teller


@pytest.fixture
async def teller(hand: HandProcess) -> AsyncIterator[Teller]:
    async with hand.told() as teller:
        yield teller
