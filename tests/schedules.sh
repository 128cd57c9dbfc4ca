#!/usr/bin/env bash
# Everything `soc deploy` has run by the clock, once, on a Prefect server of its own: each run must end as Completed.
# Run it in a folder with a soc.yml, and the secrets it needs in the environment; takes some minutes. PORT: of the server.
set -euo pipefail
port=${PORT:-4299}
work=$(mktemp -d)
export PREFECT_HOME=$work/prefect PREFECT_API_URL=http://127.0.0.1:$port/api
export PREFECT_SERVER_ANALYTICS_ENABLED=false DO_NOT_TRACK=1
soc=$(command -v soc)
python=$(dirname "$(readlink -f "$soc")")/python
started=()
stop() { kill "${started[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"; }
trap stop EXIT
wait_for() { # what, log, command…
  local what=$1 log=$2 until=$((SECONDS + 300)); shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || { echo "schedules: no $what in time" >&2; tail -n 20 "$log" >&2; exit 1; }
    sleep 2
  done
  echo "schedules: $what"
}

mkdir -p "$PREFECT_HOME"
"$python" -m prefect server start --host 127.0.0.1 --port "$port" >"$work/server.log" 2>&1 & started+=($!)
wait_for "Prefect server" "$work/server.log" grep -q 'Check out the dashboard' "$work/server.log"
"$soc" deploy >"$work/deploy.log" 2>&1 & started+=($!)
wait_for "deployments" "$work/deploy.log" grep -q 'report/monthly' "$work/deploy.log"

failed=0
for name in $(grep -oE '[a-z-]+/[a-z]+ ' "$work/deploy.log"); do
  if "$python" -m prefect deployment run "$name" --watch >"$work/run.log" 2>&1; then
    echo "schedules: $name Completed"
  else
    failed=1
    echo "schedules: $name did not complete" >&2
    tail -n 15 "$work/run.log" "$work/deploy.log" >&2
  fi
done
exit $failed
