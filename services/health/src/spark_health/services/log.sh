# sh -s NAME TAIL BYTES SINCE: the end of the log of the container of exactly that name.
# Ends standard error with "exit CODE". Exit codes of its own: 78 no such container, 90 docker
# refused, 91 docker does not answer.
name=$1 tail=$2 bytes=$3 since=$4
said=$(timeout -k 2 8 docker inspect --type container -f '{{.Name}} {{.Id}}' -- "$name" 2>&1)
code=$?
if [ "$code" -ne 0 ]; then
  case $code in 124 | 137) exit 91 ;; esac
  case $said in *[Nn]"o such "*) exit 78 ;; esac
  printf '%s\n' "$said" >&2
  exit 90
fi
case $said in "/$name "*) ;; *) exit 78 ;; esac
id=${said#"/$name "}
set -- --timestamps --tail "$tail"
[ -z "$since" ] || set -- "$@" --since "$since"
{
  timeout -k 2 12 docker logs "$@" "$id" 2>&1
  echo "exit $?" >&2
} | tail -c "$bytes"
