# What the scripts share: starting engine and gateway in a folder of their own, and stopping both. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin="$root/.build/debug"
started=()

# Ends what was started here, newest first, and removes the folder.
cleanup() {
  local i
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do kill "${started[i]}" 2>/dev/null || true; done
  for ((i = ${#started[@]} - 1; i >= 0; i--)); do wait "${started[i]}" 2>/dev/null || true; done
  started=()
  [ -n "${work:-}" ] && rm -rf "$work"
  return 0
}

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ $SECONDS -ge $deadline ]; then
      echo "$what did not come up in time; its log:" >&2
      tail -n 20 "$work"/*.log >&2 || true
      return 1
    fi
    sleep 0.2
  done
}

# start_engine: the built-in engine on a free loopback port; sets engine_port.
start_engine() {
  mkdir -p "$work/engine"
  "$bin/workflow-engine" --listen 127.0.0.1:0 --port-file "$work/engine/port" --token-file "$work/engine/token" \
    --data-dir "$work/engine/data" --templates "$root/hack/templates" --request-log "$work/engine-requests.log" "$@" \
    >"$work/engine.log" 2>&1 &
  started+=($!)
  engine_pid=$!
  wait_for 20 "the engine" test -s "$work/engine/port"
  engine_port=$(cat "$work/engine/port")
}

# start_gateway CONFIG: the gateway on a free loopback port with certificates of its own; sets KUBECONFIG and gateway_port.
start_gateway() {
  local config=$1
  shift
  "$bin/workflow-apiserver" certificates --dir "$work/pki"
  "$bin/workflow-apiserver" serve --config "$config" --adapters-dir "$root/adapters" --bind-address 127.0.0.1 --secure-port "${gateway_port:-0}" \
    --port-file "$work/gateway.port" --tls-cert-file "$work/pki/server.crt" --tls-private-key-file "$work/pki/server.key" \
    --client-ca-file "$work/pki/ca.crt" --authorization-mode AlwaysAllow "$@" >>"$work/gateway.log" 2>&1 &
  started+=($!)
  gateway_pid=$!
  wait_for 20 "the gateway" test -s "$work/gateway.port"
  gateway_port=$(cat "$work/gateway.port")
  export KUBECONFIG="$work/kubeconfig"
  "$bin/workflow-apiserver" kubeconfig --dir "$work/pki" --server "https://127.0.0.1:$gateway_port" >"$KUBECONFIG"
  wait_for 30 "the gateway" curl -fsS --cacert "$work/pki/ca.crt" "https://127.0.0.1:$gateway_port/readyz"
}
