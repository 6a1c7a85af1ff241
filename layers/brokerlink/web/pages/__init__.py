"""The web pages: each function gives a whole HTML document, and escapes whatever is passed to it.

Only the page of `connected` contains the word "connected". An href that is neither http(s) nor a path on this
origin is a ValueError.
"""

from brokerlink.web.pages.outcome import confirm, connected, ended, unfinished, waiting
from brokerlink.web.pages.problem import failed, in_place, notice
from brokerlink.web.pages.start import BrokerLink, home, own_link, post_form

__all__ = [
    "BrokerLink",
    "confirm",
    "connected",
    "ended",
    "failed",
    "home",
    "in_place",
    "notice",
    "own_link",
    "post_form",
    "unfinished",
    "waiting",
]
