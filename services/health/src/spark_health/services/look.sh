# sh -s SECONDS GPU TEMPLATE NAME...: how these containers are, in one question to docker.
# Prints "now SECONDS", one "box [...]" for each container that is there, "gpu PERCENT" where GPU
# is yes, then "end CODE" and the first of what docker said beside it.
seconds=$1 gpu=$2 template=$3
shift 3
work=$(mktemp -d) || exit 74
trap 'rm -rf "$work"' EXIT
echo "now $(date -u +%s)"
timeout -k 2 "$seconds" docker inspect --type container -f "$template" -- "$@" \
  >"$work/found" 2>"$work/said"
code=$?
head -c 500000 "$work/found" | sed -n 's/^\[/box [/p'
if [ "$gpu" = yes ]; then
  echo "gpu $(timeout -k 1 3 nvidia-smi --query-gpu=utilization.gpu \
    --format=csv,noheader,nounits 2>/dev/null | head -n 1)"
fi
echo "end $code"
head -c 2000 "$work/said"
