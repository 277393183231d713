"""moto as a server that answers one request at a time: moto_server.py HOST PORT, run by moto's Python.

moto_server itself has threads, and moto compares and stores in two steps: with If-Match, two writers of the same
moment both succeed, and one update of a few thousand is lost by the server."""

import io
import logging
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple


class OneAtATime:
    def __init__(self, app):
        self.app, self.lock = app, threading.Lock()

    def __call__(self, environ, start_response):
        # Whoever sends slowly keeps nobody waiting.
        if not environ.get("wsgi.input_terminated"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
        with self.lock:
            reply = self.app(environ, start_response)
            try:
                return [b"".join(reply)]
            finally:
                if hasattr(reply, "close"):
                    reply.close()


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = DomainDispatcherApplication(create_backend_app)
    run_simple(sys.argv[1], int(sys.argv[2]), OneAtATime(moto), threaded=True, request_handler=MotoRequestHandler)
