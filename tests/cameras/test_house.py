"""A house of cameras from several sources: what one cannot give does not hide what the others have."""

from collections.abc import Sequence
from typing import cast

import pytest

from ringlight.cameras import Camera, House
from ringlight.errors import RingError, fault_error

pytestmark = pytest.mark.anyio


class Named:
    """Stands for a camera: only its name matters here."""

    def __init__(self, name: str) -> None:
        self.name = self.id = name


class Source:
    """Cameras made by hand."""

    problems: Sequence[RingError] = ()

    def __init__(self, *names: str, fails: str | None = None) -> None:
        self.known = [cast(Camera, Named(name)) for name in names]
        self.fails = fails

    async def cameras(self) -> list[Camera]:
        if self.fails is not None:
            raise fault_error(self.fails)
        return self.known

    async def camera(self, name: str) -> Camera:
        for camera in await self.cameras():
            if camera.id == name:
                return camera
        raise fault_error("CAM-UNKNOWN", name)


async def code_of(house: House, name: str) -> str:
    with pytest.raises(RingError) as caught:
        await house.camera(name)
    return f"{caught.value.code} {caught.value.detail or ''}".strip()


async def test_cameras_are_listed_in_the_order_of_their_sources() -> None:
    house = House(Source("door", "yard"), Source("gate"))
    assert [camera.name for camera in await house.cameras()] == ["door", "yard", "gate"]
    assert (await house.camera("gate")).name == "gate"
    assert await code_of(house, "attic") == "CAM-UNKNOWN asked for 'attic'; known: door, yard, gate"
    assert house.problems == ()


async def test_a_source_that_fails_is_a_problem_beside_the_others_cameras() -> None:
    house = House(Source(fails="AUTH-LINK-LOST"), Source("gate"))
    assert [camera.name for camera in await house.cameras()] == ["gate"]
    assert [problem.code for problem in house.problems] == ["AUTH-LINK-LOST"]
    assert (await house.camera("gate")).name == "gate"
    assert await code_of(house, "attic") == "AUTH-LINK-LOST", "it may be one of those that cannot be listed"


async def test_what_a_source_had_a_moment_ago_stays_on_the_list_while_it_fails() -> None:
    """A list flickers for no passing failure; who watches is told what is wrong."""
    door = Source("door")
    house = House(door, Source("gate"))
    await house.cameras()
    door.fails = "NET-DNS"
    assert [camera.name for camera in await house.cameras()] == ["door", "gate"]
    assert house.problems == ()


async def test_a_camera_is_opened_while_its_source_fails_in_passing() -> None:
    """Its view says what is wrong and tries again, where a refusal at the door would be the end of it."""
    door = Source("door")
    house = House(door, Source("gate"))
    door.fails = "RING-RATE"
    assert await code_of(house, "door") == "RING-RATE", "it was never listed"
    door.fails = None
    await house.cameras()
    door.fails = "RING-RATE"
    assert (await house.camera("door")).name == "door"
    assert await code_of(house, "attic") == "RING-RATE", "it may be new"
    door.fails = "AUTH-SIGNED-OUT"
    assert await code_of(house, "door") == "AUTH-SIGNED-OUT", "trying again would not help"


async def test_one_that_was_found_by_name_is_found_again_while_its_source_fails_in_passing() -> None:
    """Nobody has to have listed them: a server without a page never does."""
    door = Source("door", "yard")
    house = House(door)
    assert (await house.camera("door")).name == "door"
    door.fails = "RING-RATE"
    assert (await house.camera("door")).name == "door"
    assert await code_of(house, "yard") == "RING-RATE", "nobody has seen it yet"
    with pytest.raises(RingError):
        await house.cameras()  # one is no list


async def test_an_empty_source_does_not_hide_that_the_other_fails() -> None:
    house = House(Source(fails="AUTH-SIGNED-OUT"), Source())
    with pytest.raises(RingError) as caught:
        await house.cameras()
    assert caught.value.code == "AUTH-SIGNED-OUT"


async def test_where_all_fail_the_first_says_why() -> None:
    house = House(Source(fails="AUTH-SIGNED-OUT"), Source(fails="NET-DNS"))
    with pytest.raises(RingError) as caught:
        await house.cameras()
    assert caught.value.code == "AUTH-SIGNED-OUT"


async def test_an_empty_house_has_no_cameras_and_no_problem() -> None:
    house = House()
    assert await house.cameras() == []
    assert await code_of(house, "door") == "CAM-UNKNOWN asked for 'door'; known: none"


async def test_problems_of_a_house_within_a_house_are_told() -> None:
    inner = House(Source(fails="NET-DNS"), Source("gate"))
    house = House(Source("door"), inner)
    assert [camera.name for camera in await house.cameras()] == ["door", "gate"]
    assert [problem.code for problem in house.problems] == ["NET-DNS"]
