"""An agent that cannot be called: it takes its work from its inbox, with nothing but HTTP.

It asks for the inputs that wait, leads the turn of one, streams the answer as the body of one
request, and goes on. Any number of it may run: the session gives each turn to one of them. The
standard library is all that it needs. URL is the Worker's address, TOKEN a token with the role
`agent` for all sessions that it works in.
"""

import http.client
import json
import os
import time
import urllib.parse

WORKER = urllib.parse.urlsplit(os.environ["URL"])
TOKEN = os.environ["TOKEN"]
DELAY_S = int(os.environ.get("DELAY_MS", "20")) / 1000
# So long after the last sign of life the session takes this process for dead (P6.8).
LEASE_MS = 5000
# The pause while nothing waits.
IDLE_S = 0.5


class Refused(Exception):
    """What the session refuses, with its code (P13.2)."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


def call(method, path, body=None, content_type="application/json"):
    """One request on a connection of its own; gives the answer."""
    https = WORKER.scheme == "https"
    connect = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = connect(WORKER.netloc, timeout=60)
    headers = {"authorization": f"Bearer {TOKEN}", "content-type": content_type}
    try:
        # A body that is made meanwhile is sent piece by piece.
        connection.request(method, f"/v1{path}", body, headers, encode_chunked=True)
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if "error" in answer:
        raise Refused(answer["error"])
    return answer


def post(path, body):
    return call("POST", path, json.dumps(body).encode())


def model(question):
    """Stands for a model: gives an answer word by word."""
    for word in ["You", "said:", *question.split(" ")]:
        time.sleep(DELAY_S)
        yield f"{word} ".encode()


def lead(work):
    """Begins the turn of an input; gives nothing where another process has it (P6.2)."""
    start = {"id": work.get("turn"), "input": work.get("input"), "leaseMs": LEASE_MS}
    try:
        result = post(
            f"/sessions/{work['session']}/turns",
            {name: value for name, value in start.items() if value is not None},
        )
    except Refused as error:
        if error.code in ("conflict", "turn-closed", "led-by-person", "gone"):
            return None
        raise
    is_mine = "duplicate" not in result and result["turn"]["status"] == "active"
    return result["turn"] if is_mine else None


def take_back(session, turn):
    """A process that was killed has left half an answer, which the whole one replaces."""
    for message in call("GET", f"{session}/messages?limit=100")["messages"]:
        if message.get("turn") == turn["id"] and message["status"] == "failed":
            delete = {"type": "delete", "serial": message["serial"], "attempt": turn["attempt"]}
            post(f"{session}/frames", delete)


def answer(work, turn):
    session = f"/sessions/{work['session']}"
    told = {"turn": turn["id"], "attempt": turn["attempt"]}
    print(f"answering {work['input']} of {work['session']}, attempt {turn['attempt']}", flush=True)
    try:
        page = call("GET", f"{session}/messages?to={work['input']}&limit=100")
        question = str(page["messages"][0]["data"])
        if turn["attempt"] > 1:
            take_back(session, turn)
        query = urllib.parse.urlencode({"stream": 1, **told})
        call("POST", f"{session}/messages?{query}", model(question), "text/plain")
        end = {"status": "complete"}
    except Exception as error:  # Whatever went wrong, nobody is to wait for the rest.
        end = {"status": "failed", "error": {"message": str(error)}}
    try:
        post(f"{session}/frames", {"type": "turn.end", **told, **end})
    except Refused as error:
        print(f"turn {turn['id']}: {error}", flush=True)


def main():
    while True:
        is_idle = True
        try:
            for work in call("GET", "/inbox")["work"]:
                turn = lead(work)
                if turn:
                    answer(work, turn)
                    is_idle = False
                    # What waits has changed meanwhile.
                    break
        except (OSError, http.client.HTTPException, json.JSONDecodeError, Refused) as error:
            print(f"asking again; {error}", flush=True)
        if is_idle:
            time.sleep(IDLE_S)


if __name__ == "__main__":
    main()
