"""The process is stopped before and after each call of a login, and each call's answer is lost: nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.aftermath import log_in_after
from tests.faults.aws_faults import FAULTS
from tests.faults.broker_faults import AT, EVERYWHERE
from tests.faults.brokers import Endpoint, FaultyBrokers
from tests.faults.journey import Journey
from tests.faults.line import Aim, Point, Scope
from tests.faults.scene import Scene, scene
from tests.faults.stories import STORIES, Moment, Story

ALWAYS = 99


def crashes() -> Iterator[object]:
    for story in STORIES:
        for moment in Moment:
            for point in story.points():
                yield pytest.param(story, moment, point, id=f"{story.title}, {moment} {point}")


def meet(place: Scene, moment: Moment, point: Point) -> None:
    match moment:
        case Moment.BEFORE:
            place.line.stop_before = point
        case Moment.AFTER:
            place.line.stop_after = point
        case Moment.LOST if point.operation in Endpoint.__members__:
            place.brokers.meet(Endpoint[point.operation], EVERYWHERE["reset after"], times=1)
        case Moment.LOST:
            lost = FAULTS["read timeout, carried out"]
            place.line.aim = Aim(point, Scope.CALL, lost.fault, lost.seconds)


def begin(place: Scene, story: Story) -> Journey:
    if story.broken is not None:
        endpoint, name = story.broken
        place.brokers.meet(endpoint, AT[endpoint][name], times=ALWAYS)
    return Journey(place, story.broker, declines=story.declines)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.title)
def test_calls_are_all_known(story: Story, brokers: FaultyBrokers) -> None:
    with scene(brokers) as place:
        journey = begin(place, story)
        for request in story.requests:
            request(journey)
        assert place.line.journal == list(story.points())


@pytest.mark.parametrize(("story", "moment", "point"), list(crashes()))
def test_crash(story: Story, moment: Moment, point: Point, brokers: FaultyBrokers) -> None:
    with scene(brokers) as place:
        journey = begin(place, story)
        meet(place, moment, point)
        for request in story.requests:
            stops = place.stops
            status = request(journey).status
            if place.stops > stops or status == "503":
                place.line.mend()
                request(journey)
        assert place.stops == (moment is not Moment.LOST), "the process was to be stopped once"
        place.line.mend()
        brokers.mend()
        journey.declines = False
        log_in_after(journey, story.again)
