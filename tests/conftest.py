"""For all tests."""
import pytest


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """What tandem-model keeps for another time stays out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
