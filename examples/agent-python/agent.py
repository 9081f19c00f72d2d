"""An agent with nothing but an HTTP client: answers what people say in a session.

Reads the session over SSE, leads a turn for each input, streams the answer as the body of one
request, and hears cancel and steer meanwhile. The standard library is all that it needs.
SESSION is the session's address, TOKEN a token with the role `agent` for it.
"""

import http.client
import json
import os
import queue
import threading
import time
import urllib.parse

SESSION = urllib.parse.urlsplit(os.environ["SESSION"])
TOKEN = os.environ["TOKEN"]
# So long after the last sign of life the session takes this process for dead (P6.8).
LEASE_MS = int(os.environ.get("LEASE_MS", "30000"))


def model(prompt, steers):
    """Stands for a model: gives an answer piece by piece, and minds what it is told meanwhile."""
    *earlier, question = [str(message["data"]) for message in prompt]
    for word in ["You", "said:", *question.split()]:
        if word == "recall":
            yield " / ".join(earlier) + " / "
        if word == "hmm":
            time.sleep(LEASE_MS / 500)  # Thinks for twice as long as its lease.
        if word == "fail":
            raise RuntimeError("the model has failed")
        for instruction in steers():
            yield f"[{instruction}] "
        time.sleep(0.02)
        yield word + " "


class Refused(Exception):
    """What the session refuses, with its code (P13.2)."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


def send(method, path, body=None, **headers):
    """One request on a connection of its own; gives the connection and the response."""
    https = SESSION.scheme == "https"
    connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = connect(SESSION.netloc, timeout=60)
    headers["authorization"] = f"Bearer {TOKEN}"
    connection.request(method, SESSION.path + path, body, headers, encode_chunked=True)
    return connection, connection.getresponse()


def post(path, body):
    """Sends a frame, or what stands for one (P12), and gives its result."""
    body = json.dumps(body).encode()
    connection, response = send("POST", path, body, **{"content-type": "application/json"})
    answer = json.loads(response.read())
    connection.close()
    if "error" in answer:
        raise Refused(answer["error"])
    return answer


def conversation(serial):
    """What the person sees who sent a message, and that message, the oldest first (P6.9)."""
    connection, response = send("GET", f"/messages?to={serial}&limit=100")
    page = json.loads(response.read())
    connection.close()
    if "error" in page:
        raise Refused(page["error"])
    return [it for it in reversed(page["messages"]) if it.get("data") is not None]


def frames():
    """Everything that the session tells, for ever: a cut is resumed where it was (P3.8)."""
    position = {}
    while True:
        try:
            _, events = send("GET", "/events?names=message&rewind=20", **position)
            if events.status != 200:
                raise SystemExit(f"unable to read the session; {events.read().decode()}")
            for line in events:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "id":
                    position = {"last-event-id": value}
                elif name == "data":
                    yield json.loads(value)
        except (OSError, http.client.HTTPException) as error:
            print(f"reading again; {error}", flush=True)
        time.sleep(1)


class Answer(threading.Thread):
    """One turn: one answer to one input (P6)."""

    def __init__(self, message):
        super().__init__()
        self.input = message
        # An id made from the input: whichever process begins it again finds it begun.
        self.turn = {"turn": f"answer-{message['serial']}"}
        self.cancelled = threading.Event()
        self.over = threading.Event()
        self.steers = queue.SimpleQueue()
        self.spoke_at = time.monotonic()

    def run(self):
        start = {"id": self.turn["turn"], "input": self.input["serial"], "leaseMs": LEASE_MS}
        result = post("/turns", start)
        if "duplicate" in result or result["turn"]["status"] != "active":
            return  # Answered already, or nobody wants an answer any more (P6.5).
        # What drives the turn says by which attempt it does (P6.8).
        self.turn["attempt"] = result["turn"]["attempt"]
        threading.Thread(target=self.beat, daemon=True).start()
        try:
            query = urllib.parse.urlencode({"stream": 1, "name": "answer", **self.turn})
            text = {"content-type": "text/plain", "transfer-encoding": "chunked"}
            connection, response = send("POST", f"/messages?{query}", self.pieces(), **text)
            response.read()
            connection.close()
            self.end("complete")
        except Exception as error:  # Whatever went wrong, nobody is to wait for the rest.
            self.end("failed", error={"message": str(error)})
        finally:
            self.over.set()

    def pieces(self):
        """The body, while it is made. A cancel ends the turn first, so that what was said
        stays as `cancelled`: a body that ends by itself is `complete`."""
        for piece in model(conversation(self.input["serial"]), self.taken):
            if self.cancelled.is_set():
                self.end("cancelled")
                return
            self.spoke_at = time.monotonic()
            yield piece.encode()

    def taken(self):
        """Instructions since this was last asked; each sender sees that it was taken."""
        while not self.steers.empty():
            serial, instruction = self.steers.get()
            post("/frames", {"type": "turn.steered", "serial": serial, **self.turn})
            yield instruction

    def beat(self):
        """Says that it is alive while the model says nothing."""
        third = LEASE_MS / 3000
        while not self.over.wait(third):
            if third <= time.monotonic() - self.spoke_at:
                try:
                    post("/frames", {"type": "turn.heartbeat", **self.turn})
                except Refused:
                    self.cancelled.set()  # Another process leads the turn, or it is over.
                except OSError as error:
                    print(f"unheard; {error}", flush=True)

    def end(self, status, **more):
        if self.over.is_set():
            return
        self.over.set()
        try:
            post("/frames", {"type": "turn.end", "status": status, **self.turn, **more})
            print(f"{self.turn['turn']} is {status}", flush=True)
        except Refused as error:
            print(f"{self.turn['turn']}: {error}", flush=True)


def main():
    answers = {}
    for frame in frames():
        message, turn = frame.get("message"), frame.get("turn")
        if frame["type"] == "closing":
            raise SystemExit(f"the session closed with {frame['code']}")
        if frame["type"] == "message.create" and message["role"] == "user":
            if "turn" not in message and message["serial"] not in answers:
                answers[message["serial"]] = Answer(message)
                answers[message["serial"]].start()
        for told in [turn] if turn else frame.get("turns", []):
            answer = answers.get(told.get("input"))
            if answer and "cancel" in told:
                answer.cancelled.set()
            if answer and frame["type"] == "turn.steer":
                answer.steers.put((frame["serial"], frame["data"]))
            if answer and "endedAt" in told:
                answer.cancelled.set()
                del answers[told["input"]]


if __name__ == "__main__":
    main()
