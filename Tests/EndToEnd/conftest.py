import pytest

from stack import Stack


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="rewrites the golden files of kubectl_golden with what is printed now")


@pytest.fixture(scope="module")
def stack():
    """One engine and gateway for a module; tests use names of their own."""
    with Stack() as running:
        yield running
