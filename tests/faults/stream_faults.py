"""All that goes wrong between the stream and announce, as a table: each comes to one of two things."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults.line import Handover

HANDOVERS: Mapping[str, Handover] = {
    "refused": Handover.NOT_MADE,
    "connect timeout": Handover.NOT_MADE,
    "reset before": Handover.NOT_MADE,
    "4xx": Handover.NOT_MADE,
    "429": Handover.NOT_MADE,
    "5xx": Handover.NOT_MADE,
    "read timeout": Handover.ANSWER_LOST,
    "reset after": Handover.ANSWER_LOST,
    "slow drip": Handover.ANSWER_LOST,
    "HTML": Handover.ANSWER_LOST,
    "truncated": Handover.ANSWER_LOST,
    "oversized": Handover.ANSWER_LOST,
    "not JSON": Handover.ANSWER_LOST,
    "wrong types": Handover.ANSWER_LOST,
}
