import pytest

from stack import Stack


@pytest.fixture(scope="module")
def stack():
    """One engine and gateway for a module; tests use names of their own."""
    with Stack() as running:
        yield running
