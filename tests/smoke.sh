#!/usr/bin/env bash
# With Docker: start everything, bring the dashboards in, and see a log line become a finding and an alert.
# Needs .env (cp env.example .env) and takes some minutes; leaves the containers running (`make down` stops them).
set -euo pipefail
cd "$(dirname "$0")/.."
set -a; . ./.env; set +a
compose() { docker compose "$@"; }
kibana() { curl --silent --show-error --fail --user "elastic:$ELASTIC_PASSWORD" --header 'kbn-xsrf: smoke' \
  --header 'Content-Type: application/json' "$@"; }
wait_for() { # what, seconds, command…
  local what=$1 until=$((SECONDS + $2)); shift 2
  until "$@"; do
    [ $SECONDS -lt $until ] || { echo "smoke: no $what in time" >&2; exit 1; }
    sleep 5
  done
  echo "smoke: $what"
}

compose up --detach --build --wait
soc() { compose run --rm -T -e SOC_ELASTIC__USERNAME=elastic -e SOC_ELASTIC__PASSWORD="$ELASTIC_PASSWORD" \
  -e SOC_KIBANA__URL=http://kibana:5601 -e SOC_KIBANA__USERNAME=elastic -e SOC_KIBANA__PASSWORD="$ELASTIC_PASSWORD" soc "$@"; }

soc dashboards push
soc dashboards diff | tee /dev/stderr | grep -Eq '^([0-9]+) of \1 objects are the same$'
for board in shift finding entity organisation attack anomalies sources rules pipeline; do
  kibana "http://localhost:5601/api/saved_objects/_export" --data \
    "{\"objects\":[{\"type\":\"dashboard\",\"id\":\"soc-$board\"}],\"excludeExportDetails\":true}" | grep -q '"soc-'"$board"'"'
  echo "smoke: dashboard $board"
done

# Thirty failed logins, by syslog: "SSH passwords tried in mass".
for n in $(seq 30); do
  printf '<38>%s smoke-01 sshd[%d]: Failed password for root from 203.0.113.9 port %d ssh2\n' \
    "$(LC_ALL=C TZ=Asia/Ho_Chi_Minh date '+%b %e %H:%M:%S')" "$n" $((40000 + n))
done | tee /dev/null > /dev/tcp/127.0.0.1/5514
found() { soc dashboards show shift | grep -q smoke-01; }
alerted() { kibana "http://localhost:5601/api/detection_engine/signals/search" --data \
  '{"query":{"term":{"host.name":"smoke-01"}},"size":1}' | grep -q smoke-01; }
wait_for "finding" 300 found
wait_for "alert of the Security app" 300 alerted
echo "smoke: all is well; look at http://localhost:5601/app/dashboards"
