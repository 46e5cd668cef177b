"""Models whose validators are made at their first use."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Annotated

from pydantic import Field

from crm_core.model.shaped import Shaped
from hub.http.api import OPERATIONS

THREADS = 8


def shapes(of: type[Shaped] = Shaped) -> Iterator[type[Shaped]]:
    for each in of.__subclasses__():
        yield each
        yield from shapes(each)


def test_every_declaration_makes_a_validator() -> None:
    assert OPERATIONS
    for each in tuple(shapes()):
        each.model_rebuild()
        assert each.__pydantic_complete__, each


def test_an_import_makes_hardly_any() -> None:
    counted = (
        "import hub.app; from tests.unit.crm_core.test_shaped import shapes;"
        "print(len([each for each in shapes() if each.__pydantic_complete__]), len(list(shapes())))"
    )
    done = subprocess.run([sys.executable, "-c", counted], capture_output=True, text=True, check=True)
    made, declared = map(int, done.stdout.split())
    assert made * 10 < declared


def test_threads_that_use_one_at_once_all_get_its_own_validator() -> None:
    for _ in range(20):

        class Bounded(Shaped):
            number: Annotated[int, Field(ge=1)]

        together = Barrier(THREADS)

        def read(turn: int, form: type[Bounded] = Bounded, together: Barrier = together) -> int:
            together.wait()
            return form.model_validate({"number": turn + 1}).number

        with ThreadPoolExecutor(THREADS) as pool:
            assert list(pool.map(read, range(THREADS))) == [turn + 1 for turn in range(THREADS)]
