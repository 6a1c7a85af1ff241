"""How an answer gets onto its connection: as it should, or as a fault has it."""

import socket
import struct
import threading
from dataclasses import dataclass
from enum import Enum

from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

DRIP_SECONDS = 1.0
"""The pause after each dripped byte."""

_NO_CONTENT = {204, 304}


class Manner(Enum):
    """The ways of delivering an answer."""

    WHOLE = "whole"
    NEVER = "never"
    RESET = "reset"
    DRIP_HEADERS = "drip headers"
    DRIP_BODY = "drip body"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response and how it is delivered; NEVER and RESET deliver nothing of it."""

    response: Response
    manner: Manner = Manner.WHOLE


def deliver(
    answer: Answer,
    request: Request,
    connection: socket.socket,
    *,
    keep_alive: bool,
    closing: threading.Event,
) -> bool:
    """Writes the answer; returns whether the connection can carry another request.

    Returns early once `closing` is set. Raises `OSError` when the client is gone.
    """
    response, manner = answer.response, answer.manner
    if manner is Manner.NEVER:
        _hold(connection)
        return False
    if manner is Manner.RESET:
        _reset(connection)
        return False
    keep_alive = keep_alive and manner is Manner.WHOLE
    body = b"" if request.method == "HEAD" or response.status_code in _NO_CONTENT else response.get_data()
    length = max(len(body), 1) if manner is Manner.TRUNCATED else len(response.get_data())
    head = _head(response, length=length, keep_alive=keep_alive)
    match manner:
        case Manner.DRIP_HEADERS:
            _drip(connection, head + body, closing)
        case Manner.DRIP_BODY:
            connection.sendall(head)
            _drip(connection, body, closing)
        case Manner.TRUNCATED:
            connection.sendall(head + body[: len(body) // 2])
        case _:
            connection.sendall(head + body)
    return keep_alive


def _head(response: Response, *, length: int, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {response.status}", f"Date: {http_date()}"]
    lines += [f"{name}: {value}" for name, value in response.headers if name != "Content-Length"]
    if response.status_code not in _NO_CONTENT:
        lines.append(f"Content-Length: {length}")
    if not keep_alive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _hold(connection: socket.socket) -> None:
    """Waits until the client gives up or the server, when it closes, shuts the connection down."""
    connection.settimeout(None)
    while connection.recv(4096):
        pass


def _reset(connection: socket.socket) -> None:
    """Closes with a RST: lingering for no time throws away what is unsent instead of sending a FIN after it.

    The descriptor is taken out of the socket object, whose own close would wait for the files opened on it
    and would be preceded by an orderly shutdown.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.socket(fileno=connection.detach()).close()


def _drip(connection: socket.socket, data: bytes, closing: threading.Event) -> None:
    for index in range(len(data)):
        connection.sendall(data[index : index + 1])
        if closing.wait(DRIP_SECONDS):
            return
