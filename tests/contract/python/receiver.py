"""Where callbacks and Event Grid events of the simulator come, and what waits for them. Nothing sleeps: a wait ends when the event is there."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from azure.core.messaging import CloudEvent

WAIT_S = 20


class Inbox:
    def __init__(self, port=0):
        self.all, self.changed = [], threading.Condition()
        inbox = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = inbox.take(json.loads(body), self.headers)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, one):
        with self.changed:
            self.all.append(one)
            self.changed.notify_all()

    def first(self, fits, what):
        """The first that fits, there already or still to come."""

        def found():
            return next((one for one in self.all if fits(one)), None)

        with self.changed:
            assert self.changed.wait_for(found, WAIT_S), f"{what} did not come; there was {self.all}"
            return found()


class Receiver(Inbox):
    """Callbacks of one application, as this client's documentation reads them."""

    def take(self, events, headers):
        [event] = events
        self.put((CloudEvent.from_dict(event), headers["Authorization"]))
        return b""

    def kinds(self):
        return [event.type.split(".")[-1] for event, _ in self.all]

    def next(self, kind, more=lambda data: True):
        def fits(one):
            return one[0].type == f"Microsoft.Communication.{kind}" and more(one[0].data)

        return self.first(fits, kind)[0].data


class EventGrid(Inbox):
    """The sink of Event Grid events."""

    def take(self, events, headers):
        [event] = events
        if headers["aeg-event-type"] == "SubscriptionValidation":
            return json.dumps({"validationResponse": event["data"]["validationCode"]}).encode()
        self.put(event)
        return b""

    def incoming(self, raw_id):
        def fits(event):
            return event["eventType"] == "Microsoft.Communication.IncomingCall" and event["data"]["to"]["rawId"] == raw_id

        return self.first(fits, f"IncomingCall of {raw_id}")["data"]


GRID = EventGrid(int(os.environ["ACS_EVENTGRID_PORT"]))
