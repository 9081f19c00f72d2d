"""An agent that asks people, with nothing but an HTTP client.

It sells tickets: a tool on the user's device says which evenings are free, the user chooses one,
and a supervisor allows the purchase. Nothing waits in this process. Each run of `sell` goes as far
as the answers do; whoever answers next has the session queue the turn again (P8.4), and the next
run, in this process or another, finds by their ids what was asked before.
SESSION is the session's address, TOKEN a token with the role `agent` for it.
"""

import http.client
import json
import os
import time
import urllib.parse

SESSION = urllib.parse.urlsplit(os.environ["SESSION"])
TOKEN = os.environ["TOKEN"]
DAY_MS = 24 * 60 * 60 * 1000


def sell(turn):
    """The work. It runs again from its start after each answer."""
    free = turn.call("free-evenings", {"month": "2026-12"})["free"]
    choice = turn.ask(
        "evening",
        kind="question",
        title="Which evening would you like?",
        options=[{"id": evening, "label": evening} for evening in free],
        # An answer in other words dismisses the question, and begins a turn of its own.
        onMessage="dismiss",
    )
    if choice["status"] != "answered":
        return turn.say("Then another time.")
    order = turn.ask(
        "order",
        title=f"Buy two tickets for {choice['option']}?",
        data={"evening": choice["option"], "seats": 2, "price": 90},
        # The form in which a supervisor may change it.
        schema={
            "type": "object",
            "required": ["evening", "seats", "price"],
            "properties": {
                "evening": {"enum": free},
                "seats": {"type": "integer", "minimum": 1, "maximum": 4},
                "price": {"type": "number", "maximum": 200},
            },
        },
        assignees=["role:supervisor"],
        deadlineMs=DAY_MS,
    )
    if order["status"] != "approved":
        return turn.say(f"No tickets: {order.get('comment', order['status'])}")
    # As the supervisor has edited it, else as it was asked for.
    bought = order.get("answer", order["data"])
    number = buy(bought, order["id"])
    evening, seats, price = bought["evening"], bought["seats"], bought["price"]
    return turn.say(f"Bought for {evening}: {seats} at {price} €, order {number}.")


def buy(_, key):
    """Stands for the shop. It knows an order by its key, and so takes none twice."""
    return key[-6:]


class Waiting(Exception):
    """Nobody has answered yet: this run is over, and another begins when somebody has."""


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
    connection.request(method, SESSION.path + path, body, headers)
    return connection, connection.getresponse()


def post(path, body):
    """Sends JSON, and gives the answer."""
    body = json.dumps(body).encode()
    connection, response = send("POST", path, body, **{"content-type": "application/json"})
    answer = json.loads(response.read())
    connection.close()
    if "error" in answer:
        raise Refused(answer["error"])
    return answer


def tell(frame):
    """Sends a frame, and gives its result (P12.1)."""
    return post("/frames", frame)["result"]


class Turn:
    """A turn that this process leads."""

    def __init__(self, turn):
        self.id = turn["id"]
        # Frames that drive the turn say by which attempt they do (P6.8).
        self.lead = {"turn": self.id, "attempt": turn["attempt"]}

    def ask(self, name, **fields):
        """Asks a person (P8.1). The id makes it the same question in every run."""
        frame = {"type": "approval.request", "id": f"{self.id}-{name}", **fields}
        return self.settled(tell({**frame, **self.lead})["approval"])

    def call(self, name, data):
        """Has a device of the user run a tool (P8.9)."""
        frame = {"type": "tool.call", "id": f"{self.id}-{name}", "name": name, "input": data}
        call = tell({**frame, "suspend": True, **self.lead})["call"]
        if self.settled(call)["status"] != "complete":
            raise RuntimeError(f"{name} is {call['status']}: {call.get('error')}")
        return call["output"]

    @staticmethod
    def settled(asked):
        if asked["status"] == "pending":
            raise Waiting
        return asked

    def say(self, text):
        message = {"id": f"{self.id}-said", "role": "assistant", "data": text, **self.lead}
        post("/messages", message)

    def end(self, status, **more):
        tell({"type": "turn.end", "status": status, **self.lead, **more})
        print(f"{self.id} is {status}", flush=True)


def run(start):
    """Takes a turn and goes as far as it can. What another process has is left to that one."""
    try:
        result = post("/turns", start)
        if "duplicate" in result or result["turn"]["status"] != "active":
            return
        turn = Turn(result["turn"])
        try:
            sell(turn)
            turn.end("complete")
        except Waiting:
            print(f"{turn.id} waits", flush=True)
        except (Refused, RuntimeError, LookupError) as error:
            turn.end("failed", error={"message": str(error)})
    except Refused as error:
        print(f"unable to go on; {error}", flush=True)


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


def main():
    for frame in frames():
        message = frame.get("message", {})
        if frame["type"] == "closing":
            raise SystemExit(f"the session closed with {frame['code']}")
        if frame["type"] == "message.create" and message["role"] == "user":
            if "turn" not in message:
                # An id made from the input: whichever process begins it again finds it begun.
                run({"id": f"sale-{message['serial']}", "input": message["serial"]})
        for turn in [frame["turn"]] if "turn" in frame else frame.get("turns", []):
            if turn["status"] == "queued":
                run({"id": turn["id"]})


if __name__ == "__main__":
    main()
