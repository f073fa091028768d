#!/bin/sh
# start.sh: writes Alertmanager's settings, which take no variables, and becomes Alertmanager. ALERT_WEBHOOK_URL is where
# alerts are sent to; where it is empty they go nowhere, and are shown at Alertmanager's own page.
set -eu
umask 077
settings=/tmp/alertmanager.yml

receiver=nobody
[ -z "${ALERT_WEBHOOK_URL:-}" ] || receiver=webhook

cat >"$settings" <<END
route:
  receiver: $receiver
  group_by: [alertname]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
receivers:
  - name: nobody
END
if [ "$receiver" = webhook ]; then
  # In YAML's single quotes only a quote is special.
  printf "  - name: webhook\n    webhook_configs:\n      - url: '%s'\n" \
    "$(printf '%s' "$ALERT_WEBHOOK_URL" | sed "s/'/''/g")" >>"$settings"
fi

# The empty address: there is one Alertmanager, which looks for no other.
exec /bin/alertmanager --config.file="$settings" --storage.path=/alertmanager --web.listen-address=0.0.0.0:9093 \
  --cluster.listen-address=
