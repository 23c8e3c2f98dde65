#!/bin/sh
# The chaos suite in its nightly size: about an hour on two cores; power cuts take root.
# Writes one JUnit file a run to artifacts/chaos, and docs/reliability.md from all of them.
# CHAOS_SEEDS="1 2 3" repeats runs; with names of runs as arguments only these are made anew.
set -eu
cd "$(dirname "$0")/.."
out=artifacts/chaos
seeds=${CHAOS_SEEDS:-"11 22 33 44 55"}
wanted=${*:-all}
failed=""
mkdir -p "$out"

# run NAME PATH [VARIABLE=VALUE...]
run() {
  name=$1; path=$2; shift 2
  case " $wanted " in *" all "* | *" $name "*) ;; *) return 0 ;; esac
  echo "$name: $path $*"
  env "$@" .venv/bin/pytest -q "$path" --junitxml "$out/$name.xml" >"$out/$name.log" 2>&1 || {
    failed="$failed $name"
    tail -n 3 "$out/$name.log"
  }
}

for seed in $seeds; do
  run "swaps-$seed" tests/chaos/test_chaos_swaps.py CHAOS_SEED="$seed" CHAOS_SWAPS=1000 CHAOS_FAULTS=3
done
first=${seeds%% *}
run controls tests/chaos/test_chaos_controls.py CHAOS_SEED="$first"
run box tests/chaos/nightly/test_nightly_control_box.py CHAOS_SEED="$first" BOX_SWAPS=1000 BOX_CUTS=12
run power tests/chaos/test_chaos_power_cut.py CHAOS_SEED="$first" LEASE_CUTS=100
run lease tests/chaos/test_chaos_lease.py CHAOS_SEED="$first" LEASE_WINS=6 LEASE_KILLS=24
run streams services/gateway/tests/process/test_gateway_streams.py STREAM_EVENTS=6000
run schedules tests/chaos/test_chaos_schedules.py CHAOS_SEED="$first" \
  SCHEDULE_TICKS=10000 SCHEDULE_TIMES=100 SCHEDULE_HARMS=80
run recovery tests/chaos/nightly/test_nightly_recovery.py RECOVERY_RESTARTS=20
run outage tests/replicas/nightly/test_nightly_outage.py OUTAGE_SECONDS=600
run webhooks services/coordinator/tests/webhooks/test_webhook_proof.py CHAOS_SEED="$first" WEBHOOK_EVENTS=500
run downloads tests/chaos/test_chaos_downloads.py CHAOS_SEED="$first"
run replicas tests/replicas/nightly/test_nightly_three_replicas.py
run sparks tests/replicas/nightly/test_nightly_four_sparks.py
run clusters tests/replicas/nightly/test_nightly_servers.py

.venv/bin/python scripts/reliability.py "$out" docs/reliability.md
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
