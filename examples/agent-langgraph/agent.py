"""A LangGraph agent on plain HTTP: it answers each input with a graph whose nodes stream.

Each node writes one message of the turn. Killed and started again, the agent takes its turn back,
does not run a node again that was done, and goes on in the middle of the one that was not.
Progress is in the shared state, and a cancel stops the graph.
SESSION is the session's address, TOKEN a token with the role `agent` for it.
"""

import json
import os
import threading
import time
import urllib.error
import urllib.request
from typing import TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph

PACE_S = int(os.environ.get("PACE_MS", "100")) / 1000
MODEL = os.environ.get("MODEL", "a script")
NODES = ["outline", "draft", "review"]


class State(TypedDict, total=False):
    question: str
    outline: str
    draft: str
    review: str


def model(task):
    """Stands for a model, whose `stream` gives text as well."""
    for word in f"By {MODEL}, the {task}: one, two, three, four, five, six, seven, 🌊.".split():
        time.sleep(PACE_S)
        yield word + " "


def node(name):
    def run(state, config: RunnableConfig):
        if name in state:
            return {}  # An attempt before this one has done it.
        print(f"runs {name}", flush=True)
        text = ""
        for piece in model(f"{name} for “{state['question']}”"):
            if config["configurable"]["cancelled"].is_set():
                return {}
            text += piece
            get_stream_writer()((name, text))
        return {name: text}

    return run


builder = StateGraph(State)
for at, name in enumerate(NODES):
    builder.add_node(f"write {name}", node(name))
    builder.add_edge(f"write {NODES[at - 1]}" if at else START, f"write {name}")
builder.add_edge(f"write {NODES[-1]}", END)
graph = builder.compile()


class Refused(Exception):
    """What the session refuses (P13.2)."""


def call(method, path, body=None, **headers):
    headers["authorization"] = f"Bearer {os.environ['TOKEN']}"
    headers["content-type"] = "application/json"
    body = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["SESSION"] + path, body, headers, method=method)
    try:
        return urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        raise Refused(json.load(error)["error"]["message"]) from None


def send(frame):
    """One frame, and its result (P12.1)."""
    with call("POST", "/frames", frame) as response:
        return json.load(response)["result"]


class Output:
    """The message of a node, begun now or by an attempt before (`held`)."""

    def __init__(self, lead, name, held=None):
        if held is None:
            # The id makes it the same message, however often it is sent (P4.2).
            first = {"id": f"{lead['turn']}/{name}", "name": name, "role": "assistant", "data": ""}
            frame = {"type": "publish", "messages": [{**first, "status": "streaming", **lead}]}
            held = {**first, **send(frame)["messages"][0]}
        self.serial, self.text, self.seq = held["serial"], held["data"], held.get("seq", 0)
        self.attempt = lead["attempt"]

    def say(self, text):
        """Brings the message to this text. A model that says again what is there adds nothing to
        it, and one that says something else replaces it."""
        if not self.text.startswith(text):
            if text.startswith(self.text):
                self.change("append", data=text[len(self.text) :])
            else:
                self.change("update", data=text)
            self.text = text

    def change(self, kind, **fields):
        self.seq += 1
        place = {"serial": self.serial, "seq": self.seq, "attempt": self.attempt}
        send({"type": kind, **place, **fields})


def answer(message, cancelled):
    """One attempt of an answer."""
    turn = f"answer-{message['serial']}"
    result = send({"type": "turn.start", "id": turn, "input": message["serial"], "leaseMs": 60000})
    if result.get("duplicate"):
        if "endedAt" in result["turn"]:
            return
        result = send({"type": "turn.adopt", "turn": turn, "keep": True})
    lead = {"turn": turn, "attempt": result["turn"]["attempt"]}
    with call("GET", "/messages?limit=100") as response:
        said = [it for it in json.load(response)["messages"] if it.get("turn") == turn]
    held = {it["name"]: it for it in said}
    done = {name: it["data"] for name, it in held.items() if it["status"] == "complete"}

    output, now = None, None
    begun = {"question": str(message["data"]), **done}
    heard = {"configurable": {"cancelled": cancelled}}
    for name, text in graph.stream(begun, heard, stream_mode="custom"):
        if name != now:
            if output:
                output.change("append", status="complete")
            now, output = name, Output(lead, name, held.get(name))
            progress = {"node": name, "done": NODES.index(name), "of": len(NODES)}
            send({"type": "state", "ops": [{"op": "set", "path": [turn], "value": progress}]})
        output.say(text)
    # It closes what streams; the turn is `cancelled` if that was asked for (P6.5).
    send({"type": "turn.end", "status": "complete", **lead})
    send({"type": "state", "ops": [{"op": "remove", "path": [turn]}]})
    print(f"{turn} is over", flush=True)


def work(message, cancelled):
    while True:
        try:
            return answer(message, cancelled)
        except Refused as error:
            return print(error, flush=True)
        except OSError as error:  # The next attempt goes on from what the session has.
            print(f"trying again; {error}", flush=True)
            time.sleep(1)


def frames():
    """Everything that the session tells, for ever: a cut is resumed where it was (P3.8)."""
    position = {}
    while True:
        try:
            with call("GET", "/events?names=message&rewind=20", **position) as events:
                for line in events:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field == "id":
                        position = {"last-event-id": value}
                    elif field == "data":
                        yield json.loads(value)
        except OSError as error:
            print(f"reading again; {error}", flush=True)
        time.sleep(1)


def main():
    cancels = {}
    for frame in frames():
        message = frame.get("message", {})
        if frame["type"] == "message.create" and message["role"] == "user":
            if "turn" not in message and message["serial"] not in cancels:
                cancels[message["serial"]] = threading.Event()
                args = message, cancels[message["serial"]]
                threading.Thread(target=work, args=args, daemon=True).start()
        for turn in [frame["turn"]] if "turn" in frame else frame.get("turns", []):
            if "cancel" in turn and turn.get("input") in cancels:
                cancels[turn["input"]].set()


if __name__ == "__main__":
    main()
