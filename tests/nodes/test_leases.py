"""Who holds a camera: one node at a time, whatever dies, hangs or is cut off. Told without a network."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from lease_nodes import STEP, Node, Nodes, Redis

from ringlight.nodes.leases import AGAIN, BEAT, LASTS

CAMERAS = ("door", "yard")


def ready(*names: str, alone_for: float = 600.0) -> Nodes:
    nodes = Nodes(*names, alone_for=alone_for)
    nodes.pass_time(2 * STEP)
    return nodes


def test_the_first_who_asks_gets_a_camera_and_the_next_is_told_where_it_is() -> None:
    nodes = ready("a", "b")
    a, b = nodes.all["a"], nodes.all["b"]
    one = a.want("door")
    nodes.pass_time(0.3)
    other = b.want("door")
    nodes.pass_time(0.3)
    assert one in a.views
    holder = b.refused[other].holder
    assert holder is not None
    assert (b.refused[other].code, holder.url) == ("CAM-ELSEWHERE", "/a")


def test_a_second_view_of_the_same_node_needs_no_question() -> None:
    nodes = ready("a")
    a = nodes.all["a"]
    first = a.want("door")
    nodes.pass_time(0.3)
    second = a.want("door")
    assert second in a.views, "while the first one closes, the next may open"
    a.close(first)
    assert not a.asked, "it is still held"
    a.close(second)
    nodes.pass_time(0.3)
    assert nodes.redis is not None
    assert nodes.redis.holders["door"][1] == "-"


def test_who_asks_twice_before_redis_answers_gets_both_by_one_question() -> None:
    nodes = ready("a")
    a = nodes.all["a"]
    both = {a.want("door"), a.want("door")}
    assert len(a.asked) == 1
    nodes.pass_time(0.3)
    assert a.views.keys() == both


def test_a_node_that_dies_is_followed_within_the_life_of_its_lease_by_a_higher_token() -> None:
    nodes = ready("a", "b")
    nodes.all["a"].want("door")
    nodes.pass_time(1)
    before = nodes.tokens["door"]
    nodes.kill("a")
    b, waited = nodes.all["b"], 0.0
    while not b.views:
        b.want("door")
        nodes.pass_time(2 * STEP)
        waited += 2 * STEP
    assert waited <= LASTS + 3 * STEP
    assert nodes.tokens["door"] > before


def test_a_node_that_leaves_hands_its_cameras_over_at_once() -> None:
    nodes = ready("a", "b")
    a, b = nodes.all["a"], nodes.all["b"]
    number = a.want("door")
    nodes.pass_time(1)
    nodes.leave("a")
    assert a.ended == {number: "CAM-MOVED"}
    nodes.pass_time(2 * STEP)
    b.want("door")
    nodes.pass_time(2 * STEP)
    assert nodes.with_view("door") == ["b"]
    refused = a.want("yard")
    assert a.refused[refused].code == "NODE-LEAVING"


def test_without_redis_everybody_goes_on_with_what_they_have_and_says_so() -> None:
    nodes = ready("a", "b")
    a, b = nodes.all["a"], nodes.all["b"]
    a.want("door")
    nodes.pass_time(2)
    nodes.redis = None
    nodes.pass_time(60)
    assert (a.told, b.told) == ([False, True], [False, True])
    assert nodes.with_view("door") == ["a"]
    elsewhere = b.want("door")
    assert b.refused[elsewhere].code == "CAM-ELSEWHERE", "the other node goes on as this one does"
    b.want("yard")
    assert nodes.with_view("yard") == ["b"], "what nobody is known to have is opened"
    nodes.redis = Redis()  # it comes back empty
    nodes.pass_time(AGAIN + BEAT)
    assert (a.told, b.told) == ([False, True, False], [False, True, False])
    assert {camera: node for camera, (_, node) in nodes.redis.holders.items()} == {"door": "a", "yard": "b"}
    assert nodes.longest == 0


def test_of_two_that_opened_the_same_without_redis_one_gives_way_when_it_is_back() -> None:
    nodes = ready("a", "b")
    a, b = nodes.all["a"], nodes.all["b"]
    nodes.redis = None
    nodes.pass_time(2)
    a.want("door")
    b.want("door")
    assert nodes.with_view("door") == ["a", "b"]
    nodes.redis = Redis()
    nodes.pass_time(AGAIN + 2 * STEP)
    assert len(nodes.with_view("door")) == 1
    assert list({**a.ended, **b.ended}.values()) == ["CAM-MOVED"]


def test_a_node_without_redis_stops_when_its_time_alone_is_over() -> None:
    nodes = ready("a", alone_for=10.0)
    a = nodes.all["a"]
    number = a.want("door")
    nodes.pass_time(2)
    nodes.redis = None
    nodes.pass_time(9)
    assert number in a.views
    nodes.pass_time(LASTS + 1)
    assert a.ended == {number: "NODE-ALONE"}
    refused = a.want("yard")
    assert a.refused[refused].code == "NODE-ALONE"
    nodes.redis = Redis()
    nodes.pass_time(1)
    a.want("yard")
    nodes.pass_time(1)
    assert nodes.with_view("yard") == ["a"]


def test_a_node_that_was_frozen_gives_way_as_soon_as_it_wakes() -> None:
    nodes = ready("a", "b", alone_for=0.0)
    a, b = nodes.all["a"], nodes.all["b"]
    number = a.want("door")
    nodes.pass_time(1)
    a.is_paused = True
    nodes.pass_time(LASTS + 1)
    b.want("door")
    nodes.pass_time(1)
    a.is_paused = False
    nodes.pass_time(BEAT)
    assert a.ended == {number: "CAM-MOVED"}
    assert nodes.with_view("door") == ["b"]


def test_the_answer_to_an_old_question_ends_nothing_that_was_given_since() -> None:
    nodes = ready("a", "b")
    a, b = nodes.all["a"], nodes.all["b"]
    first = a.want("door")
    nodes.pass_time(1)
    a.is_paused = True
    nodes.pass_time(LASTS + 1)
    taken = b.want("door")
    nodes.pass_time(2 * STEP)
    a.is_paused = False
    a.step()  # asks whether the door is still its own; the answer, that it is not, is on its way
    assert a.answers
    late = a.answers.popleft()
    a.close(first)
    b.close(taken)
    nodes.pass_time(2 * STEP)
    again = a.want("door")
    nodes.pass_time(2 * STEP)
    a.feed(late)
    assert again in a.views


class Trouble(RuleBasedStateMachine):
    """Everything goes wrong in any order."""

    alone_for = 20.0

    def __init__(self) -> None:
        super().__init__()
        self.nodes = Nodes("a", "b", "c", alone_for=self.alone_for)
        self.started = 3

    def node(self, data: Any) -> Node:
        found: Node = data.draw(st.sampled_from(sorted(self.nodes.all.values(), key=lambda node: node.name)))
        return found

    @rule(data=st.data(), camera=st.sampled_from(CAMERAS))
    def want(self, data: Any, camera: str) -> None:
        self.node(data).want(camera)

    @rule(data=st.data())
    def close(self, data: Any) -> None:
        node = self.node(data)
        if node.views:
            node.close(data.draw(st.sampled_from(sorted(node.views))))

    @rule(tenths=st.integers(1, 40))
    def pass_time(self, tenths: int) -> None:
        self.nodes.pass_time(tenths * STEP)

    @rule(data=st.data(), on=st.booleans())
    def cut(self, data: Any, on: bool) -> None:
        self.node(data).is_cut = on

    @rule(data=st.data(), on=st.booleans())
    def pause(self, data: Any, on: bool) -> None:
        self.node(data).is_paused = on

    @precondition(lambda self: len(self.nodes.all) > 1)
    @rule(data=st.data(), leaves=st.booleans())
    def end(self, data: Any, leaves: bool) -> None:
        node = self.node(data)
        if leaves:
            self.nodes.leave(node.name)
            node.step()
        self.nodes.kill(node.name)
        self.started += 1
        self.nodes.all[f"n{self.started}"] = Node(f"n{self.started}", self.nodes)

    @rule(on=st.booleans())
    def redis(self, on: bool) -> None:
        if not on:
            self.nodes.redis = None
        elif self.nodes.redis is None:
            self.nodes.redis = Redis()

    @invariant()
    def two_have_the_same_camera_for_no_longer_than_allowed(self) -> None:
        assert self.nodes.longest <= self.alone_for + LASTS + BEAT + 5 * STEP

    def teardown(self) -> None:
        """All is well again: soon one node has each camera, and all agree on which."""
        nodes = self.nodes
        nodes.redis = nodes.redis or Redis()
        for node in nodes.all.values():
            node.is_cut = node.is_paused = False
        nodes.pass_time(LASTS + 2 * BEAT)
        for camera in CAMERAS:
            having = nodes.with_view(camera)
            assert len(having) <= 1
            for node in nodes.all.values():
                holder = node.rules.others.get(camera)
                assert (holder.node if holder else None) == (having[0] if having and having[0] != node.name else None)
                assert not node.rules.alone


class Strict(Trouble):
    """Rather none than two. A Redis that has lost all, or a node that slept, is noticed with the next sign of life."""

    alone_for = 0.0

    @invariant()
    def two_have_the_same_camera_for_no_longer_than_allowed(self) -> None:
        assert self.nodes.longest <= BEAT + AGAIN + 3 * STEP


TestTrouble = Trouble.TestCase
TestStrict = Strict.TestCase
TestTrouble.settings = TestStrict.settings = settings(max_examples=50, stateful_step_count=40)


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_signs_of_life_may_be_lost(lost: int) -> None:
    """Up to three in a row end nothing: nobody else gets the camera."""
    nodes = ready("a", "b")
    a, b = nodes.all["a"], nodes.all["b"]
    a.want("door")
    nodes.pass_time(1)
    a.is_cut = True
    nodes.pass_time((lost - 0.5) * BEAT)
    asked = b.want("door")
    nodes.pass_time(2 * STEP)
    assert b.refused[asked].code == "CAM-ELSEWHERE"
    a.is_cut = False
    nodes.pass_time(BEAT)
    assert nodes.with_view("door") == ["a"]
    assert not a.ended
