#!/bin/sh
# Polls a feed with nothing but curl, sed and awk: prints each event as a line of JSON, in order, and
# keeps its cursor in a file, so that it goes on where it was after any stop.
#
#   KEY=tg_… TENANT=acme sh poller.sh >> events.ndjson
#
# A page is handled first and its cursor saved then: after a crash in between it comes again, so
# whoever counts on each event once looks at its id. Stopped by Ctrl-C or SIGTERM.
set -eu
export LC_ALL=C

: "${KEY:?the key, for example from: npx tidegate keys create --scopes read}"
URL=${URL:-http://127.0.0.1:8080}
TENANT=${TENANT:-}          # with an operator's key
TYPES=${TYPES:-}            # order.*,invoice.paid; all unless given
FROM=${FROM:-earliest}      # where to begin without a cursor: earliest, latest or a time
CURSOR_FILE=${CURSOR_FILE:-cursor}
ON_EXPIRED=${ON_EXPIRED:-fail} # or skip: go on with the oldest event when some were lost
WAIT=${WAIT:-30}            # seconds that the gateway waits for the first event
LIMIT=${LIMIT:-200}

work=$(mktemp -d)
child=
trap 'rm -rf "$work"' EXIT
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; exit 0' INT TERM HUP

# What is done with a page, an array of events. When it fails the page comes again.
handle() {
  # The elements of the array, a line each: they end where a brace closes on the first level.
  awk '{
    for (i = 2; i < length($0); i++) {
      c = substr($0, i, 1)
      if (depth == 0 && c == "{") start = i
      if (inside) { if (c == "\\") i++; else if (c == "\"") inside = 0 }
      else if (c == "\"") inside = 1
      else if (c == "{" || c == "[") depth++
      else if ((c == "}" || c == "]") && --depth == 0) print substr($0, start, i - start + 1)
    }
  }' "$1"
}

# In the background, because a shell hears signals only between commands.
fetch() {
  set -- --silent --show-error --get --max-time $((WAIT + 30)) \
    --header "Authorization: Bearer $KEY" --header 'Accept: application/cloudevents-batch+json' \
    --dump-header "$work/head" --output "$work/body" --write-out '%{http_code}' \
    --data-urlencode "limit=$LIMIT" --data-urlencode "wait=$WAIT"
  [ -z "$TENANT" ] || set -- "$@" --data-urlencode "tenant=$TENANT"
  [ -z "$TYPES" ] || set -- "$@" --data-urlencode "types=$TYPES"
  if [ -s "$CURSOR_FILE" ]; then
    # Taken along when TYPES are others now.
    set -- "$@" --data-urlencode "cursor=$(cat "$CURSOR_FILE")" --data rebase=true
  else
    set -- "$@" --data-urlencode "from=$FROM"
  fi
  : > "$work/head"
  : > "$work/body"
  curl "$@" "$URL/events" > "$work/status" &
  child=$!
  wait "$child" || true # 000 when there was no answer
  child=
}

header() {
  tr -d '\r' < "$work/head" | awk -v name="$1:" 'tolower($1) == name { value = $2 } END { print value }'
}

# In one step, so that the file never holds half a cursor.
save() {
  printf '%s\n' "$1" > "$CURSOR_FILE.new"
  mv "$CURSOR_FILE.new" "$CURSOR_FILE"
}

rest() {
  sleep "$1" &
  child=$!
  wait "$child" || true
  child=
}

pause=1
while :; do
  fetch
  status=$(cat "$work/status")
  case $status in
  200)
    handle "$work/body"
    save "$(header tidegate-cursor)"
    pause=1
    ;;
  410)
    cat "$work/body" >&2
    echo >&2
    [ "$ON_EXPIRED" = skip ] || exit 1
    save "$(sed -n 's/.*"oldest_cursor":"\([^"]*\)".*/\1/p' "$work/body")"
    ;;
  # Passing: as late as the gateway asks, else later each time.
  000 | 408 | 429 | 5??)
    after=$(header retry-after)
    case $after in '' | *[!0-9]*) after=$pause ;; esac
    echo "poller: $status, again in $after s" >&2
    rest "$after"
    [ "$pause" -ge 30 ] || pause=$((pause * 2))
    ;;
  *)
    echo "poller: $status $(cat "$work/body")" >&2
    exit 1
    ;;
  esac
done
