"""moto in this process: the engine of `make run`, and what other engines lack."""

import itertools
from collections.abc import Iterable
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from local import moto_shortcuts
from local.transactions import SerialisedTransactions

moto_shortcuts.install()

# moto keeps its state per process and account: an account of its own keeps each engine's resources apart.
_ACCOUNTS = itertools.count(100_000_000_000)


class Moto:
    """WSGI application: moto's services, in an account of their own that starts empty."""

    def __init__(self) -> None:
        self.account = str(next(_ACCOUNTS))
        self._moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
        self._dynamodb = SerialisedTransactions(self._moto)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one call, whose `wsgi.input` holds all of its body."""
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = self.account
        operation = environ.get("HTTP_X_AMZ_TARGET", "")
        if not operation.startswith("DynamoDB"):
            return self._moto(environ, start_response)
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = BytesIO(body)
        return self._dynamodb(environ, start_response, operation, body)
