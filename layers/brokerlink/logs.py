"""Keeps the libraries that write requests and answers to the log away from every log."""

import logging

# urllib3 logs each request's path with its query at DEBUG and in some warnings; botocore logs the bodies of
# its requests and answers at DEBUG, among them a KMS plaintext.
WIRE_LOGGERS = ("boto3", "botocore", "http.client", "urllib3")

_NOWHERE = logging.NullHandler()


def silence_wire_loggers() -> None:
    """Disconnect the loggers of the HTTP and AWS libraries from the root logger.

    After this no level set on the root logger, and no handler added to it, brings a line of theirs into a
    log. Their failures reach us as exceptions. May be called any number of times.
    """
    for name in WIRE_LOGGERS:
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.WARNING)
        # Without a handler of its own, a logger that does not propagate falls back to printing on stderr.
        logger.addHandler(_NOWHERE)
