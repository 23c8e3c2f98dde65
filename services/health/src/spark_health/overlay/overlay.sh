# sh -c this MODE CONTAINER APP JOB [SHA256 SHA256]: one step of caring for the speech container.
# look: what is there, as "key value" lines.
# stage: take our two files (a tar file on standard input) to this machine, whole or not at all.
# check: have the Python of the container read them, before anything is replaced.
# keep: copy what will be replaced to this machine; done once by a job.
# put: write our files into the container, and prove it.
# back, undo: write what was kept; back only what this job kept.
# tidy: after that, remove what was not there before.
# restart: once.
# Exit codes: 71 no such container, 72 a file could not be read, 73 the image is laid out otherwise,
# 74 not valid for its Python, 75 what was copied is not what was sent, 76 nothing is kept,
# 77 files cannot be written here.
set -u
umask 077
mode=$0 container=$1 app=$2 job=$3
shift 3
files="main.py diarizer.py"
root="$HOME/.spark-control/overlay/$container"
mkdir -p "$root" || exit 77
work=$(mktemp -d) || exit 77
trap 'rm -rf "$work"' EXIT

patience=60
[ "$mode" != look ] || patience=15
# A docker that hangs ends with 124 and says nothing.
docker() {
  timeout "$patience" docker "$@" || { code=$?; [ $code != 124 ] || echo "it does not answer" >&2; return $code; }
}
known() { docker inspect -f "$1" --type container "$container" 2>"$work/said"; }
sum() { sha256sum <"$1" | cut -d ' ' -f 1; }
# What docker cannot find is missing; anything else is unknown.
fetch() {
  docker cp -L "$container:$app/$1" - >"$work/tar" 2>"$work/said" && tar -xOf "$work/tar" >"$2" 2>/dev/null && return
  grep -qiE 'could not find the file|no such container:path|no such file' "$work/said" || exit 72
  return 1
}
put_in() {
  said=$(docker cp "$1" "$container:$app/$2" 2>&1) && return
  echo "$said"
  case $said in *[Cc]ould\ not\ find\ the\ file*) exit 73 ;; esac
  exit 72
}
remove() { docker exec "$container" rm -f "$app/$1" >/dev/null 2>&1; }
running() { [ "$(known '{{.State.Running}}')" = true ]; }

case $mode in
  look) ;;
  *) known '{{.Id}}' >/dev/null || { cat "$work/said"; exit 71; } ;;
esac

case $mode in
  look)
    if said=$(known 'container {{.State.Status}} {{.RestartCount}} {{.Image}} {{.Config.Image}}'); then
      echo "$said"
      for file in $files; do
        if (fetch "$file" "$work/$file"); then
          echo "file $file $(sum "$work/$file")"
        elif [ $? = 1 ]; then
          echo "file $file missing"
        else
          echo "file $file unknown"
        fi
      done
    elif grep -qiE 'no such (object|container)' "$work/said"; then
      echo "container none"
    else
      cat "$work/said"
      exit 72
    fi
    if [ -e "$root/before/at" ]; then
      echo "kept $(cat "$root/before/at") $(cat "$root/before/image")"
      for file in $files; do
        [ ! -e "$root/before/$file" ] || echo "keeps $file $(sum "$root/before/$file")"
      done
    fi
    ;;
  stage)
    rm -rf "$root/new" "$root/coming" && mkdir "$root/coming" || exit 77
    tar -xf - -C "$root/coming" || exit 77
    for file in $files; do
      [ "$(sum "$root/coming/$file")" = "$1" ] || { echo "$file arrived damaged"; exit 75; }
      chmod 644 "$root/coming/$file"
      shift
    done
    mv "$root/coming" "$root/new"
    ;;
  check)
    program='import sys; compile(sys.stdin.buffer.read(), sys.argv[1], "exec")'
    for file in $files; do
      if running; then
        docker exec -i "$container" python3 -c "$program" "$file" <"$root/new/$file"
      else
        docker run --rm -i --network none --entrypoint python3 "$(known '{{.Image}}')" \
          -c "$program" "$file" <"$root/new/$file"
      fi >"$work/said" 2>&1 || {
        cat "$work/said"
        ! grep -qE 'rror response from daemon|OCI runtime|it does not answer' "$work/said" || exit 72
        exit 74
      }
      echo "$file: read by the Python of the container"
    done
    ;;
  keep)
    [ "$(cat "$root/before/job" 2>/dev/null)" != "$job" ] || exit 0
    [ -e "$root/before" ] || [ ! -e "$root/older" ] || mv "$root/older" "$root/before"
    rm -rf "$root/next" && mkdir "$root/next" || exit 77
    same=yes
    for file in $files; do
      if (fetch "$file" "$root/next/$file"); then
        chmod 644 "$root/next/$file"
        [ "$(sum "$root/next/$file")" = "$1" ] || same=no
      elif [ $? = 1 ]; then
        rm -f "$root/next/$file"
        same=no
      else
        cat "$work/said"
        exit 72
      fi
      shift
    done
    # Nothing will be replaced: what was kept before stays what an undo brings back.
    [ $same = no ] || { rm -rf "$root/next"; exit 0; }
    known '{{.Image}}' >"$root/next/image" && date +%s >"$root/next/at" &&
      echo "$job" >"$root/next/job" || exit 77
    sync 2>/dev/null
    rm -rf "$root/older"
    [ ! -e "$root/before" ] || mv "$root/before" "$root/older"
    mv "$root/next" "$root/before" || exit 77
    rm -rf "$root/older"
    for file in $files; do
      [ -e "$root/before/$file" ] && echo "$file: kept" || echo "$file: was not there"
    done
    ;;
  put)
    for file in $files; do
      put_in "$root/new/$file" "$file"
      (fetch "$file" "$work/$file") && [ "$(sum "$work/$file")" = "$1" ] || exit 75
      echo "$file: put in place"
      shift
    done
    ;;
  back | undo | tidy)
    [ -e "$root/before/at" ] || exit 76
    [ "$mode" != back ] || [ "$(cat "$root/before/job")" = "$job" ] || exit 76
    for file in $files; do
      if [ ! -e "$root/before/$file" ]; then
        remove "$file" && echo "$file: removed"
      elif [ "$mode" != tidy ]; then
        put_in "$root/before/$file" "$file"
        (fetch "$file" "$work/$file") || exit 75
        [ "$(sum "$work/$file")" = "$(sum "$root/before/$file")" ] || exit 75
        echo "$file: brought back"
      fi
    done
    exit 0
    ;;
  restart)
    # Longer than the time that docker gives the process to end.
    timeout 120 docker restart -t 10 "$container" >"$work/said" 2>&1 || { cat "$work/said"; exit 72; }
    ;;
esac
