# sh -s ACTION NAME SECONDS SETTLE PATIENCE: start, stop or restart the container of exactly that
# name. Prints its state and exit code afterwards; what docker says of a failure is on standard
# error. Exit codes: 74 nothing can be written here, 75 another order for it does not end, 78 there
# is no such container, 90 docker refused, 91 docker does not answer.
action=$1 name=$2 seconds=$3 settle=$4 patience=$5
case $name in '' | -* | *[!A-Za-z0-9_.-]*) exit 78 ;; esac
[ "${#name}" -le 128 ] || exit 78
umask 077
mkdir -p "$HOME/.spark-control" || exit 74
exec 9>"$HOME/.spark-control/restart-$name.lock" || exit 74
flock -w 15 9 || exit 75

ask() { timeout -k 2 "$patience" docker inspect --type container -f "$1" -- "$2"; }
gone() { case $1 in 124 | 137) exit 91 ;; esac; }

said=$(ask '{{.Name}} {{.Id}}' "$name" 2>&1)
code=$?
if [ "$code" -ne 0 ]; then
  gone "$code"
  case $said in *[Nn]"o such "*) exit 78 ;; esac
  printf '%s\n' "$said" >&2
  exit 90
fi
# docker also finds a container by the beginning of its id: that is another one.
case $said in "/$name "*) ;; *) exit 78 ;; esac
id=${said#"/$name "}

said=$(timeout -k 2 "$seconds" docker "$action" "$id" 2>&1 9>&-)
code=$?
if [ "$code" -ne 0 ]; then
  gone "$code"
  printf '%s\n' "$said" >&2
  exit 90
fi
[ "$action" = stop ] || sleep "$settle"
# It is done: whoever cannot say how it is now says so, and no failure.
ask '{{.State.Status}} {{.State.ExitCode}}' "$id" || echo "unknown -"
