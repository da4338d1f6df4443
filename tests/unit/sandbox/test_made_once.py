"""What is fetched or prepared once per user: whole, by one of those who want it at the same time."""

import threading
import time
from contextlib import suppress
from pathlib import Path

from sandbox.servers import java


def test_what_is_made_once_is_made_by_one_and_whole_for_all(tmp_path: Path) -> None:
    folder, makers, seen = tmp_path / "once", [], []

    def make(number: int) -> None:
        with java.made_once(folder) as filling:
            if filling is not None:
                makers.append(number)
                (filling / "first").touch()
                time.sleep(0.1)
                (filling / "second").touch()
        seen.append(sorted(file.name for file in folder.iterdir()))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(makers) == 1
    assert seen == [["first", "second"]] * 3


def test_what_was_interrupted_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "once"
    with suppress(InterruptedError), java.made_once(folder) as filling:
        assert filling is not None
        (filling / "half").touch()
        raise InterruptedError
    assert not folder.exists()
    with java.made_once(folder) as filling:
        assert filling is not None
        assert not list(filling.iterdir())
    assert folder.exists()
