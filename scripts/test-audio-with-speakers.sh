#!/bin/sh
# Sends a recording through a running spark-control and shows who said what.
#   scripts/test-audio-with-speakers.sh meeting.m4a
#   SPARK=http://<this machine>:9999 KEY=sk-... scripts/test-audio-with-speakers.sh FILE [NAME=VALUE ...]
# Further words are fields of the form: language=de, mode=dual, num_speakers=3, words=true.
set -eu

if [ $# -lt 1 ] || [ ! -r "$1" ]; then
    echo "usage: $0 FILE [NAME=VALUE ...]" >&2
    exit 2
fi
file=$1
shift
spark=${SPARK:-http://127.0.0.1:9999}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# The recording comes first and the fields after it, each as one argument, whatever is in them.
set -- "$@" --end
while [ "$1" != --end ]; do
    set -- "$@" --form-string "$1"
    shift
done
shift
if [ -n "${KEY:-}" ]; then
    # Not in the argument list: everybody on this machine can read that.
    (umask 077 && printf 'header = "authorization: Bearer %s"\n' "$KEY" >"$work/key")
    set -- "$@" --config "$work/key"
fi

cp -- "$file" "$work/recording"
status=$(curl -sS --max-time 7200 -o "$work/answer" -D "$work/head" -w '%{http_code}' "$@" \
    -F "file=@$work/recording" "$spark/api/audio/transcribe-with-speakers")
if [ "$status" != 200 ]; then
    echo "$spark answered $status:" >&2
    cat "$work/answer" >&2
    echo >&2
    exit 1
fi
python3 - "$work/answer" <<'PY'
import json
import sys

with open(sys.argv[1], encoding="utf-8") as answer:
    heard = json.load(answer)
speakers = ", ".join(heard["speakers_detected"]) or "nobody"
print(f"{heard['duration']:.1f} s, {speakers}")
for block in heard["segments"]:
    start = block["start_ms"] / 1000
    sure = block.get("confidence")
    shown = "" if sure is None else f" ({sure:.0%})"
    print(f"{start // 60:3.0f}:{start % 60:04.1f}  {block['speaker'] or '?'}{shown}: {block['text']}")
for warning in heard.get("warnings", []):
    print(f"warning: {warning}")
models = ", ".join(f"{task} {name}" for task, name in heard.get("models", {}).items() if name)
print(f"models: {models}")
PY
