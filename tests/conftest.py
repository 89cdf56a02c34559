import pytest
from hypothesis import settings

# The machines that run these tests are shared: how long an example takes says nothing.
settings.register_profile("vhsbatch", deadline=None, max_examples=60)
settings.load_profile("vhsbatch")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
