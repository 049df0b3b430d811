import pytest

from kmi.errors import ConfigError
from kmi.space.engine import writer_from
from kmi.writers.openai_server import OpenAIServerWriter
from kmi.writers.retrieval import RetrievalWriter


def test_work_is_done_in_one_loop_whoever_asks(engine):
    import asyncio

    async def loop():
        return asyncio.get_running_loop()

    assert engine.run(loop()) is engine.run(loop())


def test_a_fault_reaches_who_asked(engine):
    async def fails():
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        engine.run(fails())


def test_the_environment_chooses_the_writer():
    assert isinstance(writer_from({}), RetrievalWriter)
    server = writer_from({"KMI_SPACE_WRITER": "openai", "KMI_SPACE_BASE_URL": "http://127.0.0.1:9/v1", "KMI_SPACE_MODEL": "m"})
    assert isinstance(server, OpenAIServerWriter)
    with pytest.raises(ConfigError, match="writer among"):
        writer_from({"KMI_SPACE_WRITER": "nonsense"})
