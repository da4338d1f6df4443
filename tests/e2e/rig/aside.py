"""Stories that are mostly waiting, told one after the other beside other tests."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from rig.installation import Installation
from sandbox.servers import Kafka, MongoDB

Story = Callable[[Installation], Awaitable[None]]
LONGEST = 300.0


def without(variable: str) -> dict[str, str]:
    """The environment in which a server is ours, not the one that the variable names."""
    return {name: value for name, value in os.environ.items() if name != variable}


class Aside:
    """Begins at once; `told` waits for one story's end."""

    def __init__(self, folder: Path, services: Sequence[str], stories: Sequence[Story]) -> None:
        self._folder = folder
        self._services = services
        self._ends = {story: asyncio.get_running_loop().create_future() for story in stories}
        self._task = asyncio.create_task(self._tell_all(), name="aside")

    async def told(self, story: Story) -> None:
        """Raises what the story raised."""
        async with asyncio.timeout(LONGEST):
            await asyncio.shield(self._ends[story])

    async def stop(self) -> None:
        """Ends what is not told yet; what is told to its end puts its servers away by itself."""
        if not all(end.done() for end in self._ends.values()):
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for end in self._ends.values():
            end.cancel()

    async def _tell_all(self) -> None:
        try:
            async with (
                Kafka(self._folder / "kafka", environ=without(Kafka.variable)) as kafka,
                MongoDB(self._folder / "mongodb", environ=without(MongoDB.variable)) as mongodb,
                Installation(kafka, mongodb, self._folder / "services") as installation,
            ):
                await installation.start(*self._services)
                for story, end in self._ends.items():
                    await story(installation)
                    end.set_result(None)
        except Exception as error:
            for end in self._ends.values():
                if not end.done():
                    end.set_exception(error)
