from threading import Thread

import pytest

from local.received import Received


def test_an_event_that_is_there_or_comes_is_given() -> None:
    received = Received()
    received.add('{"id": "1"}')
    assert received.wait_for(lambda event: event["id"] == "1") == {"id": "1"}
    sender = Thread(target=received.add, args=('{"id": "2"}',))
    sender.start()
    assert received.wait_for(lambda event: event["id"] == "2") == {"id": "2"}
    sender.join()
    assert received.events == ({"id": "1"}, {"id": "2"})


def test_an_event_that_does_not_come_is_an_error() -> None:
    with pytest.raises(TimeoutError, match="no such event among the 0 received"):
        Received().wait_for(lambda _: True, timeout=0.01)
