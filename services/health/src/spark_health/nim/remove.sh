# sh -c this remove NAME VOLUME: remove our container of that name, and the volume unless empty.
# sh -c this settle NAME JOB: the same with what this job started; its login goes too.
# Exit codes: 83 the name belongs to something else, 90 the volume is in use, 91 docker is silent.
mode=$0 name=$1 word=$2
if [ "$mode" = settle ]; then
  rm -rf "/dev/shm/spark-control-nim-$word" "$HOME/.spark-control/spark-control-nim-$word"
fi
label=nim want=$name
[ "$mode" = remove ] || { label=job want=$word; }
said=$(docker inspect --type container -f "{{json .Config.Labels}}" "$name" 2>&1)
code=$?
if [ "$code" -ne 0 ]; then
  case $said in *[Nn]"o such"*) ;; *) echo "$said"; exit 91 ;; esac
else
  case $said in
    *"\"spark-control.$label\":\"$want\""*) docker rm -f "$name" >/dev/null || exit 91 ;;
    *) [ "$mode" = settle ] || { echo "the container $name is something else"; exit 83; } ;;
  esac
fi
[ "$mode" = remove ] && [ -n "$word" ] || exit 0
docker volume inspect "$word" >/dev/null 2>&1 || exit 0
docker volume rm "$word" || exit 90
