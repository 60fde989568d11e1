"""The event loop of the asynchronous tests."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the only loop that the product uses."""
    return "asyncio"
