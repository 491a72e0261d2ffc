"""A site with both stored volumes kept, for a whole module: what pages say about volumes changes none."""

from collections.abc import Iterator

import pytest

from tests import stored_volumes
from tests.ledgers import prepare
from tests.web_steps import Site


@pytest.fixture(scope="module", name="site")
def with_both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site") / "var")
    prepare(made.engine)
    stored_volumes.keep_both(made.settings.volumes)
    stored_volumes.note_all(made.engine, made.settings.volumes)
    yield made
    made.close()
