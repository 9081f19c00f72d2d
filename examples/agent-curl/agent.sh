#!/bin/sh
# An agent with nothing but curl, and jq to read JSON: answers what people say in a session.
#
# Reads the session over SSE, leads a turn for each input, streams the answer as the body of one
# request, and hears cancel and steer meanwhile.
# SESSION is the session's address, TOKEN a token with the role `agent` for it.
set -eu
: "${SESSION:?}" "${TOKEN:?}"
# So long after the last sign of life the session takes this process for dead (P6.8).
LEASE_S=${LEASE_S:-30}
command -v jq >/dev/null || { echo 'unable to start; there is no jq' >&2; exit 1; }
# What the reader of events tells the answers: files named after the turn.
told=$(mktemp -d)
trap 'rm -rf "$told"' EXIT
trap 'exit 1' INT TERM

call() { curl -sS -H "Authorization: Bearer $TOKEN" "$@"; }
post() { call -H 'Content-Type: application/json' -d "$2" "$SESSION/$1"; }

# The messages that the sender of the one with serial $1 sees, except it, the oldest first (P6.9).
earlier() {
  call -f "$SESSION/messages?to=$1&limit=100" | jq -r --arg to "$1" '
    .messages | reverse[] | select(.serial != $to and .data != null) | "\(.data) / "' | tr -d '\n'
}

# Stands for a model: answers the message with serial $1 and text $2 piece by piece, and minds
# what it is told meanwhile.
model() {
  printf 'You said: %s\n' "$2" | tr -s ' ' '\n' | while read -r word; do
    case $word in
      recall) earlier "$1" ;;
      hmm) sleep $((LEASE_S * 2)) ;; # Thinks for longer than its lease.
      fail) exit 1 ;;
    esac
    if [ -e "$told/$turn.cancel" ]; then
      end cancelled
      exit
    fi
    steers
    printf '%s ' "$word"
    sleep 0.02
  done
}

# Takes the instructions that came since this was last asked; each sender sees that (P6.7).
steers() {
  for file in "$told/$turn".steer.*; do
    [ -e "$file" ] || return 0
    read -r serial instruction <"$file"
    rm "$file"
    post frames "{\"type\":\"turn.steered\",\"serial\":\"$serial\",$drives}" >&2
    printf '[%s] ' "$instruction"
  done
}

# Ends the turn, unless it was ended before. A cancel ends it ahead of the body, so that what was
# said stays as `cancelled`: a body that ends by itself is `complete`.
end() {
  mkdir "$told/$turn.over" 2>/dev/null || return 0
  post frames "{\"type\":\"turn.end\",\"status\":\"$1\",$drives}" >&2
}

# Says that it is alive, also while the model says nothing.
beat() {
  while sleep $((LEASE_S / 3)); do
    post frames "{\"type\":\"turn.heartbeat\",$drives}" >/dev/null || true
  done
}

# One turn: answers the input with serial $1, whose text is $2. The turn's id is made from the
# input: whichever process begins it again finds it begun, and leaves it.
answer() {
  turn=answer-$1
  start="{\"id\":\"$turn\",\"input\":\"$1\",\"leaseMs\":${LEASE_S}000}"
  attempt=$(post turns "$start" |
    jq 'select(.turn.status == "active" and .duplicate == null).turn.attempt')
  [ -n "$attempt" ] || return 0
  # What drives the turn says by which attempt it does (P6.8).
  drives="\"turn\":\"$turn\",\"attempt\":$attempt"
  beat &
  beat=$!
  { model "$1" "$2" || end failed; } |
    call -X POST -T - -H 'Expect:' -H 'Content-Type: text/plain' \
      "$SESSION/messages?stream=1&name=answer&turn=$turn&attempt=$attempt" >&2 || end failed
  end complete
  kill "$beat"
}

# Everything that matters here of what the session tells, one line each (P3.8).
events() {
  call -fN "$SESSION/events?names=message&rewind=20" | jq -rR --unbuffered '
    def own: select(.id == "answer-\(.input)");
    def text: if type == "string" then . else tojson end;
    select(startswith("data: ")) | .[6:] | fromjson |
    (select(.type == "message.create").message | select(.role == "user" and .turn == null) |
      ["input", .serial, (.data | text)]),
    (select(.type == "turn.steer") | [(.turn | own | "steer", .input), .serial, (.data | text)]),
    (.turn, .turns[]? | objects | own | select(.cancel or .endedAt) | ["cancel", .input]),
    (select(.type == "closing") | ["closing", .code])
    | @tsv'
}

hear() {
  while IFS=$(printf '\t') read -r what serial rest; do
    turn=answer-$serial
    case $what in
      input) answer "$serial" "$rest" & ;;
      cancel) : >"$told/$turn.cancel" ;;
      steer)
        # Whole before it has its name.
        printf '%s\n' "$rest" >"$told/new"
        mv "$told/new" "$told/$turn.steer.${rest%%"$(printf '\t')"*}"
        ;;
      closing) exit 3 ;;
    esac
  done
}

# A cut is nothing: what came meanwhile comes again, and turns that were begun are left.
while events | hear; do sleep 1; done
